"""The laws of the drawing of a recording."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from client_caller.calls.waveform import waveform


def wav(path: Path, samples: npt.NDArray[np.int16]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@given(arrays(np.int16, st.tuples(st.integers(0, 500), st.just(2))), st.integers(1, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_each_column_has_its_lowest_and_highest_sample(
    tmp_path: Path, samples: npt.NDArray[np.int16], column: int
) -> None:
    """Column by column, each channel's extremes; the last column may be short."""
    drawn = waveform(wav(tmp_path / "a.wav", samples), column)
    size = 8 * column
    assert drawn.milliseconds == len(samples) // 8
    assert drawn.lowest.shape == drawn.highest.shape == (-(-len(samples) // size), 2)
    for index in range(len(drawn.lowest)):
        part = samples[index * size : (index + 1) * size]
        np.testing.assert_array_equal(drawn.lowest[index], part.min(axis=0))
        np.testing.assert_array_equal(drawn.highest[index], part.max(axis=0))


def test_a_long_recording_is_read_in_parts_without_a_seam(tmp_path: Path) -> None:
    """Two and a half minutes, read a minute at a time: as many columns as there is time, each with its own value."""
    samples = np.repeat(np.arange(1500, dtype=np.int16), 800)[:, None].repeat(2, axis=1)
    drawn = waveform(wav(tmp_path / "a.wav", samples), 100)
    assert drawn.highest[:, 0].tolist() == list(range(1500))


def test_the_outline_fills_its_height_at_the_loudest_sample(tmp_path: Path) -> None:
    """Silence is the middle line; the loudest sample of either channel touches the edge."""
    samples = np.zeros((24, 2), dtype=np.int16)
    samples[8, 0], samples[9, 0], samples[16, 1] = 1000, -500, 250
    drawn = waveform(wav(tmp_path / "a.wav", samples), 1)
    assert drawn.outline(0, 30, 64) == "M0.0 32.0L10.0 0.0L20.0 32.0L20.0 32.0L10.0 48.0L0.0 32.0Z"
    assert drawn.outline(1, 30, 64) == "M0.0 32.0L10.0 32.0L20.0 24.0L20.0 32.0L10.0 32.0L0.0 32.0Z"


def test_nothing_recorded_draws_nothing(tmp_path: Path) -> None:
    """A recording without a sample has an empty outline; what is no recording is an error."""
    assert waveform(wav(tmp_path / "a.wav", np.zeros((0, 2), dtype=np.int16)), 5).outline(0, 100, 64) == ""
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(wave.Error):
        waveform(tmp_path / "b.wav", 5)
