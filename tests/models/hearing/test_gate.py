"""The laws of telling speech from what is none, and of keeping its audio."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from client_caller.audio.silero import WINDOW
from client_caller.models.hearing.gate import ONSET, SILENCE, SPEECH, Gate, Tape

probabilities = st.lists(st.sampled_from((0.0, (SILENCE + SPEECH) / 2, 1.0)), max_size=60)


def test_a_click_is_no_speech() -> None:
    """One window alone says nothing; the second tells of both."""
    gate = Gate()
    assert [gate.hear(p) for p in (1.0, 0.0, 1.0, 1.0, 1.0)] == [0, 0, 0, ONSET * WINDOW, WINDOW]


def test_what_is_in_between_changes_nothing() -> None:
    """A probability between the two thresholds begins no speech, and ends none."""
    gate, between = Gate(), (SILENCE + SPEECH) / 2
    assert [gate.hear(between) for _ in range(9)] == [0] * 9
    gate.hear(1.0)
    gate.hear(1.0)
    assert [gate.hear(between) for _ in range(9)] == [WINDOW] * 9
    assert gate.hear(0.0) == 0
    assert not gate.speaking


@given(probabilities)
def test_no_window_of_speech_is_counted_twice(course: list[float]) -> None:
    """However speech comes and goes, what is told of it is no longer than the audio."""
    gate = Gate()
    told = 0
    for count, probability in enumerate(course, 1):
        new = gate.hear(probability)
        assert bool(new) == gate.speaking
        told += new
        assert told <= count * WINDOW


@given(st.sampled_from((8000, 16_000)), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 200)), max_size=20))
def test_a_tape_keeps_what_is_not_forgotten(rate: int, course: list[tuple[int, int]]) -> None:
    """Positions stay where they are, however much before them was forgotten; nothing is remembered again."""
    tape, fed, times = Tape(rate), 0, rate // 8000
    for more, forgotten in course:
        tape.feed(np.arange(fed * times, (fed + more) * times).astype(np.float32))
        fed += more
        before = tape.begin
        tape.forget(min(forgotten, fed))
        assert tape.begin == max(before, min(forgotten, fed))
        assert np.array_equal(tape.part(tape.begin, fed), np.arange(tape.begin * times, fed * times))
        assert tape.seconds == (fed - tape.begin) / 8000
