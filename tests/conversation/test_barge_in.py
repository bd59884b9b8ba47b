"""Interruption or backchannel?"""

import pytest

from client_caller.conversation.barge_in import patience_with, takes_floor
from client_caller.conversation.policy import Policy


@pytest.mark.parametrize(("utterance", "taken"), [(0, False), (350, False), (449, False), (450, True), (2000, True)])
def test_an_utterance_takes_the_floor_from_a_stated_length_on(utterance: int, taken: bool) -> None:
    """ "Yeah", "okay" and "right" last up to 350 ms; what lasts 450 ms is meant to be heard."""
    assert takes_floor(utterance, Policy()) is taken


def test_a_backchannel_is_not_settled_before_it_could_have_been_an_answer() -> None:
    """With its words known, it waits for the end of the agent's words only."""
    assert patience_with(understood=True, policy=Policy(answer_overlap=1000, transcript_patience=1500)) == 1000


@pytest.mark.parametrize(("overlap", "transcript"), [(1000, 1500), (1800, 1500)])
def test_a_backchannel_is_not_settled_before_its_words_had_their_time(overlap: int, transcript: int) -> None:
    """With its words unknown, the longer of both patiences."""
    policy = Policy(answer_overlap=overlap, transcript_patience=transcript)
    assert patience_with(understood=False, policy=policy) == max(overlap, transcript)
