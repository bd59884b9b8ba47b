"""When a turn is over, and when a reply is given up: what a call does without being told anything new."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation import events
from client_caller.conversation.commands import (
    CancelReply,
    Command,
    FinishTranscript,
    Hold,
    JudgeTurn,
    Release,
    Speak,
    StartReply,
)
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.history import AgentSaid
from client_caller.conversation.policy import Phrases

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


# ---------------------------------------------------------------- has the caller finished?


@pytest.mark.parametrize(("words", "silence"), [("What does it cost?", 480), ("My number is", 1120)])
def test_a_turn_is_over_after_the_silence_its_words_ask_for(call: Call, words: str, silence: int) -> None:
    """Closed words: 480 ms; open ones: 1100 ms. Not a window earlier."""
    call.says(words)
    call.hush(silence - 96 - 32)
    assert call.turns() == []
    call.hush(32)
    assert call.turns() == [words]


@pytest.mark.parametrize(("next_window", "turns"), [(0.9, []), (0.05, ["What does it cost?"])])
def test_a_turn_does_not_end_while_the_caller_may_begin_to_speak(
    call: Call, next_window: float, turns: list[str]
) -> None:
    """A window of sound just before: the next one tells whether they do, or whether it was a click."""
    call.says("What does it cost?")
    call.hush(320)
    call.window(0.9)
    call.stall(32)
    assert call.turns() == []
    call.tell(events.SpeechProbability(call.now, call.now, next_window))
    assert call.turns() == turns


def test_a_click_does_not_move_the_end_of_a_turn(call: Call) -> None:
    """It is known for one by then."""
    call.says("What does it cost?")
    call.hush(288)
    call.window(0.9)
    call.window(0.05)
    call.stall(31)
    assert call.turns() == []
    call.stall(1)
    assert call.turns() == ["What does it cost?"]


def test_the_turn_model_is_asked_once_for_each_pause() -> None:
    """Together with speech to text: both have something to say about the same silence."""
    core = Conversation(phrases=Phrases(greeting=""))
    core.receive(events.CallStarted(0))
    asked: list[Command] = []
    for window, probability in enumerate([0.9] * 20 + [0.1] * 10 + [0.9] * 10 + [0.1] * 10, start=1):
        asked += core.receive(events.SpeechProbability(window * 32, window * 32, probability))
    assert asked == [FinishTranscript(1), JudgeTurn(1, since=0), FinishTranscript(2), JudgeTurn(2, since=0)]


def test_the_turn_model_is_asked_about_what_nobody_has_answered(call: Call) -> None:
    """From where it began: in a pause, and in one more turn before the answer was heard. What was answered is over."""
    first = call.now
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.plays()
    call.hush(960)
    second = call.now
    call.says("I mean", 320)
    call.hush(64)
    call.says("for two", 320)
    call.hush(480)
    assert call.turns() == ["What does it cost?", "I mean for two"]
    call.says("of us", 320)
    assert call.judged_since == [first, second, second, second]


def test_a_turn_model_in_doubt_is_asked_once_more(call: Call) -> None:
    """It may think otherwise when it has heard more of the silence; then it has had its say."""
    call.talk(1280)
    call.partial("It is blue")
    call.hush(96)
    assert call.judgements == 1
    call.judged(0.05)
    call.hush(192)
    assert call.judgements == 2
    call.judged(0.05)
    call.hush(192)
    assert call.judgements == 2
    call.talk(320)
    call.hush(96)
    call.judged(0.9)
    call.hush(192)
    assert call.judgements == 3


@pytest.mark.parametrize(("completion", "silence"), [(0.05, 1100), (0.3, 480), (0.9, 420)])
def test_a_judgement_moves_the_end_of_the_turn(call: Call, completion: float, silence: int) -> None:
    """As soon as it is known; never to before the present moment."""
    call.says("It is blue", 1280)
    call.judged(completion)
    call.hush(silence - 96 - 31)
    assert call.turns() == []
    call.hush(64)
    assert call.turns() == ["It is blue"]


def test_a_judgement_of_an_earlier_pause_says_nothing_of_this_one(call: Call) -> None:
    """The caller has spoken on since."""
    call.says("It is blue")
    call.talk(320)
    call.judged(0.9)
    call.hush(96)
    call.judged(0.9, request=1)
    call.final("or green")
    call.finished()
    call.hush(352)
    assert call.turns() == []
    call.hush(64)
    assert call.turns() == ["It is blue or green"]


def test_silence_is_asked_about_once_for_each_pause(call: Call) -> None:
    """Three windows of silence, then one request; speech begins a new pause with a request of its own."""
    call.talk(320)
    call.hush(64)
    assert call.asked() == []
    call.hush(320)
    assert call.asked() == [FinishTranscript(1)]
    call.talk(320)
    call.hush(320)
    assert call.asked() == [FinishTranscript(2)]


def test_final_words_are_waited_for_with_patience(call: Call) -> None:
    """A slow transcript delays the turn, but not for ever: it is taken with the words that are known."""
    call.talk(640)
    call.partial("What does it cost")
    call.hush(1472)
    assert call.turns() == []
    call.hush(32)
    assert call.turns() == ["What does it cost"]


def test_words_that_come_within_the_patience_end_it(call: Call) -> None:
    """Silence that has passed meanwhile is not waited for again."""
    call.talk(640)
    call.hush(960)
    call.final("What does it cost?")
    call.finished()
    assert call.turns() == ["What does it cost?"]


def test_a_noise_is_dismissed_as_soon_as_it_has_no_words(call: Call) -> None:
    """A cough leaves no trace, and does not keep the agent waiting."""
    call.talk(320)
    call.hush(96)
    call.finished()
    assert call.turns() == []
    assert not call.core.memory.turn.holds_floor(call.now, call.policy)


def test_long_speech_without_words_is_answered(call: Call) -> None:
    """Half a second of it is somebody who could not be understood; they too may pause for breath."""
    call.talk(512)
    call.hush(96)
    call.asked()
    call.finished()
    call.hush(352)
    assert call.asked() == []
    call.hush(32)
    assert call.asked() == [Speak(2, 0, call.phrases.not_understood), Release(2)]
    assert call.turns() == [""]


def test_what_follows_an_unintelligible_turn_is_the_same_turn(call: Call) -> None:
    """The caller speaks again before the apology sounds: it is withdrawn, and the words are one turn."""
    call.talk(512)
    call.hush(96)
    call.finished()
    call.hush(384)
    call.asks("I said nine.")
    assert call.turns() == ["", "I said nine."]
    assert call.asked()[-1] == Release(3)


def test_speech_without_words_is_not_answered_for_ever(call: Call) -> None:
    """The third time in a row it is the agent's own echo, or a television; words make it a caller again."""

    def mumble() -> list[str]:
        call.talk(640)
        call.hush(96)
        call.finished()
        call.hush(480)
        return call.spoken()

    apology = [call.phrases.not_understood]
    for expected in (apology, apology, [], []):
        assert mumble() == expected
        call.plays()
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.plays()
    call.asked()
    assert mumble() == apology


