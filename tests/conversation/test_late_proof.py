"""What becomes of words that are proven heard only after the agent was silenced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client_caller.conversation.commands import StartRecording
from client_caller.conversation.events import WordProven
from client_caller.conversation.history import CUT_MARK, AgentSaid
from client_caller.conversation.policy import Phrases, Policy

if TYPE_CHECKING:
    from tests.conversation.conftest import Call
    from tests.conversation.test_floor import NewCall

LONG = "The small box costs nine euros."


@pytest.fixture
def cut(call: Call) -> Call:
    """A reply that was cut off when all its words were sent and three were known to be heard."""
    call.asks("What does it cost?")
    call.answers(LONG)
    call.plays(3)
    call.sends()
    call.talk(256)
    call.partial("What about")
    assert said(call).heard == "The small box"
    return call


def said(call: Call) -> AgentSaid:
    entry = call.core.history[-1]
    assert isinstance(entry, AgentSaid)
    return entry


def test_a_cut_reply_grows_by_what_is_proven_later(cut: Call) -> None:
    """The history has the words, and when the reply ended stays as it was; so does the model see it in the end."""
    before = said(cut)
    cut.tell(WordProven(cut.now + 90, 2, 0, 4))
    assert said(cut) == AgentSaid(before.started, before.ended, "The small box costs nine", "euros.", cut=True)
    cut.asks("What about two?")
    assert [message.content for message in cut.core.messages(3)][-2] == "The small box costs nine" + CUT_MARK


def test_a_reply_all_of_which_is_proven_was_not_cut(cut: Call) -> None:
    """The caller spoke in the moment after its last word."""
    cut.tell(WordProven(cut.now, 2, 0, 5))
    assert (said(cut).heard, said(cut).unheard, said(cut).cut) == (LONG, "", False)


@pytest.mark.parametrize(
    ("reply", "clause", "word"),
    [(1, 0, 0), (3, 0, 0), (2, 0, 2), (2, 0, 6), (2, 1, 0), (2, 0, -1)],
    ids=["an older reply", "no reply", "known", "no word", "no clause", "none"],
)
def test_proof_of_anything_else_changes_nothing(cut: Call, reply: int, clause: int, word: int) -> None:
    """Of another reply, of a word that is known to be heard already, or that was never sent."""
    before = cut.core.history
    cut.tell(WordProven(cut.now, reply, clause, word))
    assert cut.core.history == before


def test_proof_may_come_after_the_next_reply_was_cut_as_well(cut: Call) -> None:
    """A line that stood still brings it late: it is still known where it belongs."""
    cut.asks("What about two?")
    cut.answers("Two cost seventeen euros.")
    cut.plays(1)
    cut.talk(256)
    cut.partial("And what about three")
    cut.tell(WordProven(cut.now, 2, 0, 3))
    assert [entry.heard for entry in cut.core.history if isinstance(entry, AgentSaid)][-2:] == [
        "The small box costs",
        "Two",
    ]


def test_what_was_never_sent_cannot_be_proven(call: Call) -> None:
    """Only three words had gone out."""
    call.asks("What does it cost?")
    call.answers(LONG)
    call.plays(3)
    call.talk(256)
    call.partial("What about")
    call.tell(WordProven(call.now, 2, 0, 3))
    assert said(call).heard == "The small box"


def test_in_a_pause_it_is_known_at_once(call: Call) -> None:
    """The reply goes on behind the word, and the history has it when the reply is over."""
    call.asks("What does it cost?")
    call.answers(LONG)
    call.plays(2)
    call.sends(2)
    call.talk(480)
    assert call.core.view == "LISTENING"
    call.tell(WordProven(call.now, 2, 0, 3))
    call.partial("What about")
    assert said(call).heard == "The small box costs"


def test_a_notice_that_was_heard_after_all_is_not_given_again(new_call: NewCall) -> None:
    """The recording begins when the proof of its last word is there."""
    call = new_call(Policy(announce_recording=True), Phrases(greeting="Hello there."))
    call.start()
    call.plays(3)
    call.sends()
    call.talk(256)
    call.partial("Stop that")
    call.asked()
    call.tell(WordProven(call.now, 1, 0, 3))
    assert call.asked() == [StartRecording()]
    call.asks("Stop that.")
    call.answers("Stop what?")
    assert call.spoken() == ["Stop what?"]
