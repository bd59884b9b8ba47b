"""From a stream of tokens to clauses: what is sent to text to speech at once."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a clause: what a mark stands behind."""

    start: int
    end: int
    """Character offsets into the clause's text."""


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a clause: its runs of anything but white space."""
    return tuple(Word(found.start(), found.end()) for found in _WORD.finditer(text))
