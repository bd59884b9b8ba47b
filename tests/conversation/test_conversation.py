"""How a call begins, what becomes of it when engines fail, and what the model is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation import events
from client_caller.conversation.commands import (
    CancelReply,
    Duck,
    EndCall,
    FinishTranscript,
    Pause,
    Release,
    Resume,
    Speak,
    StartRecording,
    StartReply,
)
from client_caller.conversation.history import (
    CONNECTED,
    CUT_MARK,
    AgentSaid,
    CallerSaid,
    Message,
    ToolUsed,
)
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.state import CallState

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


# ---------------------------------------------------------------- the greeting


def test_a_call_begins_with_its_greeting(new_call: NewCall) -> None:
    """As soon as both sides are connected, without asking the model."""
    call = new_call(phrases=Phrases(greeting="Good morning."))
    call.start()
    assert call.asked() == [Speak(1, 0, "Good morning."), Release(1)]
    assert call.core.view == "PROCESSING"
    call.plays()
    assert call.core.history == (AgentSaid(0, 0, "Good morning.", "", cut=False),)


def test_a_greeting_may_be_the_models(new_call: NewCall) -> None:
    """It is asked with nothing but the fact that the call is connected."""
    call = new_call(phrases=Phrases(greeting=None))
    call.start()
    assert call.asked() == [StartReply(1), Release(1)]
    assert call.core.messages(1) == (Message("user", CONNECTED),)


def test_without_a_greeting_the_caller_begins(new_call: NewCall) -> None:
    """An empty greeting is none."""
    call = new_call(phrases=Phrases(greeting=""))
    call.start()
    assert call.asked() == []
    assert call.core.view == "LISTENING"


def test_a_short_word_over_the_greeting_does_not_stop_it_and_is_kept(new_call: NewCall) -> None:
    """A listener's word or a greeting is heard, and costs the agent's greeting at most a pause."""
    call = new_call()
    call.start()
    call.plays(3)
    call.asked()
    call.says("Hi.", 320)
    call.hush(1504)
    assert call.asked() == [Duck(1), Pause(1), FinishTranscript(1), Resume(1)]
    call.plays()
    greeting = call.core.history[-1]
    assert call.turns() == ["(Hi.)"]
    assert isinstance(greeting, AgentSaid)
    assert not greeting.cut


def test_what_is_said_over_the_greeting_is_answered(new_call: NewCall) -> None:
    """A caller who does not wait for its end is not asked to say it again."""
    call = new_call()
    call.start()
    call.plays(2)
    call.asks("I want to return a box.")
    assert call.turns() == ["I want to return a box."]
    assert [message.content for message in call.core.messages(2)] == [
        CONNECTED,
        "Hello, how" + CUT_MARK,
        "I want to return a box.",
    ]


# ---------------------------------------------------------------- engines fail


@pytest.mark.parametrize("stage", ["llm", "tts"])
def test_a_reply_that_fails_before_its_first_sound_is_apologised_for(call: Call, stage: str) -> None:
    """At once; the caller may have to say it again."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.fails(stage)
    assert call.asked() == [CancelReply(2), *call.apology()]


def test_a_model_that_fails_in_mid_speech_is_heard_as_far_as_it_came(call: Call) -> None:
    """What is queued is still said; then comes the apology."""
    call.asks("What does it cost?")
    call.thinks("The small box costs nine euros. The large ")
    call.plays(3)
    call.asked()
    call.fails("llm")
    call.thinks("one. Never ")
    assert call.asked() == []
    call.plays()
    assert call.asked() == call.apology()
    assert call.core.history[-1] == AgentSaid(call.now, call.now, "The small box costs nine euros.", "", cut=False)


def test_a_model_that_fails_while_nothing_is_queued_is_apologised_for_at_once(call: Call) -> None:
    """There is nothing left to wait for."""
    call.asks("What does it cost?")
    call.thinks("The small box costs nine euros. The large ")
    call.plays()
    call.asked()
    call.fails("llm")
    assert call.asked() == [CancelReply(2), *call.apology()]


