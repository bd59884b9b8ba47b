"""Who is speaking? One answer for all calls of a process, every 32 ms.

Calls feed mu-law bytes as they come; a run takes up to two windows of every call that has any waiting and puts them
through Silero together. A call's scores depend on its audio alone: not on how it was cut into pieces, when the runs
came, or who else was in them.

A run has three parts, so that above some 16 calls the middle one can go to a worker thread:

    batch = voices.gather()                      # in the event loop; None if no call has a window waiting
    scores = voices.infer(batch)                 # anywhere
    heard = voices.scatter(batch, scores)        # in the event loop

One batch at a time. Meanwhile calls may join, leave and feed as they like.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from client_caller.audio import g711
from client_caller.audio.drift import Drift
from client_caller.audio.silero import CONTEXT, STATE, WINDOW, Floats, Silero

BACKLOG = 32 * WINDOW
"""Samples of one call that may wait: about 1 s. Beyond it the oldest are dropped, and counted."""
WINDOWS_PER_RUN = 2
"""Windows of one call taken in a run. Two, so that a late run catches up and no call waits on another's backlog."""

Scores = list[list[tuple[float, float]]]
"""What was made of a batch: for each round, the probability of speech and the level of each voice's window."""

_INAUDIBLE = 1e-10
"""Mean square that is added to each window's: digital silence has a level of -100 dBFS, not of minus infinity."""


