"""The laws of the gate before the recogniser."""

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.engines.speech_gate import AROUND, SpeechGate

Frame = npt.NDArray[np.float32]


def sound(decibels: float, number: int = 0) -> Frame:
    """20 ms of noise at this level, dBFS, that tells its number by its first sample."""
    frame = np.random.default_rng(number).standard_normal(g711.FRAME).astype(np.float32)
    frame *= 10 ** (decibels / 20) / np.sqrt(np.mean(frame**2))
    return frame


def passed(gate: SpeechGate, frames: list[Frame]) -> list[Frame]:
    return [given for frame in frames for given in gate.feed(frame)]


def test_silence_does_not_pass() -> None:
    """Digital silence, and the noise of a quiet line, are not decoded."""
    gate = SpeechGate()
    assert passed(gate, [np.zeros(g711.FRAME, np.float32)] * 200) == []
    assert passed(gate, [sound(-60, number) for number in range(200)]) == []
    assert not gate.open


def test_speech_passes_with_what_is_around_it() -> None:
    """In order, each frame once: 300 ms before the first loud frame, and 300 ms after the last."""
    gate = SpeechGate()
    before, speech, after = ([sound(level, n) for n in range(40)] for level in (-70, -25, -70))
    frames = passed(gate, [*before, *speech, *after])
    expected = [*before[-AROUND:], *speech, *after[:AROUND]]
    assert len(frames) == len(expected)
    assert all(got is meant for got, meant in zip(frames, expected, strict=True))
    assert not gate.open


def test_a_short_pause_is_not_cut() -> None:
    """Up to 600 ms between two sounds pass whole; of a longer pause the middle is left out."""
    for pause, kept in ((10, 10), (2 * AROUND, 2 * AROUND), (100, 2 * AROUND)):
        gate = SpeechGate()
        frames = [sound(-25)] + [sound(-70)] * pause + [sound(-25)]
        assert len(passed(gate, frames)) == kept + 2


def test_steady_noise_stops_passing() -> None:
    """Noise that begins in a call is noticed, and after some seconds it is the new silence; speech over it passes."""
    gate = SpeechGate()
    passed(gate, [np.zeros(g711.FRAME, np.float32)] * 50)
    passed(gate, [sound(-40, number) for number in range(1000)])
    assert passed(gate, [sound(-40, number) for number in range(100)]) == []
    assert passed(gate, [sound(-22)])


def test_a_loud_caller_is_never_shut_out() -> None:
    """A voice without any pause passes for as long as it lasts: it is not taken for noise."""
    gate = SpeechGate()
    assert len(passed(gate, [sound(-20, number) for number in range(3000)])) == 3000
