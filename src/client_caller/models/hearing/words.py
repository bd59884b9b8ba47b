"""What a recogniser says it heard."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One word, written as the recogniser writes it, punctuation included."""

    text: str
    start: float | None = None
    """Seconds from the start of the audio; None where no times were asked for."""
    end: float | None = None
    confidence: float | None = None
    """0 to 1: the mean probability of its tokens."""


def same(one: Word, other: Word) -> bool:
    """Whether two are the same word, but for case and the punctuation around it."""
    return _plain(one.text) == _plain(other.text)


def text_of(words: Sequence[Word]) -> str:
    """The words as a sentence."""
    return " ".join(word.text for word in words)


def _plain(text: str) -> str:
    inner = text.casefold().strip()
    while inner and not inner[0].isalnum():
        inner = inner[1:]
    while inner and not inner[-1].isalnum():
        inner = inner[:-1]
    return inner or text
