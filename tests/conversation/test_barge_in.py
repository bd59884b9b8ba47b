"""Interruption or backchannel?"""

import pytest

from client_caller.conversation.barge_in import patience_with, takes_floor
from client_caller.conversation.policy import Phrases, Policy

PHRASES = Phrases()


@pytest.mark.parametrize(("utterance", "taken"), [(0, False), (350, False), (449, False), (450, True), (2000, True)])
def test_without_words_an_utterance_takes_the_floor_by_its_length(utterance: int, taken: bool) -> None:
    """ "Yeah", "okay" and "right" last up to 350 ms; what lasts 450 ms is meant to be heard."""
    assert takes_floor("", utterance, Policy(), PHRASES) is taken


@pytest.mark.parametrize("text", ["Stop.", "no", "yeah but wait", "Hold on a moment", "okay, EXCUSE me"])
def test_a_word_that_stops_acts_at_once(text: str) -> None:
    """Whoever says "stop" does not have to go on saying it, and it may stand anywhere."""
    assert takes_floor(text, 0, Policy(), PHRASES)


@pytest.mark.parametrize("text", ["yeah", "Mm hm.", "Okay, right.", "uh-huh", "yes yes of course", "I see"])
@pytest.mark.parametrize("utterance", [100, 500, 1499])
def test_a_listener_s_words_leave_the_agent_the_floor(text: str, utterance: int) -> None:
    """However long they take, within reason."""
    assert not takes_floor(text, utterance, Policy(), PHRASES)
    assert takes_floor(text, 1500, Policy(), PHRASES)


@pytest.mark.parametrize("text", ["tomorrow", "nobody"])
def test_a_single_word_may_be_misheard(text: str) -> None:
    """It counts no more than a sound of its length; "nobody" is not "no"."""
    assert not takes_floor(text, 449, Policy(), PHRASES)
    assert takes_floor(text, 450, Policy(), PHRASES)


@pytest.mark.parametrize("text", ["to morrow", "yeah what about fish", "I see you", "nobody there"])
def test_anything_else_is_an_interruption(text: str) -> None:
    """Words that mean something, among a listener's or alone. They need a moment to be sure."""
    assert not takes_floor(text, 249, Policy(), PHRASES)
    assert takes_floor(text, 250, Policy(), PHRASES)


def test_empty_phrases_match_nothing() -> None:
    """A phrase without words would stop every reply, or none."""
    phrases = Phrases(hard_stops=("", "!"), backchannels=("", "yeah"))
    assert not takes_floor("yeah", 300, Policy(), phrases)
    assert not takes_floor("fish soup", 0, Policy(), phrases)


def test_a_backchannel_is_not_settled_before_it_could_have_been_an_answer() -> None:
    """With its words known, it waits for the end of the agent's words only."""
    assert patience_with(understood=True, policy=Policy(answer_overlap=1000, transcript_patience=1500)) == 1000


@pytest.mark.parametrize(("overlap", "transcript"), [(1000, 1500), (1800, 1500)])
def test_a_backchannel_is_not_settled_before_its_words_had_their_time(overlap: int, transcript: int) -> None:
    """With its words unknown, the longer of both patiences."""
    policy = Policy(answer_overlap=overlap, transcript_patience=transcript)
    assert patience_with(understood=False, policy=policy) == max(overlap, transcript)
