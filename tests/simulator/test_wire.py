"""The laws of measuring at the wire: places in the audio that was really heard, and nothing else."""

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.simulator.network import Cleared
from client_caller.simulator.wire import falls_silent, first_clear, first_sound

QUIET = g711.SILENCE


def sound(samples: int) -> bytes:
    return g711.encode(np.tile(np.array([3000, -3000], np.int16), samples // 2))


def test_the_first_sound_is_exact() -> None:
    """To the sample, and only within the stretch asked about; line noise is no sound."""
    hiss = g711.encode(np.tile(np.array([200, -200], np.int16), 500))
    played = QUIET * 1000 + hiss + sound(100) + QUIET * 1000
    assert first_sound(played, 0, len(played)) == 2000
    assert first_sound(played, 2050, len(played)) == 2050
    assert first_sound(played, 0, 2000) is None
    assert first_sound(played, 2100, len(played)) is None


@pytest.mark.parametrize(("gap", "end"), [(2000, 4000), (3000, 1000)])
def test_a_gap_between_words_is_no_silence(gap: int, end: int) -> None:
    """The agent has fallen silent behind its last sound before a pause longer than any between words."""
    played = sound(1000) + QUIET * gap + sound(1000) + QUIET * 8000
    assert falls_silent(played, 500) == end


def test_who_says_nothing_is_silent_at_once() -> None:
    """Silence from the moment asked about takes no time."""
    assert falls_silent(QUIET * 8000, 100) == 100


def test_only_a_clear_of_the_stretch_counts() -> None:
    """An earlier or later clear belongs to something else."""
    clears = [Cleared(at, 0, ()) for at in (100, 500, 900)]
    assert first_clear(clears, 101, 900) == 500
    assert first_clear(clears, 501, 900) is None
