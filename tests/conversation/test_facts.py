"""What a call makes of each thing that it is told: words, keys, engines, tools, the line itself."""

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
    Release,
    Speak,
    StartReply,
)
from client_caller.conversation.history import AgentSaid, CallerSaid
from client_caller.conversation.state import CallState

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


# ---------------------------------------------------------------- the call


def test_nothing_happens_before_the_start(new_call: NewCall) -> None:
    """Audio and words that come before both sides are connected belong to no call."""
    call = new_call()
    call.talk(960)
    call.final("hello")
    call.press("5")
    assert (call.asked(), call.core.deadline, call.core.view) == ([], None, "IDLE")
    call.start()
    assert call.asked() == [Speak(1, 0, "Hello, how can I help you."), Release(1)]
    assert call.core.memory.words == ""


def test_a_call_that_ends_before_its_start_never_starts(new_call: NewCall) -> None:
    """The far end hung up while we were connecting."""
    call = new_call()
    call.end()
    call.start()
    assert (call.asked(), call.core.memory.call, call.core.deadline) == ([], CallState.ENDED, None)


def test_a_second_start_is_ignored(call: Call) -> None:
    """A call is greeted once."""
    before = call.core.history
    call.start(earlier=(CallerSaid(0, 100, "from another call"),))
    assert call.asked() == []
    assert call.core.history == before


def test_after_the_end_nothing_is_taken_in(call: Call) -> None:
    """What arrives late for an ended call changes nothing of what remains of it."""
    call.says("And another")
    call.end()
    ended = call.core.history
    call.asked()
    call.asks("thing")
    call.press("5")
    call.tool_returns("t")
    call.end()
    assert (call.asked(), call.core.history, call.core.deadline) == ([], ended, None)


def test_a_caller_who_hangs_up_in_mid_word_is_still_quoted(call: Call) -> None:
    """Words known at the end are in the history though their turn was not over, and the reply is given up."""
    call.asks("What does it cost?")
    call.answers("It costs nine euros.")
    call.plays(2)
    call.asked()
    call.talk(160)
    call.partial("but wait")
    call.end()
    assert call.asked() == [Duck(call.reply), CancelReply(call.reply)]
    assert call.turns() == ["What does it cost?", "but wait"]
    agent = call.core.history[-2]
    assert isinstance(agent, AgentSaid)
    assert (agent.heard, agent.unheard, agent.cut) == ("It costs", "nine euros.", True)
    assert call.core.memory.reply is None


def test_time_runs_only_forwards(call: Call) -> None:
    """A fact with an older time is taken in as of now."""
    call.press("1")
    late = call.now
    call.tell(events.DigitPressed(late - 300, "2"))
    assert call.core.memory.now == late
    call.hush(960)
    call.end()
    assert call.core.history[-1] == CallerSaid(late, late, "[pressed 1] [pressed 2]")


def test_no_audio_is_from_the_future(call: Call) -> None:
    """A window that claims to end later than it was heard ends when it was heard."""
    for _ in range(3):
        call.stall(32)
        call.tell(events.SpeechProbability(call.now, call.now + 5000, 0.9))
    assert call.core.memory.turn.heard_through == call.now


# ---------------------------------------------------------------- the caller's words


def test_a_partial_outside_any_speech_is_dropped(call: Call) -> None:
    """An engine that dreams in silence is not believed until it is sure."""
    call.partial("thank you for watching")
    assert call.core.memory.words == ""
    call.hush(3000)
    assert call.asked() == []


def test_a_partial_after_all_words_are_known_is_dropped(call: Call) -> None:
    """The finals are complete; a guess that comes after them is late."""
    call.says("What does it cost?")
    call.partial("cost")
    assert call.core.memory.words == "What does it cost?"


def test_a_partial_that_became_no_final_is_forgotten(call: Call) -> None:
    """The engine thought better of it."""
    call.talk(320)
    call.partial("perhaps")
    call.hush(96)
    call.finished()
    assert call.core.memory.words == ""
    assert call.turns() == []


def test_finals_of_one_turn_are_joined(call: Call) -> None:
    """However many there are; blank ones are none."""
    call.talk(320)
    call.final(" I would ")
    call.final("  ")
    call.partial(" like")
    assert call.core.memory.words == "I would like"
    call.hush(96)
    call.final("like two.")
    call.finished()
    assert call.core.memory.words == "I would like two."


def test_an_answer_to_an_older_request_says_nothing_of_this_pause(call: Call) -> None:
    """The caller spoke on after it: their last words may still be to come."""
    call.talk(320)
    call.hush(96)
    call.talk(320)
    call.hush(96)
    assert call.asked() == [FinishTranscript(1), FinishTranscript(2)]
    call.final("I would like two.")
    call.finished(1)
    call.hush(384)
    assert call.asked() == [StartReply(2)]
    call.finished(2)
    assert call.asked() == [Release(2)]