def test_one_silent_window_is_no_pause(call: Call) -> None:
    """The voice dips inside words: a pause that is to be asked about has to be heard, and for more than a window."""
    for _ in range(5):
        call.talk(160)
        call.hush(32)
    assert call.asked() == []


def test_long_speech_without_words_is_no_turn_while_an_answer_is_owed(call: Call) -> None:
    """A noise after a question does not take its answer away."""
    call.asks("What does it cost?")
    call.asked()
    call.talk(640)
    call.hush(96)
    call.finished()
    assert call.asked() == [Hold(2), FinishTranscript(2), Release(2)]
    assert call.turns() == ["What does it cost?"]


def test_a_noise_after_a_withdrawn_reply_leaves_nothing_in_the_history(call: Call) -> None:
    """The words that withdrew it were taken back: what remains is the question, and its answer is owed as before."""
    call.asks("What does it cost?")
    call.asked()
    call.talk(640)
    call.partial("and")
    assert call.asked() == [Hold(2), CancelReply(2)]
    call.hush(96)
    call.partial("")
    call.finished()
    assert call.asked()[-2:] == [StartReply(3), Release(3)]
    assert call.turns() == ["What does it cost?"]


def test_a_radio_does_not_hold_the_floor(call: Call) -> None:
    """Speech that has no words for three seconds is no speech: the answer that was held for it is heard, over it."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.talk(2976)
    assert call.asked() == [Hold(2)]
    call.talk(64)
    assert call.asked() == [Release(2)]
    call.plays()
    call.talk(960)
    assert call.asked() == []
    assert isinstance(call.core.history[-1], AgentSaid)


def test_a_radio_that_turns_out_to_have_words_takes_the_floor(call: Call) -> None:
    """It was the caller after all."""
    call.asks("What does it cost?")
    call.answers("Nine euros, and twelve for the large one.")
    call.talk(3040)
    call.plays(2)
    call.asked()
    call.partial("but I")
    assert call.asked() == [CancelReply(2)]


# ---------------------------------------------------------------- the line stalls


def test_a_silence_that_nobody_can_hear_is_not_believed(call: Call) -> None:
    """Without audio the caller may be speaking: the turn is over one second later than it would be."""
    call.says("What does it cost?")
    call.stall(1383)
    assert call.turns() == []
    call.stall(1)
    assert call.turns() == ["What does it cost?"]


def test_audio_that_is_a_little_late_is_believed(call: Call) -> None:
    """A frame, a window and a heartbeat are always on their way."""
    call.says("What does it cost?")
    call.hush(288)
    call.stall(96)
    assert call.turns() == ["What does it cost?"]


def test_a_line_that_dies_after_a_click_is_not_waited_for(call: Call) -> None:
    """The window that would tell does not come: when it should have, by the slowest line, the turn is over."""
    call.says("What does it cost?")
    call.hush(320)
    call.window(0.9)
    call.stall(131)
    assert call.turns() == []
    call.stall(1)
    assert call.turns() == ["What does it cost?"]


def test_a_line_that_dies_in_mid_word_does_not_keep_the_floor(call: Call) -> None:
    """After a second and a bit without audio the caller is taken to be silent, and their words are answered."""
    call.talk(640)
    call.partial("What does it cost")
    call.stall(1099)
    assert call.asked() == []
    call.stall(1)
    assert call.asked() == [FinishTranscript(1), StartReply(2)]
    call.final("What does it cost?")
    call.finished()
    call.stall(379)
    assert call.turns() == []
    call.stall(1)
    assert call.turns() == ["What does it cost?"]


def test_deadlines_are_met_by_any_event_that_comes_later(call: Call) -> None:
    """A silent window is as good a reminder as the alarm that was asked for."""
    due = call.core.deadline
    assert due is not None
    call.now = due
    call.tell(events.SpeechProbability(due, due, 0.05))
    assert call.spoken() == ["Are you still there?"]


def test_an_alarm_that_comes_early_changes_nothing(call: Call) -> None:
    """The deadline stands."""
    due = call.core.deadline
    call.tell(events.TimePassed(call.now + 1))
    assert (call.asked(), call.core.deadline) == ([], due)


# ---------------------------------------------------------------- a reply that does not come, or does not end


@pytest.mark.parametrize("fillers", [(), Phrases().fillers])
def test_a_model_that_hangs_is_given_up(new_call: NewCall, fillers: tuple[str, ...]) -> None:
    """After twelve seconds, however many fillers were heard meanwhile."""
    call = new_call(phrases=Phrases(greeting="", fillers=fillers))
    call.start()
    call.asks("What does it cost?")
    hanging = call.reply
    for _ in range(375):
        call.plays()
        assert call.reply == hanging
        call.hush(32)
    assert call.asked()[-4:] == [CancelReply(hanging), *call.apology()]


def test_a_voice_that_hangs_is_given_up(call: Call) -> None:
    """Twelve seconds after the last sign of life."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.stall(11_999)
    assert call.asked() == []
    call.stall(1)
    assert call.asked() == [CancelReply(2), *call.apology()]