def test_a_broken_model_is_not_asked_to_go_on(call: Call) -> None:
    """Though a tool has answered meanwhile; what it said is kept."""
    call.asks("What does it cost?")
    call.thinks("Let me have a look at it. And ")
    call.wants("t1")
    call.plays(2)
    call.tool_returns("t1")
    call.asked()
    call.fails("llm")
    assert call.asked() == []
    call.plays()
    assert call.asked() == call.apology()
    assert isinstance(call.core.history[-2], ToolUsed)


def test_a_voice_that_fails_in_mid_speech_cuts_the_reply(call: Call) -> None:
    """Nothing more of it can be heard."""
    call.asks("What does it cost?")
    call.answers("Nine euros, and that is all.")
    call.plays(2)
    call.asked()
    call.fails("tts")
    assert call.asked() == [CancelReply(2), *call.apology()]
    said = call.core.history[-1]
    assert isinstance(said, AgentSaid)
    assert said.cut


def test_a_model_that_says_nothing_has_failed(call: Call) -> None:
    """An empty reply would leave the line silent."""
    call.asks("What does it cost?")
    call.asked()
    call.answers(" ... ")
    assert call.asked() == [CancelReply(2), *call.apology()]


def test_three_failed_replies_in_a_row_end_the_call(call: Call) -> None:
    """With a goodbye, and without its linger; if not even that can be said, without it."""
    for _ in range(2):
        call.asks("What does it cost?")
        call.fails("llm")
        call.plays()
    call.asks("What does it cost?")
    call.asked()
    call.fails("llm")
    assert " ".join(call.spoken()) == call.phrases.trouble_goodbye
    call.fails("tts")
    assert call.asked() == [CancelReply(call.reply), EndCall("engine_failed")]


def test_a_reply_that_is_heard_forgives_failures(call: Call) -> None:
    """Only failures in a row count; the apology itself is no sign of recovery."""
    for _ in range(2):
        call.asks("What does it cost?")
        call.fails("llm")
        call.plays()
        call.asks("What does it cost?")
        call.fails("llm")
        call.plays()
        call.asks("What does it cost?")
        call.answers("Nine.")
        call.plays()
    assert call.core.memory.call is CallState.LIVE


# ---------------------------------------------------------------- recording


@pytest.fixture
def announced(new_call: NewCall) -> Call:
    """A call that is recorded only once the caller was told so."""
    call = new_call(Policy(announce_recording=True), Phrases(greeting="Hello there."))
    call.start()
    return call


def test_recording_starts_when_the_notice_was_heard(announced: Call) -> None:
    """To its last word, before anything else is said; and once."""
    assert announced.asked() == [Speak(1, 0, "This call is recorded."), Speak(1, 1, "Hello there."), Release(1)]
    announced.plays(3)
    assert announced.asked() == []
    announced.plays(1)
    assert announced.asked() == [StartRecording()]
    announced.plays()
    announced.asks("What does it cost?")
    announced.answers("Nine.")
    announced.plays()
    assert announced.spoken() == ["Nine."]


def test_a_notice_that_was_cut_is_given_again(announced: Call) -> None:
    """At the beginning of the next reply, whoever makes it."""
    announced.plays(3)
    announced.asked()
    announced.asks("Stop that.")
    announced.answers("Stop what?")
    assert announced.spoken() == ["This call is recorded.", "Stop what?"]
    announced.plays(4)
    assert announced.asked() == [StartRecording()]


def test_a_notice_that_was_heard_is_not_given_again_after_a_lost_connection(announced: Call, new_call: NewCall) -> None:
    """The recording goes on from the first moment, and the call where it was."""
    announced.plays(5)
    announced.end("connection_lost")
    resumed = new_call(announced.policy, announced.phrases)
    resumed.start(announced.core.history)
    apology = [Speak(1, 0, "Sorry, the line broke for a moment."), Speak(1, 1, "Please go on."), Release(1)]
    assert resumed.asked() == [StartRecording(), *apology]
    resumed.plays()
    assert resumed.asked() == []


