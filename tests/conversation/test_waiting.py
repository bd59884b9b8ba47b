"""Silence is owned: how the agent covers its own, and what it makes of the caller's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from client_caller.conversation.commands import Duck, EndCall, FinishTranscript, Pause, Resume
from client_caller.conversation.history import CallerSaid
from client_caller.conversation.policy import Phrases
from client_caller.conversation.state import CallState

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


# ---------------------------------------------------------------- fillers


def test_a_slow_model_is_covered_by_a_filler(call: Call) -> None:
    """After 1.5 s of silence the agent says that it is still there, then every four, in other words."""
    call.asks("What does it cost?")
    call.asked()
    call.stall(1499)
    assert call.spoken() == []
    call.stall(1)
    assert call.spoken() == ["One moment, please."]
    call.stall(500)
    call.plays()
    call.stall(3999)
    assert call.spoken() == []
    call.stall(1)
    assert call.spoken() == ["Just a second."]


def test_words_after_a_filler_end_the_wait_that_it_asked_for(call: Call) -> None:
    """The next silence is a new one: it is covered after 1.5 s, not after four."""
    call.asks("What does it cost?")
    call.hush(1504)
    call.plays()
    call.thinks("Let me see. ")
    call.wants("t1")
    call.thought()
    call.plays()
    call.asked()
    call.stall(1499)
    assert call.asked() == []
    call.stall(1)
    assert call.spoken() == ["Just a second."]


def test_a_reply_made_anew_does_not_make_the_silence_new(call: Call) -> None:
    """Late words withdraw the reply; the caller has been waiting since the end of their turn all the same."""
    call.talk(640)
    call.partial("I want")
    call.hush(1472)
    call.stall(28)
    assert call.turns() == ["I want"]
    call.stall(1000)
    call.final("I want a refund.")
    call.finished()
    call.asked()
    call.stall(499)
    assert call.asked() == []
    call.stall(1)
    assert call.spoken() == ["One moment, please."]


def test_fillers_take_turns_over_the_whole_call(call: Call) -> None:
    """The next wait does not begin with the same words as the last."""
    fillers = []
    for question in ("One?", "Two?", "Three?", "Four?"):
        call.asks(question)
        call.asked()
        call.hush(1504)
        fillers += call.spoken()
        call.plays()
        call.answers("Yes.")
        call.plays()
    assert fillers == [*call.phrases.fillers, call.phrases.fillers[0]]


def test_an_agents_own_filler_comes_first(call: Call) -> None:
    """A tool may have one; after it the usual phrases follow."""
    call.asks("What does it cost?")
    call.wants("t1", filler="I am asking the warehouse.")
    call.asked()
    call.hush(1504)
    assert call.spoken() == ["I am asking the warehouse."]
    call.plays()
    call.hush(4000)
    (usual,) = call.spoken()
    assert usual in call.phrases.fillers


def test_no_filler_while_audio_is_queued_or_playing(call: Call) -> None:
    """Silence counts from the last word that was heard."""
    call.asks("What does it cost?")
    call.thinks("Let me see, please. Then ")
    call.asked()
    call.plays(2)
    call.hush(3008)
    assert call.asked() == []
    call.plays()
    call.hush(1472)
    assert call.asked() == []
    call.hush(32)
    assert call.spoken() == ["One moment, please."]


def test_no_filler_while_the_caller_speaks(call: Call) -> None:
    """A word over a slow tool is listened to; the silence after it is the agent's again."""
    call.asks("What does it cost?")
    call.thinks("Let me see. ")
    call.wants("t1")
    call.thought()
    call.plays()
    call.hush(1280)
    call.asked()
    call.talk(320)
    call.hush(224)
    assert call.asked() == [Duck(2), Pause(2), FinishTranscript(2), Resume(2)]
    call.finished()
    call.hush(832)
    assert call.spoken() == ["One moment, please."]


def test_no_filler_when_there_is_none(new_call: NewCall) -> None:
    """Somebody may want silence instead."""
    call = new_call(phrases=Phrases(greeting="", fillers=()))
    call.start()
    call.asks("What does it cost?")
    call.asked()
    call.hush(11_008)
    assert call.asked() == []


# ---------------------------------------------------------------- a silent caller


def test_a_silent_caller_is_asked_twice_and_then_left(call: Call) -> None:
    """Eight seconds each, then a goodbye, heard to its end, and a last moment to object."""
    heard_at = call.now - 320
    for phrase in call.phrases.still_there:
        call.stall(8000 - (call.now - heard_at) - 1)
        assert call.spoken() == []
        call.stall(1)
        assert " ".join(call.spoken()) == phrase
        call.stall(700)
        call.plays()
        heard_at = call.now
    call.stall(8000)
    assert " ".join(call.spoken()) == call.phrases.goodbye_after_silence
    call.plays()
    assert call.core.memory.call is CallState.CLOSING
    call.stall(1499)
    assert call.asked() == []
    call.stall(1)
    assert call.asked() == [EndCall("caller_silent")]


def test_a_caller_who_speaks_is_not_asked(call: Call) -> None:
    """However long they were silent before, and however long they speak now."""
    call.hush(7008)
    call.talk(640)
    call.partial("my number is")
    call.talk(2016)
    assert call.spoken() == []


def test_the_silence_counts_from_the_start_of_the_call(new_call: NewCall) -> None:
    """It may have rung for a while before."""
    call = new_call(phrases=Phrases(greeting=""))
    call.now = 5000
    call.start()
    call.stall(7999)
    assert call.spoken() == []
    call.stall(1)
    assert call.spoken() == ["Are you still there?"]


def test_a_caller_who_answers_is_asked_again_from_the_beginning(call: Call) -> None:
    """One word is enough to start over."""
    call.hush(8000)
    call.plays()
    call.asks("Yes.")
    call.answers("Good.")
    call.plays()
    call.asked()
    call.hush(8000)
    assert call.spoken() == ["Are you still there?"]


def test_a_noise_is_no_answer(call: Call) -> None:
    """Who is asked whether they are there and coughs is asked again in time."""
    call.hush(8000)
    call.plays()
    call.asked()
    call.talk(320)
    call.hush(96)
    call.finished()
    call.hush(7584)
    assert call.spoken() == ["Hello, can you hear me?"]


def test_the_silence_counts_from_the_callers_last_words(call: Call) -> None:
    """A backchannel at the end of the agent's words shows that they are there."""
    call.asks("What does it cost?")
    call.answers("Nine euros, and twelve for the large one.")
    call.plays(2)
    call.says("Uh-huh.", 320)
    call.hush(1280)
    spoken = call.core.history[-1]
    assert isinstance(spoken, CallerSaid)
    assert spoken.backchannel
    call.plays()
    ended = call.now
    call.asked()
    call.stall(7999)
    assert call.asked() == []
    call.stall(1)
    assert call.spoken() == ["Are you still there?"]
    assert call.now == ended + 8000


def test_a_call_without_questions_goes_straight_to_the_goodbye(new_call: NewCall) -> None:
    """Phrases that are empty are not said; the silences are kept all the same."""
    call = new_call(phrases=Phrases(greeting="", still_there=(), goodbye_after_silence=""))
    call.start()
    call.stall(23_999)
    assert call.asked() == []
    call.stall(1)
    assert call.asked() == [EndCall("caller_silent")]
