"""Audio in the pieces that a cache-aware encoder takes: each of exactly one size, the first one shorter."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats


@dataclass(frozen=True, slots=True)
class Sizes:
    """How audio becomes mel frames, and these the encoder's. The defaults are those of the published weights.

    The first chunk has `1 + subsampling * lookahead` mel frames, all others `subsampling * (lookahead + 1)`
    (transformers 5.23, `NemotronAsrStreamingProcessor`): so the encoder makes `lookahead + 1` frames of each.
    """

    lookahead: int
    """Encoder frames behind one that it hears before it is sure of it: a chunk is that one and these."""
    subsampling: int = 8
    """Mel frames in an encoder frame."""
    hop: int = 160
    """Samples at 16 kHz between mel frames."""
    window: int = 512
    """Samples that a mel frame is made of."""

    @property
    def frame(self) -> float:
        """Seconds of an encoder frame."""
        return self.subsampling * self.hop / SAMPLE_RATE

    def mel_frames(self, *, first: bool) -> int:
        """Mel frames in a chunk."""
        return 1 + self.subsampling * self.lookahead if first else self.subsampling * (self.lookahead + 1)


@dataclass(eq=False, slots=True, weakref_slot=True)
class Stream:
    """What a model remembers of one stretch of a call. Of no concern to anybody but the model, and gone with this."""

    encoder: Any = None
    decoder: Any = None
    frames: int = 0
    """Encoder frames that were made."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next audio of a stream, from which words are wanted."""

    stream: Stream
    samples: Floats
    """(n,) at 16 kHz, as `Cutter` cuts them."""
    final: bool = False
    """The stream ends with it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a word."""

    piece: str
    """As the vocabulary writes it: "▁" where a word begins."""
    frame: int
    """The encoder frame at which it came, counted from the start of the stream."""
    probability: float


class Cutter:
    """One stream's audio, cut. Chunks overlap, since mel frames do: by `window - hop` samples."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._first = True
        # The first mel frame has its middle on the first sample: half of its window lies before the audio.
        self._waiting = np.zeros(sizes.window // 2, np.float32)

    def push(self, samples: Floats) -> list[Floats]:
        """Take the next audio, (n,); returns the chunks that are full."""
        self._waiting = np.concatenate([self._waiting, samples], dtype=np.float32)
        chunks = []
        while len(self._waiting) >= self._needed:
            chunks.append(self._cut())
        return chunks

    def end(self) -> Floats:
        """The last chunk: what was left, and silence to fill it up. The stream is over then."""
        self._waiting = np.pad(self._waiting, (0, self._needed - len(self._waiting)))
        return self._cut()

    @property
    def _needed(self) -> int:
        return self._sizes.hop * (self._sizes.mel_frames(first=self._first) - 1) + self._sizes.window

    def _cut(self) -> Floats:
        chunk = self._waiting[: self._needed]
        self._waiting = self._waiting[self._sizes.hop * self._sizes.mel_frames(first=self._first) :]
        self._first = False
        return chunk
