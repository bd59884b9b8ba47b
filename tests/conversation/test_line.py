"""A bad line: the agent says so once, where it does not cost an answer."""

from collections.abc import Callable

from client_caller.conversation import commands, events
from client_caller.conversation.policy import Phrases

from .conftest import Call

REMARK = Phrases().bad_line


def line(call: Call, *, bad: bool) -> None:
    call.tell(events.LineQuality(call.now, bad, -30, -30, 0))


def answered(call: Call, question: str) -> list[str]:
    """What is spoken for a question of the caller's, heard to its end."""
    call.asks(question)
    call.answers("Yes.")
    spoken = call.spoken()
    call.plays()
    call.hush(320)
    return spoken


def test_a_bad_line_is_told_once_before_the_next_answer(call: Call) -> None:
    """Not over the caller and not instead of the answer; and not again, though it turns good and bad."""
    line(call, bad=True)
    assert call.asked() == []
    assert answered(call, "are you open") == [REMARK, "Yes."]
    line(call, bad=False)
    line(call, bad=True)
    assert answered(call, "is there a garden") == ["Yes."]


def test_a_line_that_is_good_again_is_not_told_of(call: Call) -> None:
    """Nobody is bothered with what is over."""
    line(call, bad=True)
    line(call, bad=False)
    assert answered(call, "are you open") == ["Yes."]


def test_what_nobody_heard_was_not_said(call: Call) -> None:
    """The reply to words that were not the last is withdrawn, its remark with it: the next one has it."""
    line(call, bad=True)
    call.says("are you open")
    assert call.spoken() == [REMARK]
    call.talk(640)
    call.hush(96)
    call.final("on sunday")
    call.finished()
    call.hush(480)
    call.answers("Yes.")
    asked = call.asked()
    assert any(isinstance(command, commands.CancelReply) for command in asked)
    assert [command.text for command in asked if isinstance(command, commands.Speak)] == [REMARK, "Yes."]


def test_who_could_not_be_understood_is_told_why(call: Call) -> None:
    """Speech without words is answered, too."""
    line(call, bad=True)
    call.talk(960)
    call.hush(96)
    call.finished()
    call.hush(480)
    assert call.spoken() == [REMARK, call.phrases.not_understood]


def test_a_goodbye_is_nothing_but_a_goodbye(new_call: Callable[..., Call]) -> None:
    """A line that no longer matters is not complained of."""
    call = new_call()
    call.start()
    call.plays()
    line(call, bad=True)
    call.asked()
    call.is_deaf()
    assert REMARK not in call.spoken()


def test_an_agent_without_the_phrase_says_nothing(new_call: Callable[..., Call]) -> None:
    """It is for the agent's author to decide."""
    call = new_call(phrases=Phrases(bad_line=""))
    call.start()
    call.plays()
    call.hush(320)
    call.asked()
    line(call, bad=True)
    assert answered(call, "are you open") == ["Yes."]
