"""The laws of the loaded model."""

from pathlib import Path

import numpy as np
import pytest

from client_caller.audio.silero import CONTEXT, STATE, WINDOW, Silero


def test_each_row_of_a_run_is_a_call_of_its_own(silero_path: Path) -> None:
    """Rows do not touch each other: a batch gives what its rows give one at a time, state included."""
    silero = Silero(silero_path)
    random = np.random.default_rng(1)
    windows = random.normal(0, 0.1, (7, CONTEXT + WINDOW)).astype(np.float32)
    state = random.normal(0, 0.3, (2, 7, STATE)).astype(np.float32)

    together, after = silero.run(windows, state)

    assert together.shape == (7,)
    assert after.shape == state.shape
    assert np.ptp(together) > 1e-4, "rows as different as these do not score alike"
    for row in range(7):
        alone, alone_after = silero.run(windows[row : row + 1], np.ascontiguousarray(state[:, row : row + 1]))
        assert alone[0] == pytest.approx(together[row], abs=1e-5)
        assert np.allclose(alone_after[:, 0], after[:, row], atol=1e-5)


def test_a_run_changes_nothing_it_was_given(silero_path: Path) -> None:
    """The model holds no state and leaves its inputs alone: the same run gives the same result."""
    silero = Silero(silero_path)
    windows = np.random.default_rng(2).normal(0, 0.1, (3, CONTEXT + WINDOW)).astype(np.float32)
    state = np.zeros((2, 3, STATE), np.float32)
    first, first_after = silero.run(windows, state)
    second, second_after = silero.run(windows, state)
    assert np.array_equal(first, second)
    assert np.array_equal(first_after, second_after)
    assert not state.any()
