"""Which of some phrases did the caller mean? By the words they share.

Speech to text on a phone line gets words wrong, leaves some out and adds others; word order and endings are the last
things to rely on. More than half of a phrase's words have to be there.
"""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")

Score = tuple[float, int]
NO_FIT: Score = (0.0, 0)


def words(text: str) -> tuple[str, ...]:
    """The words of a text in order, without case or punctuation: "Yes, I'm four." is `yes`, `i'm`, `four`."""
    return tuple(_WORD.findall(text.lower().replace("’", "'")))


def score(phrases: Iterable[str], heard: str) -> Score:
    """How well the best of some phrases fits what was heard; `NO_FIT` when none does.

    The share of the phrase's words that were heard, above one half, and how many these are. The greater pair fits
    better: between two phrases that were heard whole, the longer one.
    """
    present = frozenset(words(heard))
    return max((_score(frozenset(words(phrase)), present) for phrase in phrases), default=NO_FIT)


def _score(phrase: frozenset[str], present: frozenset[str]) -> Score:
    shared = len(phrase & present)
    return (shared / len(phrase), shared) if 2 * shared > len(phrase) else NO_FIT