def test_keys_are_a_turn_of_their_own(call: Call) -> None:
    """The model is told which; the next key is waited for as the next digit of a number would be."""
    call.press("4")
    call.hush(960)
    call.press("#")
    call.hush(96)
    call.finished()
    call.hush(896)
    assert call.turns() == []
    call.hush(128)
    assert call.turns() == ["[pressed 4] [pressed #]"]
    assert isinstance(call.asked()[-1], Release)


def test_a_key_pressed_long_after_the_words_extends_the_turn(call: Call) -> None:
    """The pause is counted from the key, not from the last word."""
    call.says("My number is")
    call.hush(640)
    call.press("7")
    call.hush(416)
    assert call.turns() == []
    call.hush(1100)
    assert call.turns() == ["My number is [pressed 7]"]


# ---------------------------------------------------------------- speech to text fails


def test_a_deaf_moment_does_not_hold_the_turn_up(call: Call) -> None:
    """When speech to text fails, the words known so far are all that will be known: no patience with it."""
    call.talk(640)
    call.partial("I want a refund")
    call.hush(96)
    call.fails("stt")
    call.hush(384)
    assert call.turns() == ["I want a refund"]


def test_a_failure_before_the_request_leaves_it_to_be_made(call: Call) -> None:
    """The engine is opened again, and asked at the end of the pause as always."""
    call.talk(320)
    call.fails("stt")
    call.hush(96)
    assert call.asked() == [FinishTranscript(1)]
    call.final("Yes.")
    call.finished()
    assert call.core.memory.words == "Yes."


def test_an_agent_that_stays_deaf_ends_the_call_politely(call: Call) -> None:
    """It says so and hangs up, once its last word was heard."""
    call.is_deaf()
    assert " ".join(call.spoken()) == call.phrases.trouble_goodbye
    call.plays()
    assert call.asked() == [EndCall("engine_failed")]


def test_last_words_are_begun_once(call: Call) -> None:
    """However often speech to text fails meanwhile."""
    call.is_deaf()
    call.plays(3)
    call.asked()
    call.fails("stt")
    assert call.asked() == []


@pytest.mark.parametrize("sign_of_life", ["final", "finished"])
def test_hearing_again_forgives_failures(call: Call, sign_of_life: str) -> None:
    """Only failures in a row count, and since the first of them; an empty answer is an answer."""
    call.fails("stt")
    call.fails("stt")
    if sign_of_life == "final":
        call.final("")
    else:
        call.finished(7)
    call.now += call.policy.outage
    for _ in range(3):
        call.fails("stt")
    assert call.phrases.trouble_goodbye not in call.spoken()


def test_an_ear_that_is_opened_again_in_vain_is_given_time(call: Call) -> None:
    """A server that is started anew keeps its calls; and two failures that are far apart are no outage."""
    for _ in range(10):
        call.fails("stt")
    assert call.asked() == []
    call.finished(7)
    call.fails("stt")
    call.now += call.policy.outage
    call.fails("stt")
    assert call.phrases.trouble_goodbye not in call.spoken()


# ---------------------------------------------------------------- facts about replies


def test_what_arrives_for_another_reply_is_late(call: Call) -> None:
    """Numbers are never used again: text, sound, marks and failures of an old or future reply change nothing."""
    call.asks("What does it cost?")
    call.answers("It costs nine euros.")
    call.asked()
    for reply in (1, 3):
        call.tell(events.ReplyText(call.now, reply, "Never. "))
        call.tell(events.ReplyFinished(call.now, reply))
        call.tell(events.PlaybackStarted(call.now, reply))
        call.tell(events.WordSent(call.now, reply, 0, 0))
        call.tell(events.EngineFailed(call.now, "tts", "broken", reply))
    assert call.asked() == []
    assert call.core.view == "PROCESSING"


def test_a_model_that_has_finished_says_no_more(call: Call) -> None:
    """Text, tools and a second end after the end are late."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.answers("Or ten. ")
    call.wants("t")
    assert call.asked() == []


def test_a_reply_without_a_clause_can_not_sound(call: Call) -> None:
    """A wire that claims it is mistaken."""
    call.asks("What does it cost?")
    call.sounds()
    assert call.core.view == "PROCESSING"


def test_audio_keeps_a_reply_alive(call: Call) -> None:
    """A slow voice that still gives audio is not given up."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.hush(10_016)
    call.tell(events.ClauseAudioStarted(call.now, call.reply, 0))
    call.hush(10_016)
    call.tell(events.ClauseAudioFinished(call.now, call.reply, 0, 8000))
    call.hush(10_016)
    assert call.asked() == []
    call.hush(2016)
    assert call.asked()[0] == CancelReply(call.reply - 1)
