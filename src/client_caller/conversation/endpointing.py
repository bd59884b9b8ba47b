"""When has the caller finished?

Silence alone can't tell: people pause inside sentences for up to a second, and between turns for a fifth of one. So the
silence that ends a turn depends on what is known of it: whether its words sound complete, and what it answers.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from client_caller.conversation.policy import Phrases, Policy

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?]*[.!?]*\s*$")
KEY = "[pressed {}]"
"""How a key stands among the caller's words."""
_DICTATED = 2
"""Digits in a row, at the end of the words, from which on a caller dictates."""


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a turn when the caller pauses."""

    text: str
    """The words so far."""
    asked: str = ""
    """What the agent had said before, as far as it was heard."""
    completion: float | None = None
    """How finished the caller's voice sounds to the turn model, 0 to 1; None if it has not answered."""


def silence_needed(evidence: Evidence, policy: Policy, phrases: Phrases) -> int:
    """The silence in milliseconds after which a turn is over. The first that applies, of these:

    Words that ask for more are waited for, whatever the voice does: in the middle of a number it says nothing. A "yes"
    to a question for yes or no is all that was asked for, whatever the voice does. Then the voice decides, where it is
    sure; its "unfinished" is worth more than its "finished" (experiments/turn_model.py).
    """
    if promises_more(evidence.text, phrases):
        return policy.endpoint_open
    if asks_yes_or_no(evidence.asked, phrases) and _is_one_of(words(evidence.text), phrases.yes_and_no):
        return policy.endpoint_sure
    if evidence.completion is None:
        return policy.endpoint_closed
    if evidence.completion < policy.sounds_unfinished:
        return policy.endpoint_open
    return policy.endpoint_finished if evidence.completion >= policy.sounds_finished else policy.endpoint_closed


def promises_more(text: str, phrases: Phrases) -> bool:
    """Whether these are hardly the caller's last words."""
    return sounds_open(text, phrases) or dictates(text, phrases)


def sounds_open(text: str, phrases: Phrases) -> bool:
    """Whether the words ask for more: a comma, a hanging hyphen, or a last word such as "my" or "and"."""
    if text.rstrip().endswith((",", "-", "–", "—", "...", "…")):
        return True
    spoken = words(text)
    return bool(spoken) and spoken[-1] in phrases.open_endings


def dictates(text: str, phrases: Phrases) -> bool:
    """Whether the words end in single digits, one after the other, or in a key: more of the number may come."""
    last = words(text)[-_DICTATED:]
    if ends_in_key(text):
        return True
    digits = [word for word in last if word in phrases.digits or (word.isdigit() and len(word) == 1)]
    return len(digits) == _DICTATED


def ends_in_key(text: str) -> bool:
    """Whether the last thing that the caller did was to press a key."""
    return text.endswith(KEY[-1])


def asks_yes_or_no(said: str, phrases: Phrases) -> bool:
    """Whether the last sentence is a question for yes or no."""
    if not said.rstrip().endswith("?"):
        return False
    sentence = _SENTENCE.search(said.rstrip())
    asked = words(sentence.group()) if sentence is not None else ()
    return bool(asked) and asked[0] in phrases.yes_no_questions


def is_farewell(text: str, phrases: Phrases) -> bool:
    """Whether a turn ends with a goodbye."""
    spoken = words(text)
    return any(
        len(farewell) <= len(spoken) and spoken[-len(farewell) :] == farewell
        for farewell in map(phrase_words, phrases.farewells)
        if farewell
    )


def _is_one_of(spoken: tuple[str, ...], phrases: tuple[str, ...]) -> bool:
    return any(phrase_words(phrase) == spoken for phrase in phrases)
