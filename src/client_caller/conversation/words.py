"""The words of a text: what remains of it without case, punctuation and spacing."""

import re
from collections.abc import Mapping
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> tuple[str, ...]:
    """The words of a transcript, without case and punctuation."""
    return tuple(word.casefold().replace("’", "'") for word in _WORD.findall(text))


@lru_cache(maxsize=1024)
def phrase_words(phrase: str) -> tuple[str, ...]:
    """The words of one of `Phrases`, which are asked about in every window of speech: a caller's are kept nowhere."""
    return words(phrase)


def same_words(one: str, other: str) -> bool:
    """Whether two transcripts differ in nothing but case, punctuation and spacing."""
    return one == other or words(one) == words(other)


def is_one_of(spoken: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    """Whether the words are one of these phrases, and nothing else."""
    return spoken in _by_length(phrases).get(len(spoken), frozenset())


def ends_in(spoken: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    """Whether the last words are one of these phrases. One without words ends nothing."""
    known = _by_length(phrases)
    return any(spoken[-length:] in known[length] for length in known if length <= len(spoken))


def made_of(spoken: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    """Whether the words are these phrases, one after the other, and nothing else; the longest that fits comes first."""
    known = _by_length(phrases)
    while spoken:
        length = next((length for length in known if spoken[:length] in known[length]), None)
        if length is None:
            return False
        spoken = spoken[length:]
    return True


@lru_cache(maxsize=64)
def _by_length(phrases: tuple[str, ...]) -> Mapping[int, frozenset[tuple[str, ...]]]:
    """The phrases by their number of words, the longest first; those without words are left out."""
    found = {phrase_words(phrase) for phrase in phrases} - {()}
    lengths = sorted({len(phrase) for phrase in found}, reverse=True)
    return {length: frozenset(phrase for phrase in found if len(phrase) == length) for length in lengths}
