"""The laws of clearing a voice's state."""

import pytest

from client_caller.audio.drift import DUE, MURMURS, QUIET, Drift


def resets(scores: list[float]) -> list[int]:
    """The windows, counted from 1, after which the state is cleared."""
    drift = Drift()
    return [number for number, score in enumerate(scores, 1) if drift.due(score)]


def test_silence_is_cleared_every_two_seconds() -> None:
    """In lasting silence the state is cleared each `DUE` windows."""
    assert resets([0.01] * (3 * DUE + 5)) == [DUE, 2 * DUE, 3 * DUE]


def test_speech_is_never_interrupted() -> None:
    """However long it goes on, speech is not cleared into; the silence after it is, once it is clear."""
    assert resets([0.9] * 500) == []
    assert resets([0.9] * 500 + [0.01] * DUE) == [500 + QUIET]


@pytest.mark.parametrize("gap", range(1, QUIET))
def test_a_short_pause_is_not_silence(gap: int) -> None:
    """Fewer than `QUIET` silent windows between words clear nothing."""
    assert resets(([0.9] * 10 + [0.01] * gap) * 50) == []


def test_background_talk_is_left_alone() -> None:
    """While enough of the last two seconds was undecided nothing is cleared, and then it is."""
    undecided = [0.3] * MURMURS
    assert resets([0.01] * (DUE - QUIET - MURMURS) + undecided + [0.01] * QUIET) == []
    fewer = [0.3] * (MURMURS - 1)
    assert resets([0.01] * (DUE - QUIET - MURMURS + 1) + fewer + [0.01] * QUIET) == [DUE]
    # The first of the undecided windows leaves the last two seconds with the DUE-th window after it.
    assert resets([*undecided, *[0.01] * (2 * DUE)])[0] == DUE + 1
