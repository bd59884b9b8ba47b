"""Interruption, backchannel or noise? Asked while the agent is audible and the caller makes a sound."""

from enum import Enum

from client_caller.conversation.completeness import ends_in_key
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import made_of, phrase_words, words


class Claim(Enum):
    """What a sound of the caller's asks of the agent."""

    NOTHING = "nothing"
    EAR = "ear"
    """It has only begun: to be heard beside it is enough."""
    SILENCE = "silence"
    """It may be an interruption; more evidence will come."""
    PATIENCE = "patience"
    """It may have been one, and only its final words can tell: the agent stays as loud, soft or silent as it is."""
    FLOOR = "floor"


class Ending(Enum):
    """How far the end of an utterance is known."""

    SOUNDING = "sounding"
    SILENT = "silent"
    """The sound is over; words may still come."""
    UNDERSTOOD = "understood"
    """Its words are final; after a gap between two words more may follow."""
    OVER = "over"
    """Nothing more of the utterance will come, neither sound nor words."""


def claim(text: str, utterance: int, voice: int, ending: Ending, policy: Policy, phrases: Phrases) -> Claim:
    """What an utterance asks for, as far as can be told now.

    `text`: its words, as far as they are known; `utterance`: how long it has gone on, in milliseconds; `voice`: how
    long the voice in it has. Words decide: "stop" or a key takes the floor at once, two words that a mere listener
    would not say take it soon; what a listener says takes it only when it goes on and on. A single word may be a
    listener's misheard, and a greeting may be the beginning of more, so there what is left at the end decides, and
    until then the voice asks for silence. Without words it asks while the sound lasts.
    """
    spoken = words(text)
    if hard_stops(spoken, phrases) or ends_in_key(text):
        return Claim.FLOOR
    if not spoken and ending is not Ending.SOUNDING:
        return Claim.NOTHING
    if utterance >= policy.backchannel:
        return Claim.FLOOR
    if spoken and made_of(spoken, phrases.backchannels):
        return Claim.NOTHING
    greeting = made_of(spoken, (*phrases.backchannels, *phrases.greetings))
    if len(spoken) > 1 and not greeting and utterance >= policy.barge_in_with_words:
        return Claim.FLOOR
    final = ending in (Ending.UNDERSTOOD, Ending.OVER)
    if final and not greeting and utterance >= policy.barge_in_one_word:
        return Claim.FLOOR
    if ending is Ending.OVER:
        return Claim.NOTHING
    if voice >= policy.barge_in:
        return Claim.SILENCE
    return Claim.EAR if ending is Ending.SOUNDING else Claim.PATIENCE


def hard_stops(spoken: tuple[str, ...], phrases: Phrases) -> set[tuple[str, ...]]:
    """Which of the phrases that stop the agent the words hold, wherever they stand among them."""
    stops = [stop for phrase in phrases.hard_stops if (stop := phrase_words(phrase))]
    return {stop for stop in stops for place in range(len(spoken)) if spoken[place : place + len(stop)] == stop}


def patience_with(*, understood: bool, policy: Policy) -> int:
    """The silence in milliseconds after which a short utterance turns out to have been a mere backchannel.

    Not before `Policy.answer_overlap`: if the agent ends within that time, the utterance is its answer. And not before
    its words are known (`understood`), or have been waited for long enough.
    """
    return policy.answer_overlap if understood else max(policy.answer_overlap, policy.transcript_patience)
