"""A recording as a drawing."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_READ = 60
"""Seconds read at a time: constant memory, however long the call."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """The lowest and highest sample of each column, both channels; shape (columns, 2: caller and agent)."""

    milliseconds: int
    lowest: npt.NDArray[np.int16]
    highest: npt.NDArray[np.int16]

    def outline(self, channel: int, width: float, height: float) -> str:
        """An SVG path around one channel, `width` by `height` with silence in the middle; full scale fills it.

        Full scale is the loudest sample of the call, so that a quiet line is as legible as a loud one.
        """
        loudest = max(1, -int(self.lowest.min(initial=0)), int(self.highest.max(initial=0)))
        step = width / max(1, len(self.lowest))
        middle = height / 2
        above = [f"{i * step:.1f} {middle - v / loudest * middle:.1f}" for i, v in enumerate(self.highest[:, channel])]
        below = [f"{i * step:.1f} {middle - v / loudest * middle:.1f}" for i, v in enumerate(self.lowest[:, channel])]
        return f"M{'L'.join(above + below[::-1])}Z" if above else ""


def waveform(recording: Path, column: int) -> Waveform:
    """The drawing of a stereo recording, `column` milliseconds to a column. Raises `OSError` and `wave.Error`."""
    lowest: list[npt.NDArray[np.int16]] = []
    highest: list[npt.NDArray[np.int16]] = []
    with wave.open(str(recording)) as file:
        samples = file.getframerate() * column // 1000
        while block := file.readframes(samples * (_READ * 1000 // column)):
            frames = np.frombuffer(block, dtype="<i2").reshape(-1, 2)
            starts = np.arange(0, len(frames), samples)
            lowest.append(np.minimum.reduceat(frames, starts))
            highest.append(np.maximum.reduceat(frames, starts))
        length = file.getnframes() * 1000 // file.getframerate()
    empty = np.zeros((0, 2), dtype=np.int16)
    return Waveform(length, np.concatenate([empty, *lowest]), np.concatenate([empty, *highest]))
