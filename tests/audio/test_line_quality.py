"""The laws of judging a line, on recordings through G.711."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from client_caller.audio import g711
from client_caller.audio.line_quality import LineJudge
from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.conversation.events import LineQuality
from client_caller.conversation.policy import Policy

POLICY = Policy()
Samples = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def batch(silero_path: Path) -> VoiceBatch:
    return VoiceBatch(silero_path)


@pytest.fixture(scope="module")
def speech(shared_audio: Callable[[str], bytes]) -> Samples:
    """27 s of somebody who reads, at about -26 dBFS."""
    return g711.decode_float(shared_audio("long/l02_sense_and_sensibility.flac")).astype(np.float64)


@pytest.fixture(scope="module")
def engine(shared_audio: Callable[[str], bytes], speech: Samples) -> Samples:
    """As long, and as loud."""
    noise = np.resize(g711.decode_float(shared_audio("noise/n08_engine.flac")).astype(np.float64), len(speech))
    return noise * float(np.sqrt(np.mean(speech**2) / np.mean(noise**2)))


def judged(batch: VoiceBatch, line: Samples) -> list[LineQuality]:
    """What is said of a line from its beginning to its end."""
    judge, voice, found = LineJudge(POLICY), batch.join(), []
    mulaw = g711.encode_float(line.astype(np.float32))
    for start in range(0, len(mulaw), WINDOW):
        piece = mulaw[start : start + WINDOW]
        voice.feed(piece)
        judge.hear(piece)
        for heard in batch.run():
            news = judge.judge(heard.probability, heard.level, (start + WINDOW) // 8)
            found += [news] if news is not None else []
    voice.leave()
    return found


def test_nothing_is_said_of_a_good_line(batch: VoiceBatch, speech: Samples, engine: Samples) -> None:
    """A quiet one, one with noise 10 dB below the voice, and one on which everything is 15 dB softer."""
    for line in (speech, speech + engine * 10 ** (-10 / 20), speech * 10 ** (-15 / 20)):
        assert judged(batch, line) == []


@pytest.mark.parametrize("snr", [0, 2])
def test_noise_makes_a_line_bad(batch: VoiceBatch, speech: Samples, engine: Samples, snr: int) -> None:
    """Once there was enough to judge by; the figures are those of the mix."""
    first = judged(batch, speech + engine * 10 ** (-snr / 20))[0]
    assert first.bad
    assert 3000 <= first.at < 15_000
    assert first.speech - first.noise == pytest.approx(snr, abs=2.5)
    assert first.clipped == 0


def test_a_voice_that_is_hardly_there_makes_a_line_bad(batch: VoiceBatch, speech: Samples) -> None:
    """30 dB softer than people speak into a telephone."""
    news = judged(batch, speech * 10 ** (-30 / 20))
    assert [one.bad for one in news][:1] == [True]
    assert news[0].speech < POLICY.line_level


def test_a_voice_beyond_what_the_line_carries_makes_it_bad(batch: VoiceBatch, speech: Samples) -> None:
    """30 dB too loud: a third of its samples are cut off."""
    news = judged(batch, speech * 10 ** (30 / 20))
    assert [one.bad for one in news] == [True]
    assert news[0].clipped > 0.2


def test_a_line_may_turn_bad_and_good_again(batch: VoiceBatch, speech: Samples, engine: Samples) -> None:
    """Each is told once, and never within five seconds of what was told before."""
    noisy = speech + engine
    news = judged(batch, np.concatenate([speech, noisy, speech]))
    assert [one.bad for one in news] == [True, False]
    assert len(speech) < news[0].at * 8 < 2 * len(speech) < news[1].at * 8
    assert news[1].at - news[0].at >= 5000


def test_a_word_proves_nothing() -> None:
    """Neither speech nor silence alone says how far one is above the other."""
    judge = LineJudge(POLICY)
    assert [judge.judge(0.9, -60, at) for at in range(0, 10_000, 32)] == [None] * 313
    silent = LineJudge(POLICY)
    assert [silent.judge(0.01, -20, at) for at in range(0, 10_000, 32)] == [None] * 313
