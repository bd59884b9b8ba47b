"""Whether somebody speaks, and the audio to which the answer belongs."""

import numpy as np

from client_caller.audio.silero import WINDOW
from client_caller.conversation.policy import Policy
from client_caller.models.hearing.recogniser import CLOCK, Floats

SPEECH, SILENCE = Policy().speech_threshold, Policy().silence_threshold
"""Probabilities from which and down to which somebody speaks: a conversation and its ears must agree on that."""
ONSET = 2
"""Windows of 32 ms that make speech: one alone is a click."""
BEFORE = CLOCK // 5
"""Models hear from 200 ms before the speech: a soft consonant is no speech to the detector."""
LEAD = ONSET * WINDOW + BEFORE
"""Audio of silence that has to be kept, in case somebody is about to speak."""
LONG_PAUSE = CLOCK // 2
"""Silence that ends what a model hears: it would make words of much more, or work for nothing."""


class Gate:
    """From probabilities to speech, window by window."""

    def __init__(self) -> None:
        self.speaking = False
        self._onset = 0

    def hear(self, probability: float) -> int:
        """Judge the next window. Returns the samples at its end in which somebody speaks, as is known by it."""
        if probability < (SILENCE if self.speaking else SPEECH):
            self.speaking, self._onset = False, 0
            return 0
        if self.speaking:
            return WINDOW
        self._onset += 1
        self.speaking = self._onset == ONSET
        return ONSET * WINDOW if self.speaking else 0


class Tape:
    """A call's audio that is not done with. Positions are samples at 8 kHz from the start of the call."""

    def __init__(self, rate: int) -> None:
        """`rate`: samples a second of what is fed, 8,000 or 16,000."""
        self._rate = rate
        self._audio = bytearray()
        """Samples of four bytes each."""
        self.begin = 0
        """Position of the first sample that is kept."""

    @property
    def seconds(self) -> float:
        return len(self._audio) / 4 / self._rate

    def feed(self, samples: Floats) -> None:
        self._audio += samples.astype(np.float32).tobytes()

    def part(self, begin: int, end: int) -> Floats:
        """A copy of what lies between two positions, (n,) at the rate of what was fed."""
        return np.frombuffer(bytes(self._audio[self._index(begin) : self._index(end)]), np.float32)

    def forget(self, position: int) -> None:
        """Audio before this position is done with."""
        if position > self.begin:
            del self._audio[: self._index(position)]
            self.begin = position

    def _index(self, position: int) -> int:
        return (position - self.begin) * (self._rate // CLOCK) * 4
