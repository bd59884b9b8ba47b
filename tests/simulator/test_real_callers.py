"""Real people call the demonstration: nothing they say is lost, split or recorded otherwise than it came.

The experiment `real_callers` does the same with every utterance and passage of the shared audio, and tells the reasons.
"""

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile

CALLS = (
    "utt/u08_customer_support.flac",
    "utt/u14_go_forward.flac",
    "utt/u20_not_so_sure.flac",
    "utt/u22_storm.flac",
    "utt/u24_chromecast.flac",
    "utt/u27_digits_jackson.flac",
    "utt/u30_es.flac",
    "long/l06_hesitant.flac",
)
CLEAN = {"caller_hung_up", "agent_hung_up", "caller_said_goodbye"}


@pytest.fixture(scope="module")
def real() -> Any:
    """The experiment, as a module: test and printed table are one piece of code."""
    path = Path(__file__).parents[2] / "experiments" / "real_callers.py"
    spec = importlib.util.spec_from_file_location("real_callers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["real_callers"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", CALLS)
def test_what_a_caller_says_is_a_turn_and_is_recorded_as_it_came(
    real: Any, audio: Path, silero_path: Path, tmp_path: Path, name: str
) -> None:
    """A clean end; each stretch of speech above half a second in exactly one turn or backchannel; neighbours share one
    only for a reason that the journal shows; the recording's caller channel is the input, sample for sample.
    """
    speech = real.speech_in(real.entries()[name])
    real.call(audio / name, tmp_path / "call")
    outcome = real.judge(tmp_path / "call", audio / name, speech)
    assert outcome.broken == ()
    assert outcome.exact
    assert outcome.ended in CLEAN
    assert outcome.stretches == sum(end - start > 0.5 for start, end in speech) > 0


def test_a_caller_who_talks_to_somebody_else(real: Any, audio: Path, silero_path: Path, tmp_path: Path) -> None:
    """The same for the first 100 s of a real call, whose caller answers a person and not our agent: they often speak
    over it, go on, and pause."""
    name = "calls/call40_caller.flac"
    samples, rate = soundfile.read(audio / name, dtype="int16", frames=100 * 8000)
    soundfile.write(tmp_path / "caller.flac", samples, rate)
    speech = [(start, end) for start, end in real.speech_in(real.entries()[name]) if end <= 100]
    real.call(tmp_path / "caller.flac", tmp_path / "call")
    outcome = real.judge(tmp_path / "call", tmp_path / "caller.flac", speech)
    assert outcome.broken == ()
    assert outcome.exact
    assert outcome.ended in CLEAN
    assert outcome.turns + outcome.backchannels >= 10
    assert outcome.merged


def test_the_judge_sees_what_is_lost_split_or_changed(
    real: Any, audio: Path, silero_path: Path, tmp_path: Path
) -> None:
    """Speech that nobody took down, a long pause within an entry, one sample changed: each is told."""
    name = "utt/u23_storm_pause.flac"
    real.call(audio / name, tmp_path / "call")
    first, second = real.speech_in(real.entries()[name])
    lost = real.judge(tmp_path / "call", audio / name, [first, second, (second[1] + 1, second[1] + 2)])
    assert lost.broken == (f"{second[1] + 1:.2f} to {second[1] + 2:.2f} s is in 0 entries",)

    (reason,) = real.judge(tmp_path / "call", audio / name, [first, second]).merged
    assert re.fullmatch(r"pause of 0.87 s, heard as 0\.\d\d s, within the 1.10 s that an open ending asks for", reason)
    pause, why = real.Span(900, 1900), "a complete ending"
    short = real.Moment(1000, real.TurnState.PAUSING, 950, 480, why, False)
    quiet, heard = (real.Moment(1500, real.TurnState.QUIET, 950, 480, why, audible) for audible in (False, True))
    assert real.why_merged(pause, [short, quiet]) == "pause of 1.00 s, over before the answer's first sound"
    assert real.why_merged(pause, [short, heard]) is None
    assert real.why_merged(pause, [short]) is None
    assert real.why_merged(pause, [quiet]) is None

    said = [real.CallerSaid(0, 900, "a"), real.CallerSaid(1500, 2000, "b")]
    assert real.owners(real.Span(500, 1800), said) == (0, 1)
    assert real.owners(real.Span(850, 1490), said) == ()

    recording = tmp_path / "call" / "recording.wav"
    stereo, rate = soundfile.read(recording, dtype="int16")
    assert real.placed(recording, audio / name) is not None
    for place in (int(stereo[:, 0].nonzero()[0][100]), len(stereo) - 1):
        changed = stereo.copy()
        changed[place, 0] += 8
        soundfile.write(tmp_path / "changed.wav", changed, rate, subtype="PCM_16")
        assert real.placed(tmp_path / "changed.wav", audio / name) is None
