"""How calls end: a goodbye that is heard, and the longest call."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation.commands import CancelReply, EndCall, FinishTranscript
from client_caller.conversation.history import AgentSaid
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.state import CallState

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


# ---------------------------------------------------------------- goodbye


@pytest.fixture
def leaving(call: Call) -> Call:
    """The caller has said goodbye, and heard the agent's."""
    call.asks("Thanks, goodbye.")
    call.answers("Goodbye, and thank you.")
    call.plays()
    call.asked()
    assert call.core.memory.call is CallState.CLOSING
    return call


def test_a_goodbye_ends_the_call_once_it_was_heard(leaving: Call) -> None:
    """And after a second and a half in which the caller might add something."""
    leaving.stall(1499)
    assert leaving.asked() == []
    leaving.stall(1)
    assert leaving.asked() == [EndCall("caller_said_goodbye")]
    assert leaving.core.view == "IDLE"


def test_one_more_thing_opens_the_call_again(leaving: Call) -> None:
    """The agent does not hang up on a caller who speaks; and the next goodbye is one again."""
    leaving.hush(960)
    leaving.says("Oh, one more thing.")
    leaving.hush(2016)
    assert leaving.core.memory.call is CallState.LIVE
    leaving.answers("Yes?")
    leaving.plays()
    leaving.hush(3008)
    assert EndCall("caller_said_goodbye") not in leaving.asked()
    leaving.asks("No, that's all.")
    leaving.answers("Bye.")
    leaving.plays()
    leaving.hush(1504)
    assert leaving.asked()[-1] == EndCall("caller_said_goodbye")


def test_a_noise_while_leaving_delays_the_end_only_for_itself(leaving: Call) -> None:
    """The receiver that is put down is not one more thing."""
    leaving.hush(1376)
    leaving.talk(320)
    leaving.hush(96)
    assert leaving.asked() == [FinishTranscript(2)]
    leaving.finished()
    assert leaving.asked() == [EndCall("caller_said_goodbye")]


def test_a_goodbye_that_is_taken_back_before_the_answer_is_none(call: Call) -> None:
    """ "Bye. Oh wait" is answered, and the call goes on."""
    call.asks("Bye.")
    call.asks("Oh wait, what does it cost?")
    call.answers("Nine euros.")
    call.plays()
    assert call.core.memory.call is CallState.LIVE
    assert call.turns() == ["Bye. Oh wait, what does it cost?"]


def test_a_goodbye_that_is_interrupted_is_none(call: Call) -> None:
    """Nobody hangs up in the middle of what the caller has to say."""
    call.asks("Bye.")
    call.answers("Goodbye, and thank you for calling.")
    call.plays(1)
    call.talk(480)
    call.plays()
    assert call.core.memory.call is CallState.LIVE


# ---------------------------------------------------------------- the longest call


@pytest.fixture
def short(new_call: NewCall) -> Call:
    """A call of at most twenty seconds, with a warning five seconds before."""
    call = new_call(
        Policy(max_call=20_000, max_call_warning=5000, hard_stop=3000, silence_prompt=60_000), Phrases(greeting="")
    )
    call.start()
    return call


def test_the_end_of_the_time_is_announced_then_final(short: Call) -> None:
    """A warning, the last words whatever anybody does, and the end without any linger."""
    short.stall(14_999)
    assert short.asked() == []
    short.stall(1)
    assert " ".join(short.spoken()) == short.phrases.time_warning
    short.plays()
    short.stall(4999)
    assert short.asked() == []
    short.stall(1)
    assert " ".join(short.spoken()) == short.phrases.time_over
    short.talk(960)
    short.partial("but I")
    assert short.asked() == []
    short.plays()
    assert short.asked() == [EndCall("max_call")]


def test_the_warning_waits_for_its_turn(short: Call) -> None:
    """It interrupts neither the caller nor the agent, and is given once."""
    short.hush(14_592)
    short.asks("What does it cost?")
    assert short.spoken() == []
    short.hush(960)
    short.answers("Nine euros.")
    assert short.spoken() == ["Nine euros."]
    short.plays()
    assert " ".join(short.spoken()) == short.phrases.time_warning
    short.plays()
    short.hush(960)
    assert short.asked() == []


def test_a_call_shorter_than_its_warning_has_none(new_call: NewCall) -> None:
    """It would be the first thing that the caller hears."""
    call = new_call(Policy(max_call=4000, max_call_warning=4000), Phrases(greeting=""))
    call.start()
    call.stall(3999)
    assert call.asked() == []
    call.stall(1)
    assert " ".join(call.spoken()) == call.phrases.time_over


def test_the_time_is_over_in_mid_reply(short: Call) -> None:
    """What the agent was saying is cut for the last words, and the history says so."""
    short.stall(15_000)
    short.plays()
    short.asks("Tell me everything.")
    short.thinks("First of all, let me say. Then ")
    short.plays(3)
    cut = short.reply
    short.asked()
    short.stall(5000)
    assert short.asked()[0] == CancelReply(cut)
    said = short.core.history[-1]
    assert isinstance(said, AgentSaid)
    assert (said.heard, said.cut) == ("First of all,", True)


def test_last_words_that_do_not_end_are_cut(short: Call) -> None:
    """The call is over three seconds later, heard or not."""
    short.stall(20_000)
    short.sounds()
    short.asked()
    short.stall(2999)
    assert short.asked() == []
    short.stall(1)
    assert short.asked() == [CancelReply(short.reply), EndCall("max_call")]