class Voice:
    """One call's audio on its way to the model. Made by `VoiceBatch.join`."""

    __slots__ = ("_audio", "_batch", "_drift", "_through")

    def __init__(self, batch: "VoiceBatch") -> None:
        self._batch = batch
        self._drift = Drift()
        # The context of the next window, then what was fed since.
        self._audio = bytearray(g711.SILENCE * CONTEXT)
        self._through = 0

    def feed(self, mulaw: bytes) -> None:
        """Take the call's next audio, any amount. Has no effect after `leave`."""
        if self not in self._batch._slots:
            return
        self._audio += mulaw
        excess = len(self._audio) - CONTEXT - BACKLOG
        if excess > 0:
            # In whole windows, so that a drop does not shift where later windows lie.
            lost = -(-excess // WINDOW) * WINDOW
            self._skip(lost)
            self._batch.dropped += lost

    def leave(self) -> None:
        """The call is over: nothing more is heard of it, not even from a batch under way. May be called twice."""
        self._batch._remove(self)

    def _windows(self) -> int:
        return (len(self._audio) - CONTEXT) // WINDOW

    def _take(self) -> bytearray:
        row = self._audio[: CONTEXT + WINDOW]
        self._skip(WINDOW)
        return row

    def _skip(self, samples: int) -> None:
        del self._audio[:samples]
        self._through += samples


class Heard(NamedTuple):
    """What one window holds."""

    voice: Voice
    samples_through: int
    """Where the window ends, in samples at 8 kHz that the call has fed since it joined, dropped ones included."""
    probability: float
    """Of speech, 0 to 1, as the model judges."""
    level: float
    """Root mean square, dBFS: 0 is a square wave at full scale, -100 digital silence."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Work for the model, taken out of the calls."""

    voices: list[Voice]
    """Those with the most windows first: each round concerns the first so many of them."""
    drifts: list[Drift]
    """Theirs, lent to whoever works on the batch."""
    ends: list[list[int]]
    """For each round, where each voice's window ends (`Heard.samples_through`)."""
    rounds: list[Floats]
    """For each round, one window of each voice that has one: (B, CONTEXT + WINDOW)."""
    state: Floats
    """Before the batch, and once it has been worked on after it: (2, len(voices), STATE)."""


class VoiceBatch:
    """All calls' voices and their recurrent states.

    A run costs, everything included, about 78 us of CPU per window with one call, 26 with 8, 21 with 32 and 20 with
    128: 2.5 to 0.6 ms per call-second (experiments/vad_batch.py, on one shared EPYC core; onnxruntime 1.31).
    """

    def __init__(self, model_path: Path) -> None:
        """Load the model: once per process. Room for calls is made as they come, and used again as they go."""
        self.dropped = 0
        """Samples dropped unheard, over all calls, because too many were waiting."""
        self._silero = Silero(model_path)
        self._slots: dict[Voice, int] = {}
        """Each voice's place in `_state`."""
        self._free: list[int] = []
        self._state = np.zeros((2, 0, STATE), np.float32)
        self._latest: Batch | None = None

    def __len__(self) -> int:
        """How many voices there are."""
        return len(self._slots)

    def join(self) -> Voice:
        """A new call, from its first sample."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._state[:, slot] = 0
        voice = Voice(self)
        self._slots[voice] = slot
        return voice

    def run(self) -> list[Heard]:
        """Judge what is waiting, up to two windows of each call; each call's windows come in order."""
        batch = self.gather()
        return [] if batch is None else self.scatter(batch, self.infer(batch))

    def gather(self) -> Batch | None:
        """Take the next windows of every call that has any; None if none has."""
        counts = {voice: min(waiting, WINDOWS_PER_RUN) for voice in self._slots if (waiting := voice._windows())}
        if not counts:
            return None
        voices = sorted(counts, key=counts.__getitem__, reverse=True)
        ends, rounds = [], []
        for number in range(counts[voices[0]]):
            present = [voice for voice in voices if counts[voice] > number]
            audio = b"".join([voice._take() for voice in present])
            rounds.append(g711.decode_float(audio).reshape(len(present), CONTEXT + WINDOW))
            ends.append([voice._through for voice in present])
        state = np.take(self._state, [self._slots[voice] for voice in voices], axis=1)
        self._latest = Batch(voices, [voice._drift for voice in voices], ends, rounds, state)
        return self._latest

    def infer(self, batch: Batch) -> Scores:
        """Run the model on a batch, once. Safe in any thread: of this object it uses only the loaded model."""
        scores = []
        for windows in batch.rounds:
            state = batch.state[:, : len(windows)]
            probabilities, state[:] = self._silero.run(windows, np.ascontiguousarray(state))
            scores.append(list(zip(probabilities.tolist(), _levels(windows).tolist(), strict=True)))
            for row, (probability, _) in enumerate(scores[-1]):
                if batch.drifts[row].due(probability):
                    state[:, row] = 0
        return scores

    def scatter(self, batch: Batch, scores: Scores) -> list[Heard]:
        """Take in the scores of the batch gathered last, and give them out; not those of calls that have left."""
        if batch is not self._latest:
            raise ValueError("scatter() takes the batch of the last gather(), once")
        self._latest = None
        rows = [row for row, voice in enumerate(batch.voices) if voice in self._slots]
        self._state[:, [self._slots[batch.voices[row]] for row in rows]] = batch.state[:, rows]
        return [
            Heard(voice, end, probability, level)
            for ends, round_scores in zip(batch.ends, scores, strict=True)
            for voice, end, (probability, level) in zip(batch.voices, ends, round_scores, strict=False)
            if voice in self._slots
        ]

    def _remove(self, voice: Voice) -> None:
        slot = self._slots.pop(voice, None)
        if slot is not None:
            self._free.append(slot)

    def _grow(self) -> None:
        size = self._state.shape[1]
        more = max(size, 16)
        self._state = np.concatenate([self._state, np.zeros((2, more, STATE), np.float32)], axis=1)
        self._free.extend(range(size + more - 1, size - 1, -1))


def _levels(windows: Floats) -> Floats:
    """Of the new samples of each window; (B, CONTEXT + WINDOW) to (B,)."""
    fresh = windows[:, CONTEXT:]
    levels: Floats = 10 * np.log10(np.einsum("ij,ij->i", fresh, fresh) / WINDOW + _INAUDIBLE)
    return levels