def test_a_voice_that_hangs_is_given_up_though_a_tool_runs(call: Call) -> None:
    """The tool takes its time; the words before it were due long ago. Its result is kept for the next reply."""
    call.asks("What does it cost?")
    call.thinks("Let me see. ")
    call.wants("t1")
    call.thought()
    call.asked()
    call.stall(12_000)
    assert call.asked() == [CancelReply(2), *call.apology()]
    call.plays()
    call.tool_returns("t1")
    assert call.asked()[0] == StartReply(4)


def test_a_model_that_gives_a_word_now_and_then_is_not_given_up(call: Call) -> None:
    """However long its first clause takes: fillers cover it."""
    call.asks("What does it cost?")
    slow = call.reply
    for _ in range(4):
        call.thinks("well ")
        for _ in range(2):
            call.hush(5024)
            call.plays()
    assert call.reply == slow


@pytest.mark.parametrize("model", ["has finished", "hangs"])
def test_a_slow_tool_is_not_given_up(call: Call, model: str) -> None:
    """How long a tool may take is its own affair, whatever the model does meanwhile."""
    call.asks("What does it cost?")
    call.wants("t1")
    if model == "has finished":
        call.thought()
    for _ in range(10):
        call.hush(4000)
        call.plays()
    assert call.reply == 2
    assert CancelReply(2) not in call.asked()


def test_a_last_word_without_proof_is_waited_for_a_while(call: Call) -> None:
    """Marks that never come end the reply two seconds after its last word should have been played, as cut."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.sounds()
    call.sends()
    call.hears(1)
    call.asked()
    call.stall(2399)
    assert call.core.view == "SPEAKING"
    call.stall(1)
    assert call.core.history[-1] == AgentSaid(call.now - 2400, call.now, "Nine", "euros.", cut=True)
    assert call.asked() == []
