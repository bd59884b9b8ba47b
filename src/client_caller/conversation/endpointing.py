"""When has the caller finished?

Silence alone can't tell: people pause inside sentences for up to a second, and between turns for a fifth of one. So the
silence that ends a turn depends on what is known of it: whether its words sound complete (`completeness.py`), what the
agent had asked (`asked.py`), and how finished the voice sounds.
"""

from dataclasses import dataclass

from client_caller.conversation.asked import Asked, asked_for
from client_caller.conversation.completeness import is_fragment, is_whole_number, promises_more
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import ends_in, is_one_of, made_of, words


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a turn when the caller pauses."""

    text: str
    """The words so far."""
    asked: str = ""
    """What the agent had said before, as far as it was heard."""
    completion: float | None = None
    """How finished the caller's voice sounds to the turn model, 0 to 1; None if it has not answered."""
    voiced: int | None = None
    """How long the caller has spoken in the turn, in milliseconds, without pauses and breath; None: longer than
    matters."""


def silence_needed(evidence: Evidence, policy: Policy, phrases: Phrases) -> int:
    """The silence in milliseconds after which a turn is over. The first that applies, of these:

    Words that ask for more are waited for, whatever the voice does: in the middle of a number it says nothing. A "yes"
    to a question for yes or no is all that was asked for. A few words without a verb are a whole answer if something
    was asked, and hardly ever a whole turn if nothing was. "Okay" or "hello" may be the beginning of anything. Of short
    turns the turn model knows little: several words that answer a question are taken for the answer. Then the voice
    decides, where it is sure; its "unfinished" is worth more than its "finished" (experiments/turn_model.py).
    """
    text, spoken = evidence.text, words(evidence.text)
    asked = asked_for(evidence.asked, phrases)
    if promises_more(text, phrases):
        return policy.endpoint_closed if is_whole_number(text, phrases, policy) else policy.endpoint_open
    if asked is Asked.YES_OR_NO and is_one_of(spoken, phrases.yes_and_no):
        return policy.endpoint_sure
    if asked is Asked.NOTHING and is_fragment(text, phrases):
        return policy.endpoint_open
    if made_of(spoken, (*phrases.backchannels, *phrases.greetings)):
        return policy.endpoint_closed
    short = evidence.voiced is not None and evidence.voiced < policy.short_turn
    if short and len(spoken) > 1:
        return policy.endpoint_closed if asked is Asked.NOTHING else policy.endpoint_sure
    return _by_voice(evidence.completion, asked, policy)


def _by_voice(completion: float | None, asked: Asked, policy: Policy) -> int:
    if completion is None:
        return policy.endpoint_closed
    if completion < policy.sounds_unfinished:
        return policy.endpoint_open
    if asked is Asked.NOTHING:
        return policy.endpoint_likely if completion >= policy.sounds_likely else policy.endpoint_closed
    return policy.endpoint_sure if completion >= policy.sounds_finished else policy.endpoint_answer


def is_farewell(text: str, phrases: Phrases) -> bool:
    """Whether a turn ends with a goodbye."""
    return ends_in(words(text), phrases.farewells)
