"""Tools: run once the turn is over, never cancelled by speech, and told to the model or kept for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation.commands import (
    CancelReply,
    EndCall,
    FinishTranscript,
    Release,
    RunTool,
    Speak,
    StartReply,
)
from client_caller.conversation.facts import SAY_GOODBYE
from client_caller.conversation.history import AgentSaid, ToolUsed
from client_caller.conversation.policy import HANG_UP, Phrases, Policy
from client_caller.conversation.state import CallState

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


def test_no_tool_runs_on_a_guess(call: Call) -> None:
    """What a reply asks for while it is held is run when the turn is really over."""
    call.says("Book the table.")
    call.wants("t1", "book")
    assert call.asked() == [FinishTranscript(1), StartReply(2)]
    call.hush(384)
    assert call.asked() == [Release(2), RunTool("t1", "book", "{}")]


def test_a_wrong_guess_runs_no_tool(call: Call) -> None:
    """The caller goes on, and what they asked for changes."""
    call.says("Book the table.")
    call.wants("t1", "book")
    call.talk(320)
    call.partial("no, don't")
    call.hush(96)
    call.final("No, don't.")
    call.finished()
    call.hush(480)
    assert not any(isinstance(command, RunTool) for command in call.asked())


def test_a_model_goes_on_when_all_its_tools_are_back(call: Call) -> None:
    """Two at once, in any order; it is asked under the same number, with both results."""
    call.asks("Compare them.")
    call.wants("t1", "price")
    call.wants("t2", "stock")
    call.thought()
    assert call.asked()[-2:] == [RunTool("t1", "price", "{}"), RunTool("t2", "stock", "{}")]
    call.tool_returns("t2", "none")
    assert call.asked() == []
    call.tool_returns("t1", "9")
    assert call.asked() == [StartReply(2)]
    results = [message.content for message in call.core.messages(2) if message.role == "tool"]
    assert results == ["none", "9"]


def test_a_model_that_still_speaks_is_not_asked_to_go_on(call: Call) -> None:
    """A quick tool is back before the model has finished the sentence around it."""
    call.asks("What does it cost?")
    call.thinks("Let me see. ")
    call.wants("t1")
    call.tool_returns("t1")
    call.asked()
    call.thinks("Just a moment. ")
    assert call.spoken() == ["Let me see."]
    call.thought()
    assert call.asked() == [Speak(2, 1, "Just a moment."), StartReply(2)]


def test_a_tool_used_in_a_reply_stands_before_it_in_the_history(call: Call) -> None:
    """With what it said, or why it failed."""
    call.asks("What does it cost?")
    call.wants("t1")
    call.thought()
    call.tool_returns("t1", "no such thing", failed=True)
    returned = call.now
    call.answers("I can't find it.")
    call.plays()
    used, answer = call.core.history[-2:]
    assert used == ToolUsed(returned, "t1", "look_up", "{}", "no such thing", failed=True)
    assert isinstance(answer, AgentSaid)


def test_a_barge_in_never_cancels_a_tool(call: Call) -> None:
    """The caller cuts in while it runs; its result is told when they have finished, as something new."""
    call.asks("Book the table.")
    call.thinks("I will book the table for you. ")
    call.wants("t1", "book")
    call.thought()
    call.plays(2)
    call.says("For two, please.")
    call.hush(384)
    call.asked()
    assert any("still running" in message.content for message in call.core.messages(3))
    call.tool_returns("t1", "booked")
    call.answers("For two, of course.")
    call.plays()
    assert call.asked() == [Speak(3, 0, "For two, of course."), StartReply(4), Release(4)]
    assert any(message.content == "booked" for message in call.core.messages(4))


def test_news_do_not_cut_the_caller_off(call: Call) -> None:
    """A result that comes while they speak is told when they have finished."""
    call.asks("Book the table.")
    call.thinks("I will book the table for you. ")
    call.wants("t1", "book")
    call.thought()
    call.plays(2)
    call.talk(480)
    call.partial("for two")
    call.asked()
    call.tool_returns("t1", "booked")
    assert call.asked() == []
    call.hush(96)
    call.final("For two, please.")
    call.finished()
    call.hush(480)
    assert any(message.content == "booked" for message in call.core.messages(call.reply))


def test_news_do_not_open_a_call_that_is_closing(call: Call) -> None:
    """Both have said goodbye; the result is kept."""
    call.asks("Book the table.")
    call.wants("t1", "book")
    call.thought()
    call.hush(1504)
    call.plays(1)
    call.asks("Thanks, goodbye.")
    call.answers("Goodbye.")
    call.plays()
    call.asked()
    call.tool_returns("t1", "booked")
    call.hush(1504)
    assert call.asked() == [EndCall("caller_said_goodbye")]
    assert any(isinstance(entry, ToolUsed) for entry in call.core.history)


def test_a_result_that_nobody_awaits_is_ignored(call: Call) -> None:
    """A tool that was never run, or was reported before."""
    call.asks("What does it cost?")
    call.wants("t1")
    call.thought()
    call.tool_returns("t1")
    call.answers("Nine euros.")
    call.plays()
    call.asked()
    call.tool_returns("t1")
    call.tool_returns("t9")
    assert call.asked() == []
    assert sum(isinstance(entry, ToolUsed) for entry in call.core.history) == 1


@pytest.mark.parametrize("by", ["this reply", "the one before"])
def test_a_request_with_the_number_of_a_running_tool_fails_the_reply(call: Call, by: str) -> None:
    """Its result could not be told from the other's."""
    call.asks("What does it cost?")
    call.thinks("Let me have a look. ")
    call.wants("t1")
    call.plays(2)
    if by == "the one before":
        call.asks("Hurry up.")
    failing = call.reply
    call.asked()
    call.wants("t1")
    assert call.asked()[0] == CancelReply(failing)


