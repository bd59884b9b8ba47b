"""What a recogniser needs to hear of a call: speech, and a little of what lies around it.

A decoder that is fed silence spends CPU on it and finds words in it. This gate goes by level alone: too simple to
decide about turns (Silero does that), good enough to leave out what is certainly nothing.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.float32]

AROUND = 15
"""Frames let through before and after what is loud: 300 ms, more than any closure or soft consonant inside a word."""
LOUD = -50.0
"""dBFS below which nothing is loud, however quiet the line: 10 dB above the noise of mu-law itself."""
_ABOVE_NOISE = 10.0
"""dB that speech is louder than the noise of its line."""
_LOUDEST_NOISE = -35.0
"""dBFS: louder noise is taken for speech, for else a loud caller's own voice could shut the gate."""
_RISE = 0.06
"""dB that the estimate of the noise rises with each 20 ms frame, 3 dB a second; it falls at once."""


class SpeechGate:
    """Takes one frame of 20 ms after the other and gives those to decode."""

    def __init__(self) -> None:
        self._held: deque[Frame] = deque(maxlen=AROUND)
        self._noise = LOUD - _ABOVE_NOISE  # a line is quiet until proven noisy: better noise decoded than speech lost
        self._quiet = AROUND

    @property
    def open(self) -> bool:
        """Whether something loud is less than `AROUND` frames ago."""
        return self._quiet < AROUND

    def feed(self, frame: Frame) -> list[Frame]:
        """The frames that are to be decoded now: none, this one, or those held back and this one."""
        level = 10 * float(np.log10(np.mean(np.square(frame)) + 1e-10))
        self._noise = min(level, self._noise + _RISE, _LOUDEST_NOISE)
        if level > max(LOUD, self._noise + _ABOVE_NOISE):
            self._quiet = 0
            frames = [*self._held, frame]
            self._held.clear()
            return frames
        if self.open:
            self._quiet += 1
            return [frame]
        self._held.append(frame)
        return []
