"""Interruption or backchannel?"""

import pytest

from client_caller.conversation.barge_in import Claim, claim, patience_with
from client_caller.conversation.policy import Phrases, Policy

PHRASES = Phrases()


def claimed(text: str, utterance: int, *, understood: bool = False, phrases: Phrases = PHRASES) -> Claim:
    return claim(text, utterance, understood=understood, policy=Policy(), phrases=phrases)


@pytest.mark.parametrize("text", ["", "tomorrow", "nobody"])
@pytest.mark.parametrize(
    ("utterance", "claims"),
    [(0, Claim.NOTHING), (449, Claim.NOTHING), (450, Claim.PAUSE), (1499, Claim.PAUSE), (1500, Claim.FLOOR)],
)
def test_a_sound_with_one_word_at_most_is_judged_by_its_length(text: str, utterance: int, claims: Claim) -> None:
    """ "Yeah", "okay" and "right" last up to 350 ms; a single word may be a listener's misheard, and "nobody" is not
    "no". Above 450 ms it may be meant; a sound of 1.5 s is, though some engines have no words for it yet."""
    assert claimed(text, utterance) is claims


@pytest.mark.parametrize(
    ("text", "claims"), [("", Claim.NOTHING), ("tomorrow", Claim.FLOOR), ("yeah", Claim.NOTHING), ("no", Claim.FLOOR)]
)
def test_what_is_left_of_an_utterance_decides(text: str, claims: Claim) -> None:
    """When it is over and no more words will come: no words are a noise, a listener's leave the agent the floor."""
    assert claimed(text, 600, understood=True) is claims


def test_a_long_noise_is_a_noise() -> None:
    """However long it was, once speech to text has found nothing in it."""
    assert claimed("", 2500, understood=True) is Claim.NOTHING


@pytest.mark.parametrize("text", ["Stop.", "no", "yeah but wait", "Hold on a moment", "okay, EXCUSE me", "[pressed 1]"])
def test_a_word_that_stops_acts_at_once(text: str) -> None:
    """Whoever says "stop" does not have to go on saying it, and it may stand anywhere; nor does who presses a key."""
    assert claimed(text, 0) is Claim.FLOOR


@pytest.mark.parametrize("text", ["yeah", "Mm hm.", "Okay, right.", "uh-huh", "yes yes of course", "I see"])
@pytest.mark.parametrize("utterance", [100, 500, 1499])
def test_a_listener_s_words_leave_the_agent_the_floor(text: str, utterance: int) -> None:
    """However long they take, within reason."""
    assert claimed(text, utterance) is Claim.NOTHING
    assert claimed(text, 1500) is Claim.FLOOR


@pytest.mark.parametrize("text", ["to morrow", "yeah what about fish", "I see you", "nobody there"])
def test_anything_else_is_an_interruption(text: str) -> None:
    """Words that mean something, among a listener's or alone. They need a moment to be sure."""
    assert claimed(text, 249) is Claim.NOTHING
    assert claimed(text, 250) is Claim.FLOOR


def test_empty_phrases_match_nothing() -> None:
    """A phrase without words would stop every reply, or none."""
    phrases = Phrases(hard_stops=("", "!"), backchannels=("", "yeah"))
    assert claimed("yeah", 300, phrases=phrases) is Claim.NOTHING
    assert claimed("fish soup", 0, phrases=phrases) is Claim.NOTHING


def test_a_backchannel_is_not_settled_before_it_could_have_been_an_answer() -> None:
    """With its words known, it waits for the end of the agent's words only."""
    assert patience_with(understood=True, policy=Policy(answer_overlap=1000, transcript_patience=1500)) == 1000


@pytest.mark.parametrize(("overlap", "transcript"), [(1000, 1500), (1800, 1500)])
def test_a_backchannel_is_not_settled_before_its_words_had_their_time(overlap: int, transcript: int) -> None:
    """With its words unknown, the longer of both patiences."""
    policy = Policy(answer_overlap=overlap, transcript_patience=transcript)
    assert patience_with(understood=False, policy=policy) == max(overlap, transcript)
