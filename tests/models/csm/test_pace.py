"""Whether one more call would be too many."""

import pytest

from client_caller.models.csm.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_slowest_steps_decide() -> None:
    """One slow step in a hundred is an accident, one in ten is not."""
    pace = Pace(0.040, Clock())
    for number in range(100):
        pace.note(0.500 if number == 50 else 0.010, calls=2)
    assert not pace.slow
    for number in range(100):
        pace.note(0.500 if number % 10 == 0 else 0.010, calls=2)
    assert pace.slow
    assert (pace.steps, pace.frames) == (200, 400)
    assert pace.seconds == pytest.approx(11 * 0.5 + 189 * 0.01)


def test_an_idle_engine_is_not_slow() -> None:
    """What was measured long ago keeps nobody out, and a few steps say nothing."""
    clock = Clock()
    pace = Pace(0.040, clock)
    for _ in range(19):
        pace.note(0.5, calls=1)
    assert not pace.slow
    pace.note(0.5, calls=1)
    assert pace.slow
    clock.now += 11
    assert not pace.slow
    assert pace.step_time == 0.0
