"""How well speech is heard, on recorded audio through G.711: the figures of experiments/vad_f1.py, with a margin.

Measured with Silero 6.2.3 and onnxruntime 1.31; floors are about 0.015 below, to leave room for another CPU's rounding.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.audio.silero import CONTEXT, STATE, WINDOW, Silero
from client_caller.audio.voices import VoiceBatch

F1 = {
    "short utterances": 0.925,
    "long passages": 0.95,
    "real call": 0.945,
    "meetings (coarse labels)": 0.84,
    "m01_coffee_15db": 0.95,
    "m02_babble_10db": 0.93,
    "m03_office_10db": 0.92,
    "m04_engine_5db": 0.96,
    "m05_rain_5db": 0.945,
    "m06_music_5db": 0.91,
    "m07_keyboard_10db": 0.95,
    "m08_hum_10db": 0.945,
    "m09_babble_5db": 0.65,
    "m10_siren_0db": 0.925,
}
FALSE_ALARM = {"n01_babble": 0.12, "n02_coffee_shop": 0.26, "n06_music_jazz": 0.06, "n11_clock": 0.05}
"""The share of windows taken for speech; babble and the coffee shop do hold voices. At most 0.01 in any other noise."""

HOLD_MUSIC = -23.0
"""dBFS: as loud as in the measurement that found the drift (research/embedded-and-limits 1.3)."""


@pytest.fixture(scope="module")
def vad(audio: Path) -> Any:
    """The experiment, as a module: test and printed table are one piece of code."""
    path = Path(__file__).parents[2] / "experiments" / "vad_f1.py"
    spec = importlib.util.spec_from_file_location("vad_f1", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(vad: Any, silero_path: Path) -> dict[str, Any]:
    result: dict[str, Any] = vad.table(VoiceBatch(silero_path))
    return result


@pytest.mark.parametrize("line", F1)
def test_speech_is_told_from_everything_else(table: dict[str, Any], line: str) -> None:
    """Frame F1 at the conversation's thresholds does not fall below its floor."""
    assert table[line].f1 >= F1[line]


def test_noise_is_not_speech(table: dict[str, Any]) -> None:
    """Where nobody speaks, next to nothing is taken for speech."""
    noises = [line for line in table if line.startswith("n")]
    assert len(noises) == 14
    for line in noises:
        assert table[line].true_speech + table[line].missed_speech == 0
        assert table[line].false_alarm <= FALSE_ALARM.get(line, 0.01), line


@pytest.fixture(scope="module", params=["n06_music_jazz", "n07_music_strings"])
def hold_music(request: pytest.FixtureRequest, shared_audio: Callable[[str], bytes]) -> bytes:
    samples = g711.decode_float(shared_audio(f"noise/{request.param}.flac"))
    gain = 10 ** (HOLD_MUSIC / 20) / np.sqrt(np.mean(samples**2))
    return g711.encode_float((samples * gain).astype(np.float32))


def test_speech_after_hold_music_is_heard_at_once(vad: Any, silero_path: Path, hold_music: bytes) -> None:
    """After 30 s of hold music the median utterance is heard within 150 ms of its labelled start, each within 0.6 s.

    Measured: median 112 and 98 ms, slowest 506 and 494 ms (a word that begins softly: 494 ms after silence as well).
    """
    delays = list(vad.delays(VoiceBatch(silero_path), hold_music).values())
    assert len(delays) == 30
    assert np.median(delays) <= 150
    assert max(delays) <= 600


def test_it_is_the_clearing_that_does_it(vad: Any, silero_path: Path, hold_music: bytes) -> None:
    """Without clearing its state the model, after the same music, is later by far: the measure above can fail."""
    silero = Silero(silero_path)
    files = vad.groups(vad.entries())["short utterances"][:12]
    before = (hold_music * 20)[: vad.PREFIX * g711.SAMPLE_RATE]
    late = []
    for file in files:
        speech = vad.mulaw(file)
        samples = np.concatenate([np.zeros(CONTEXT, np.float32), g711.decode_float(before + speech)])
        state = np.zeros((2, 1, STATE), np.float32)
        scores = []
        for start in range(0, len(before + speech) - WINDOW, WINDOW):
            probability, state = silero.run(samples[None, start : start + CONTEXT + WINDOW], state)
            scores.append(float(probability[0]))
        heard = np.flatnonzero(vad.decide(scores)[len(before) // WINDOW :])
        late.append(heard[0] * WINDOW / 8 if len(heard) else float("inf"))
    assert np.median(late) > 300
