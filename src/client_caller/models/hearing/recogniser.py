"""The seam between the server and a model: one recogniser for all calls, one listener for each."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.events import Final, Guess, Wishes

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Samples a second of what models hear."""
CLOCK = 8000
"""Positions a second: where in a call's audio something is, whatever its rate."""

Tell = Callable[[Guess | Final | BaseException], None]
"""Is told what a call's audio has become, or what the model raised: then the call is of no more use."""


class Listener(Protocol):
    """One call: from its audio, and from where in it somebody speaks, to guesses and final words.

    No clock and no await. Words that were told as certain are never taken back.
    """

    @property
    def backlog(self) -> float:
        """Seconds of audio that are kept: what is being said, and what came faster than it could be transcribed."""
        ...

    def feed(self, samples: Floats) -> None:
        """Take the next audio, (n,) at the call's rate; `voice` follows for each 32 ms of it."""
        ...

    def voice(self, samples_through: int, probability: float) -> None:
        """How likely it is that somebody speaks in the 32 ms that end at this position."""
        ...

    def finish(self) -> None:
        """Ask for the final words of everything so far: answered by one `Final`."""
        ...

    def close(self) -> None:
        """The call is over: nothing more is told, and what was kept for it is free."""
        ...


class Recogniser(Protocol):
    """A model, and how calls come to it."""

    @property
    def languages(self) -> frozenset[str]:
        """Those it can be asked for, two letters each."""
        ...

    @property
    def batcher(self) -> Batcher[Any, Any]:
        """Through which all listeners' questions go; it runs as long as the server does."""
        ...

    def listen(self, tell: Tell, *, rate: int, wishes: Wishes) -> Listener:
        """A listener for one more call. `rate`: samples a second of its audio, 8,000 or 16,000."""
        ...
