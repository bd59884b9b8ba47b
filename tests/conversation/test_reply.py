"""The laws of one reply."""

import pytest

from client_caller.conversation.clauses import ClauseSplitter
from client_caller.conversation.history import AgentSaid, ToolCall
from client_caller.conversation.policy import Policy
from client_caller.conversation.reply import Closing, Reply


@pytest.fixture
def reply() -> Reply:
    """A reply of three words that has begun to sound at 100, and whose model has finished."""
    splitter = ClauseSplitter(Policy())
    reply = Reply(1, "", splitter, True, generating=False, committed=True, progress_at=0, thought_at=0, quiet_since=0)
    reply.playout.queue("It costs nine.")
    reply.started = 100
    return reply


def test_a_reply_that_made_no_sound_said_nothing(reply: Reply) -> None:
    """Whatever was synthesised."""
    reply.started = None
    assert reply.said(900) is None


def test_what_was_said_is_what_was_heard(reply: Reply) -> None:
    """A reply that ends early is cut, and names what was not heard."""
    reply.playout.send(0, 2)
    reply.playout.acknowledge(0, 1)
    assert reply.said(900) == AgentSaid(100, 900, "It costs", "nine.", cut=True)
    reply.playout.acknowledge(0, 2)
    assert reply.said(950) == AgentSaid(100, 950, "It costs nine.", "", cut=False)


def test_a_reply_is_cut_while_there_is_more_to_come(reply: Reply) -> None:
    """Though all its words so far were heard: the model is not done, or a tool it asked for, or what it makes of it."""
    reply.playout.send(0, 2)
    reply.playout.acknowledge(0, 2)
    for unfinished in ({"generating": True}, {"to_go_on": True}, {"asked": {"t": ToolCall("t", "look_up", "{}")}}):
        for name, value in unfinished.items():
            done = getattr(reply, name)
            setattr(reply, name, value)
            assert not reply.done_thinking
            said = reply.said(900)
            assert said is not None
            assert said.cut
            setattr(reply, name, done)
    assert reply.done_thinking


@pytest.mark.parametrize(
    ("closing", "final"), [(None, False), (Closing("goodbye"), False), (Closing("max_call", final=True), True)]
)
def test_only_last_words_are_final(reply: Reply, closing: Closing | None, final: bool) -> None:
    """After a goodbye the caller may have one more thing; after the last words there is nobody to hear it."""
    reply.closing = closing
    assert reply.final is final
