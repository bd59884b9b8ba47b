"""What a session of one call is asked for, and what it tells."""

from dataclasses import dataclass

from client_caller.models.hearing.words import Word


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a call wants to have recognised."""

    language: str | None = None
    """Two letters; None: whichever is spoken, also if it changes."""
    prompt: str = ""
    """What is likely to be said."""


@dataclass(frozen=True, slots=True)
class Guess:
    """Some more words that are certain, and those behind them that are not; each with a space before it."""

    delta: str
    unstable: str


@dataclass(frozen=True, slots=True)
class Final:
    """All words since the last `Final`."""

    words: tuple[Word, ...]
    """With times in seconds from the start of the call's audio."""
    language: str

    @property
    def confidence(self) -> float | None:
        """0 to 1; None without words."""
        known = [word.confidence for word in self.words if word.confidence is not None]
        return sum(known) / len(known) if known else None