def test_a_request_that_is_repeated_before_the_turn_is_over_fails_the_guess(call: Call) -> None:
    """Though the first was not run yet."""
    call.says("Book the table.")
    call.wants("t1")
    call.asked()
    call.wants("t1")
    assert call.asked() == [CancelReply(2)]


def test_a_broken_model_does_not_wait_for_its_tools(call: Call) -> None:
    """It is apologised for once its words were heard; the result is told when it comes."""
    call.asks("What does it cost?")
    call.thinks("Let me have a look at it. And ")
    call.wants("t1")
    call.plays(2)
    call.fails("llm")
    call.asked()
    call.plays()
    assert call.asked() == call.apology()
    call.plays()
    call.tool_returns("t1")
    assert call.asked()[0] == StartReply(4)


def test_a_model_that_goes_in_circles_is_stopped(new_call: NewCall) -> None:
    """After so many tools in one reply the next request fails it."""
    call = new_call(Policy(tools_in_a_reply=2), Phrases(greeting=""))
    call.start()
    call.asks("What does it cost?")
    for tool in ("t1", "t2"):
        call.wants(tool)
        call.tool_returns(tool)
    call.asked()
    call.wants("t3")
    assert call.asked()[0] == CancelReply(call.reply - 1)


# ---------------------------------------------------------------- the model hangs up


def test_a_model_that_hangs_up_with_words_is_heard_first(call: Call) -> None:
    """Its last word has to be acknowledged, and the caller may have one more thing to say; then the call ends."""
    call.asks("I have all I need.")
    call.thinks("Have a nice day. ")
    call.wants("t1", HANG_UP)
    call.thought()
    call.plays(3)
    assert call.core.memory.call is CallState.LIVE
    call.plays()
    call.asked()
    call.hush(1472)
    assert call.asked() == []
    call.hush(32)
    assert call.asked() == [EndCall("agent_hung_up")]


def test_a_model_that_hangs_up_without_a_word_is_asked_for_one(call: Call) -> None:
    """Once: the request is answered by what to do next."""
    call.asks("I have all I need.")
    call.wants("t1", HANG_UP)
    call.asked()
    call.thought()
    assert call.asked() == [StartReply(2)]
    assert call.core.messages(2)[-1].content == SAY_GOODBYE
    call.answers("Goodbye.")
    call.plays()
    call.hush(1504)
    assert call.asked()[-1] == EndCall("agent_hung_up")


def test_a_model_that_will_not_say_goodbye_hangs_up_in_silence(call: Call) -> None:
    """It is not asked a second time, and what the caller said last counts as answered."""
    call.asks("I have all I need.")
    call.wants("t1", HANG_UP)
    call.wants("t2", HANG_UP)
    call.thought()
    call.thought()
    call.asked()
    call.hush(1504)
    assert call.asked() == [EndCall("agent_hung_up")]
    assert [entry.tool_call for entry in call.core.history if isinstance(entry, ToolUsed)] == ["t1"]
