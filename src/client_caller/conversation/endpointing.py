"""When has the caller finished?

Silence alone can't tell: people pause inside sentences for up to a second, and between turns for a fifth of one. So the
silence that ends a turn depends on whether the words so far sound complete.
"""

import re

from client_caller.conversation.policy import Phrases, Policy

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> tuple[str, ...]:
    """The words of a transcript, without case and punctuation."""
    return tuple(word.casefold().replace("’", "'") for word in _WORD.findall(text))


def same_words(one: str, other: str) -> bool:
    """Whether two transcripts differ in nothing but case, punctuation and spacing."""
    return words(one) == words(other)


def sounds_open(text: str, phrases: Phrases) -> bool:
    """Whether the words ask for more: a comma, a hanging hyphen, or a last word such as "my" or "and"."""
    if text.rstrip().endswith((",", "-", "–", "—", "...", "…")):
        return True
    spoken = words(text)
    return bool(spoken) and spoken[-1] in phrases.open_endings


def silence_needed(text: str, policy: Policy, phrases: Phrases) -> int:
    """The silence in milliseconds after which a turn with these words is over."""
    return policy.endpoint_open if sounds_open(text, phrases) else policy.endpoint_closed


def is_farewell(text: str, phrases: Phrases) -> bool:
    """Whether a turn ends with a goodbye."""
    spoken = words(text)
    return any(
        len(farewell) <= len(spoken) and spoken[-len(farewell) :] == farewell
        for farewell in map(words, phrases.farewells)
        if farewell
    )
