"""The laws of the model that forgets nothing: a result is told once, and only if it was not told already."""

from client_caller.conversation.history import STILL_RUNNING, Message
from client_caller.engines.protocols import CallContext, Token
from client_caller.simulator.engines import CannedModel
from client_caller.simulator.telling_model import TellingModel
from client_caller.simulator.virtual_time import run_virtual

RESULT = Message("tool", '{"table": "one by the window"}', tool_call_id="t")
NEWS = "About what you asked before: there is one by the window."


def said(answer: str, *messages: Message) -> str:
    async def listen() -> str:
        model = TellingModel(CannedModel(lambda _: answer), "table")
        results = model.reply(CallContext("x"), messages, ())
        return "".join([result.text async for result in results if isinstance(result, Token)])

    return run_virtual(listen()).strip()


def test_news_is_told_behind_the_answer() -> None:
    """The caller asked something else meanwhile: that is answered first; with nothing to answer, news stands alone."""
    assert said("We are open.", RESULT) == f"We are open. {NEWS}"
    assert said("", RESULT) == NEWS


def test_what_was_told_is_not_told_again() -> None:
    """Neither what the answer itself says, nor what the caller has heard before."""
    assert said("There is one by the window.", RESULT) == "There is one by the window."
    assert said("Yes.", RESULT, Message("assistant", "I have one by the window for you.")) == "Yes."


def test_what_the_caller_did_not_hear_is_told_again() -> None:
    """A reply that was cut before the news has not told it."""
    assert said("Yes.", RESULT, Message("assistant", "I have one by [cut off by the caller]")) == f"Yes. {NEWS}"


def test_a_tool_that_has_found_nothing_is_no_news() -> None:
    """A tool that is still at it, that failed in plain words, or that tells something else."""
    for content in (STILL_RUNNING, "The book is closed.", "[1]", '{"chairs": 4}'):
        assert said("Yes.", Message("tool", content, tool_call_id="t")) == "Yes."
