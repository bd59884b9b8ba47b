"""Interruption, backchannel or noise? Asked while the agent is audible and the caller makes a sound."""

from enum import Enum

from client_caller.conversation.completeness import ends_in_key
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import made_of, phrase_words, words


class Claim(Enum):
    """What a sound of the caller's asks of the agent."""

    NOTHING = "nothing"
    PAUSE = "pause"
    """It may be an interruption; more evidence will come."""
    FLOOR = "floor"


def claim(text: str, utterance: int, *, understood: bool, policy: Policy, phrases: Phrases) -> Claim:
    """What an utterance asks for, as far as can be told now.

    `text`: its words, as far as they are known; `utterance`: how long it has gone on, in milliseconds; `understood`: it
    is over, and no more words will come. Words decide: "stop" or a key takes the floor at once, two words that a mere
    listener would not say take it soon; what a listener says takes it only when it goes on and on. A single word may be
    a listener's misheard, so there, as without words, the length asks for a pause, and what is left at the end decides.
    """
    spoken = words(text)
    if is_hard_stop(spoken, phrases) or ends_in_key(text):
        return Claim.FLOOR
    if understood and not spoken:
        return Claim.NOTHING
    if utterance >= policy.backchannel:
        return Claim.FLOOR
    if spoken and made_of(spoken, phrases.backchannels):
        return Claim.NOTHING
    if len(spoken) > 1 and utterance >= policy.barge_in_with_words:
        return Claim.FLOOR
    if utterance < policy.barge_in:
        return Claim.NOTHING
    return Claim.FLOOR if understood else Claim.PAUSE


def is_hard_stop(spoken: tuple[str, ...], phrases: Phrases) -> bool:
    """Whether the words hold one of those that stop the agent, wherever it stands among them."""
    stops = [stop for phrase in phrases.hard_stops if (stop := phrase_words(phrase))]
    return any(spoken[place : place + len(stop)] == stop for stop in stops for place in range(len(spoken)))


def patience_with(*, understood: bool, policy: Policy) -> int:
    """The silence in milliseconds after which a short utterance turns out to have been a mere backchannel.

    Not before `Policy.answer_overlap`: if the agent ends within that time, the utterance is its answer. And not before
    its words are known (`understood`), or have been waited for long enough.
    """
    return policy.answer_overlap if understood else max(policy.answer_overlap, policy.transcript_patience)
