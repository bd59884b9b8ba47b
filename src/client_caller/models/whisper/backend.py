"""What a recogniser is asked and what it answers: many windows of audio of different calls at once.

Whisper behind faster-whisper is one (`faster`); whatever can hear a window of samples can be another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from client_caller.models.hearing.recogniser import Floats
from client_caller.models.hearing.words import Word


@dataclass(frozen=True, slots=True)
class Window:
    """Some audio of one call, from which words are wanted."""

    samples: Floats
    """(n,) at 16 kHz, between -1 and 1; not longer than the recogniser hears at once."""
    language: str | None = None
    """Two letters; None: whichever it is."""
    detect: bool = False
    """Find the language out, and keep `language` only where that is not sure."""
    prompt: str = ""
    """What is likely to be said: names, products."""
    final: bool = False
    """Words with times and confidence, as well as can be; else quickly."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of a window."""

    words: tuple[Word, ...]
    """With times from the start of the window where it was `final`."""
    language: str
    no_speech: float
    """Probability that nobody speaks."""
    mean_logprob: float
    """Of a token: 0 is certain."""


class Backend(Protocol):
    """Used by one thread at a time."""

    @property
    def seconds(self) -> float:
        """The longest window it hears at once."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Those it can be asked for, two letters each."""
        ...

    def transcribe(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """One hypothesis for each window, the same as if it had been asked alone. Blocks."""
        ...
