"""Final words that come after their turn was taken for something else, or for less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from client_caller.conversation.commands import CancelReply, FinishTranscript, Release, StartReply

if TYPE_CHECKING:
    from tests.conversation.conftest import Call


@pytest.fixture
def impatient(call: Call) -> Call:
    """A turn that was taken before its final words were known."""
    call.talk(640)
    call.partial("I want")
    call.hush(1536)
    call.asked()
    assert call.turns() == ["I want"]
    return call


def test_late_words_before_the_answer_is_audible_are_answered(impatient: Call) -> None:
    """The reply to half the words is withdrawn unheard."""
    call = impatient
    call.answers("What do you want?")
    call.final("I want")
    call.final("a refund.")
    assert call.spoken() == ["What do you want?"]
    call.finished()
    assert call.asked() == [CancelReply(2), StartReply(3), Release(3)]
    assert call.turns() == ["I want a refund."]


def test_late_words_after_the_answer_is_audible_correct_the_record(impatient: Call) -> None:
    """The answer stands; the history has the better words."""
    call = impatient
    call.answers("What do you want?")
    call.plays(2)
    call.asked()
    call.final("I want a refund.")
    call.finished()
    assert call.asked() == []
    assert call.turns() == ["I want a refund."]


@pytest.mark.parametrize("late", ["i want.", ""])
def test_late_words_that_say_nothing_new_change_nothing(impatient: Call, late: str) -> None:
    """Neither the record nor the reply."""
    call = impatient
    call.final(late)
    call.finished()
    assert call.asked() == []
    assert call.turns() == ["I want"]


def test_an_answer_to_a_request_that_nobody_made_is_ignored(impatient: Call) -> None:
    """Late words are complete when the request they answer is answered, not before."""
    call = impatient
    call.final("I want a refund.")
    call.finished(99)
    assert call.turns() == ["I want"]
    call.finished()
    assert call.turns() == ["I want a refund."]


def test_late_words_are_waited_for_until_the_next_pause(impatient: Call) -> None:
    """A request that is superseded is never answered: what has come by then is all there is."""
    call = impatient
    call.final("I want a refund.")
    call.talk(320)
    call.hush(96)
    assert call.turns() == ["I want a refund."]
    call.final("Please.")
    call.finished()
    call.hush(480)
    assert call.turns() == ["I want a refund. Please."]


def test_a_partial_is_not_the_next_turns_while_words_are_late(impatient: Call) -> None:
    """It may still be about the turn before."""
    call = impatient
    call.talk(320)
    call.partial("I want a ref")
    assert call.core.memory.words == "I want"


def test_late_words_of_the_end_are_kept(impatient: Call) -> None:
    """The caller hangs up before the transcript is complete."""
    call = impatient
    call.final("I want a refund.")
    call.end()
    assert call.turns() == ["I want a refund."]


def test_words_of_what_was_taken_for_noise_make_a_turn(call: Call) -> None:
    """A short sound whose words come after the patience with it: it was a word after all."""
    call.talk(320)
    call.hush(1536)
    assert call.asked() == [FinishTranscript(1)]
    call.final("Yes.")
    call.finished()
    call.hush(96)
    call.finished()
    call.hush(480)
    assert call.turns() == ["Yes."]
    assert call.asked() == [StartReply(2), FinishTranscript(2), Release(2)]


def test_late_words_of_a_backchannel_stay_a_backchannel(call: Call) -> None:
    """They do not take the floor that the sound did not take."""
    call.asks("What does it cost?")
    call.answers("It costs nine euros, and the large one costs twelve.")
    call.plays(2)
    call.talk(320)
    call.partial("uh")
    call.hush(1536)
    call.asked()
    call.final("Uh-huh.")
    call.finished()
    assert call.asked() == []
    assert call.turns() == ["What does it cost?", "(Uh-huh.)"]


def test_a_failure_ends_the_wait_for_late_words(impatient: Call) -> None:
    """What has come of them counts."""
    call = impatient
    call.final("I want a refund.")
    call.fails("stt")
    assert call.turns() == ["I want a refund."]