def test_a_notice_that_a_lost_connection_cut_is_given_again(announced: Call, new_call: NewCall) -> None:
    """Half of it is no notice: nothing is recorded before all of it was heard."""
    announced.plays(3)
    announced.end("connection_lost")
    resumed = new_call(announced.policy, announced.phrases)
    resumed.start(announced.core.history)
    asked = resumed.asked()
    assert asked[0] == Speak(1, 0, "This call is recorded.")
    assert StartRecording() not in asked
    resumed.plays(4)
    assert resumed.asked() == [StartRecording()]


def test_a_backchannel_stays_one_when_the_line_breaks(new_call: NewCall) -> None:
    """Words over the agent's that had not taken the floor are no turn, and the resumed call does not answer them."""
    call = new_call()
    call.start()
    call.plays(3)
    call.says("Mm hm.", 320)
    call.end("connection_lost")
    assert call.turns() == ["(Mm hm.)"]
    assert isinstance(call.core.history[-1], AgentSaid)


# ---------------------------------------------------------------- a call is resumed


def test_a_call_that_broke_off_after_a_question_answers_it(new_call: NewCall) -> None:
    """The caller does not have to ask again."""
    call = new_call()
    call.start((AgentSaid(0, 900, "Hello.", "", cut=False), CallerSaid(1000, 1900, "What does it cost?")))
    assert call.asked() == [StartReply(1), Release(1)]
    assert [message.content for message in call.core.messages(1)] == [CONNECTED, "Hello.", "What does it cost?"]


def test_a_call_that_broke_off_after_speech_without_words_asks_for_them(new_call: NewCall) -> None:
    """The agent knows that something was said."""
    call = new_call()
    call.start((CallerSaid(1000, 1900, ""),))
    assert " ".join(call.spoken()) == call.phrases.not_understood


def test_a_call_that_broke_off_in_the_agents_words_asks_the_caller_to_go_on(new_call: NewCall) -> None:
    """There is no second greeting, and what was said before is not forgotten."""
    call = new_call()
    earlier = (CallerSaid(0, 900, "What does it cost?"), AgentSaid(1000, 1400, "Nine", "euros.", cut=True))
    call.start(earlier)
    assert " ".join(call.spoken()) == call.phrases.resumed
    call.plays()
    assert call.core.history[:2] == earlier


# ---------------------------------------------------------------- what the model is told


def test_a_model_that_goes_on_sees_what_it_has_said(call: Call) -> None:
    """Heard or not, and its tools' results; none of it is in the history yet."""
    call.asks("What does it cost?")
    call.thinks("Let me see. ")
    call.wants("t1")
    call.thought()
    call.tool_returns("t1", "9")
    assistant, tool = call.core.messages(2)[-2:]
    assert (assistant.content, assistant.tool_calls[0].id) == ("Let me see.", "t1")
    assert (tool.role, tool.content, tool.tool_call_id) == ("tool", "9", "t1")
    assert isinstance(call.core.history[-1], CallerSaid)


def test_a_reply_that_is_no_more_is_told_what_is_known(call: Call) -> None:
    """A request that was overtaken still gets an answer that makes sense."""
    call.says("What does it cost?")
    assert call.core.messages(99)[-1].role == "assistant"


def test_no_reply_is_longer_than_its_limit(new_call: NewCall) -> None:
    """Though it goes on after tools: the limit is for all of it."""
    call = new_call(Policy(reply_characters=60), Phrases(greeting=""))
    call.start()
    call.asks("Tell me everything.")
    call.thinks("This is a sentence of some length. ")
    call.wants("t1")
    call.thought()
    call.tool_returns("t1")
    call.answers("And here is another one of that length. And more.")
    assert call.spoken() == ["This is a sentence of some length."]


def test_the_machine_asks_to_be_told_of_time(call: Call) -> None:
    """While a call lives there is always a next moment, and it lies ahead."""
    for event in (events.TimePassed(call.now), events.DigitPressed(call.now, "5")):
        call.tell(event)
        assert call.core.deadline is not None
        assert call.core.deadline > call.now
