"""Who has the floor: guesses, turns that grow, interruptions and backchannels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation.commands import (
    CancelReply,
    Duck,
    FinishTranscript,
    Hold,
    Pause,
    Release,
    Resume,
    Speak,
    StartReply,
)
from client_caller.conversation.history import (
    CUT_MARK,
    NOTHING_HEARD,
    AgentSaid,
    CallerSaid,
    Message,
)
from client_caller.conversation.policy import HANG_UP, Phrases, Policy

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]

LONG = "The small box costs nine euros, and the large one costs twelve."


# ---------------------------------------------------------------- speculation


def test_a_reply_begins_in_the_pause_and_is_released_with_the_turn(call: Call) -> None:
    """The model thinks while nobody knows yet whether the caller has finished; not a sample goes out before."""
    call.says("What does it cost?")
    assert call.asked() == [FinishTranscript(1), StartReply(2)]
    assert call.core.messages(2)[-1] == Message("user", "What does it cost?")
    assert call.turns() == []
    call.answers("Nine euros.")
    assert call.spoken() == ["Nine euros."]
    call.hush(352)
    assert call.asked() == []
    call.hush(32)
    assert call.asked() == [Release(2)]
    assert call.core.messages(2)[-1] == Message("user", "What does it cost?")


def test_a_guess_is_told_the_words_that_it_answers(call: Call) -> None:
    """They come last in what was said before it, although the history has them only when the turn is over."""
    before = call.core.history
    call.says("What does it cost?")
    assert call.asked() == [FinishTranscript(1), StartReply(2)]
    assert call.core.history == before
    *history, words = call.core.said_before(2)
    assert tuple(history) == before
    assert isinstance(words, CallerSaid)
    assert words.text == "What does it cost?"
    assert call.core.said_before(3) == before


def test_a_guess_is_withdrawn_when_the_words_change(call: Call) -> None:
    """The caller goes on: what was prepared was never heard, and leaves no trace."""
    call.says("What does it cost")
    call.answers("Nine euros.")
    call.asked()
    call.talk(320)
    call.partial("to")
    assert call.asked() == [CancelReply(2)]
    call.hush(96)
    call.final("to send it?")
    call.finished()
    call.hush(384)
    assert call.asked() == [FinishTranscript(2), StartReply(3), Release(3)]
    assert call.turns() == ["What does it cost to send it?"]
    assert not any(isinstance(entry, AgentSaid) and entry.cut for entry in call.core.history)


def test_a_guess_survives_a_breath(call: Call) -> None:
    """Speech without new words, and words that differ in nothing but a full stop, are no reason to think again."""
    call.says("What does it cost")
    call.asked()
    call.talk(128)
    call.partial(" ")
    call.hush(480)
    call.finished()
    assert call.asked() == [FinishTranscript(2), Release(2)]


def test_a_failed_guess_is_made_again_when_the_turn_is_over(call: Call) -> None:
    """Quietly: the caller was not promised anything yet. And not before, or a broken model would be asked for ever."""
    call.says("What does it cost?")
    call.asked()
    call.fails("llm")
    assert call.asked() == [CancelReply(2)]
    call.hush(384)
    assert call.asked() == [StartReply(3), Release(3)]


def test_a_failed_guess_is_no_failed_reply(call: Call) -> None:
    """However many replies failed before it, nobody is told goodbye while they still speak."""
    for _ in range(call.policy.failures_in_a_row - 1):
        call.asks("What does it cost?")
        call.fails("llm")
        call.plays()
    call.says("What does it cost?")
    call.asked()
    call.fails("llm")
    assert call.asked() == [CancelReply(call.reply)]


def test_a_guess_at_words_that_are_taken_back_is_withdrawn(call: Call) -> None:
    """Speech to text thought it had heard something: the agent must not go on holding an answer to nothing."""
    call.talk(320)
    call.partial("perhaps")
    call.hush(96)
    call.finished()
    assert call.asked() == [StartReply(2), FinishTranscript(1), CancelReply(2)]
    call.hush(8000)
    assert call.spoken() == ["Are you still there?"]


def test_there_is_no_guess_without_words(call: Call) -> None:
    """There is nothing to answer yet."""
    call.talk(640)
    call.hush(96)
    assert call.asked() == [FinishTranscript(1)]


def test_a_pause_is_enough_for_a_guess(call: Call) -> None:
    """The words known at the first sign of a pause are answered at once, before they are final."""
    call.talk(640)
    call.partial("What does it cost")
    call.hush(32)
    assert call.asked() == []
    call.hush(32)
    assert call.asked() == [StartReply(2)]
    call.hush(32)
    call.final("What does it cost?")
    call.finished()
    call.hush(384)
    assert call.asked() == [FinishTranscript(1), Release(2)]


def test_words_that_promise_more_are_not_answered_so_soon(call: Call) -> None:
    """Half of the longest wait, then a guess is worth its price."""
    call.talk(640)
    call.partial("My number is")
    call.hush(512)
    assert call.asked() == [FinishTranscript(1)]
    call.hush(64)
    assert call.asked() == [StartReply(2)]


def test_a_stable_partial_is_answered_while_the_caller_still_speaks(new_call: NewCall) -> None:
    """Unless they say more, the answer is ready when they have finished."""
    call = new_call(Policy(stable_partial=400), Phrases(greeting=""))
    call.start()
    call.talk(640)
    call.partial("What does it cost")
    call.talk(384)
    assert call.asked() == []
    call.partial("what does it cost")
    call.talk(32)
    assert call.asked() == [StartReply(1)]
    call.answers("Nine euros.")
    call.hush(96)
    call.final("What does it cost?")
    call.finished()
    call.hush(384)
    assert call.asked()[-1] == Release(1)


def test_a_guess_gets_a_voice_when_the_caller_pauses(new_call: NewCall) -> None:
    """While they speak on most guesses are wrong: of those nothing is synthesised."""
    call = new_call(Policy(stable_partial=0), Phrases(greeting=""))
    call.start()
    call.talk(640)
    call.partial("What does it cost")
    call.answers("Nine euros, I think.")
    call.talk(96)
    assert call.asked() == [StartReply(1)]
    call.partial("What does it cost tomorrow")
    call.answers("Ten euros.")
    call.talk(96)
    assert call.asked() == [CancelReply(1), StartReply(2)]
    call.hush(32)
    assert call.asked() == [Speak(2, 0, "Ten euros.")]
    assert call.core.memory.wasted_words == 4


def test_a_breath_is_the_first_sign_of_a_pause(new_call: NewCall) -> None:
    """The voice has stopped before the ears call it silence: the reply is begun by then."""
    call = new_call(Policy(), Phrases(greeting=""))
    call.start()
    call.talk(640, level=-20.0)
    call.partial("What does it cost")
    call.talk(32, level=-50.0)
    assert call.asked() == []
    call.talk(32, level=-50.0)
    assert call.asked() == [StartReply(1)]


def test_a_reply_gets_its_voice_in_a_breath(new_call: NewCall) -> None:
    """What is said on a partial waits for the first sign of a pause, not for the ears to call it silence."""
    call = new_call(Policy(stable_partial=0), Phrases(greeting=""))
    call.start()
    call.talk(640, level=-20.0)
    call.partial("What does it cost")
    call.answers("Nine euros.")
    call.talk(32, level=-50.0)
    assert call.asked() == [StartReply(1)]
    call.talk(32, level=-50.0)
    assert call.asked() == [Speak(1, 0, "Nine euros.")]


def test_some_guesses_are_kept_for_the_pauses(new_call: NewCall) -> None:
    """Who talks for long makes the model guess in vain; what is said last is answered ahead of time all the same."""
    call = new_call(Policy(stable_partial=0, guesses_in_a_turn=3, guesses_kept=2), Phrases(greeting=""))
    call.start()
    for words in ("I want fish", "I want fish and meat", "I want fish and meat and soup"):
        call.talk(320)
        call.partial(words)
    assert [c.reply for c in call.asked() if isinstance(c, StartReply)] == [1]
    call.hush(96)
    assert [c.reply for c in call.asked() if isinstance(c, StartReply)] == [2]


def test_a_model_that_calls_a_guess_done_without_a_word_has_not_failed_yet(new_call: NewCall) -> None:
    """What it said waits for its voice."""
    call = new_call(Policy(stable_partial=0), Phrases(greeting=""))
    call.start()
    call.talk(640)
    call.partial("Goodbye, that is all")
    call.thinks("Goodbye.")
    call.wants("t1", HANG_UP)
    call.thought()
    call.talk(32)
    assert call.asked() == [StartReply(1)]


def test_no_guess_before_a_pause_if_it_is_not_wanted(new_call: NewCall) -> None:
    """Some models cost money for every token."""
    call = new_call(Policy(), Phrases(greeting=""))
    call.start()
    call.talk(640)
    call.partial("What does it cost")
    call.talk(960)
    assert call.asked() == []


def test_guesses_in_a_turn_are_bounded(new_call: NewCall) -> None:
    """A caller who thinks aloud does not keep the model busy for ever; when they have finished they are answered."""
    call = new_call(Policy(guesses_in_a_turn=2), Phrases(greeting=""))
    call.start()
    for words in ("I want fish", "I want fish or meat", "I want fish or meat or soup"):
        call.talk(320)
        call.partial(words)
        call.hush(96)
    assert [c.reply for c in call.asked() if isinstance(c, StartReply)] == [1, 2]
    call.final("I want fish or meat or soup")
    call.finished()
    call.hush(384)
    assert call.asked() == [StartReply(3), Release(3)]


def test_wasted_words_in_a_call_are_bounded(new_call: NewCall) -> None:
    """Words that were synthesised and never heard are counted; when there are too many, guessing stops."""
    call = new_call(Policy(wasted_words=3), Phrases(greeting=""))
    call.start()
    call.talk(320)
    call.partial("I want fish")
    call.hush(96)
    call.answers("With potatoes or rice?")
    call.talk(320)
    call.partial("I want fish and meat")
    call.hush(96)
    assert call.core.memory.wasted_words == 4
    assert [c.reply for c in call.asked() if isinstance(c, StartReply)] == [1]


# ---------------------------------------------------------------- extension


def test_speech_before_the_first_sound_extends_the_turn(call: Call) -> None:
    """It is never an interruption: the reply is held, and withdrawn for one that answers everything."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    call.talk(960)
    assert call.asked() == [Hold(2)]
    assert call.core.view == "LISTENING"
    call.hush(96)
    call.final("The large one.")
    call.finished()
    call.hush(384)
    assert call.asked() == [FinishTranscript(2), CancelReply(2), StartReply(3), Release(3)]
    assert call.turns() == ["What does it cost? The large one."]
    assert [message.role for message in call.core.messages(3)] == ["user", "assistant", "user"]


def test_noise_again_and_again_does_not_keep_the_reply_from_being_heard(call: Call) -> None:
    """Each noise holds the reply only for as long as it lasts and is not understood; the reply is never made anew."""
    call.asks("What does it cost?")
    call.answers("Nine euros.")
    call.asked()
    for number in range(2, 12):
        call.talk(320)
        call.hush(96)
        call.finished()
        assert call.asked() == [Hold(2), FinishTranscript(number), Release(2)]
    call.plays()
    assert isinstance(call.core.history[-1], AgentSaid)


def test_the_reply_to_a_longer_turn_is_a_guess_as_well(call: Call) -> None:
    """In the pause of the extension it may begin, with both parts of the turn."""
    call.asks("What does it cost?")
    call.asked()
    call.says("The large one.")
    assert call.asked() == [Hold(2), FinishTranscript(2), CancelReply(2), StartReply(3)]
    assert call.core.messages(3)[-1] == Message("user", "What does it cost? The large one.")
    assert call.turns() == ["What does it cost?"]


# ---------------------------------------------------------------- barge-in


@pytest.fixture
def speaking(call: Call) -> Call:
    """The agent is in the middle of a long reply: three words of it were heard."""
    call.asks("What does it cost?")
    call.answers(LONG)
    call.plays(3)
    call.asked()
    assert call.core.view == "SPEAKING"
    return call


def test_the_agent_speaks_softly_after_64_ms_and_is_silent_after_224(speaking: Call) -> None:
    """While nobody knows what the caller says, nothing is given up."""
    speaking.talk(32)
    assert speaking.asked() == []
    speaking.talk(32)
    assert speaking.asked() == [Duck(2)]
    speaking.talk(128)
    assert speaking.asked() == []
    assert speaking.core.view == "SPEAKING"
    speaking.talk(32)
    assert speaking.asked() == [Pause(2)]


def test_a_sound_that_is_soon_over_is_spoken_over(speaking: Call) -> None:
    """A click, a short cough: softly while it lasts, loud again when it has been over for three windows. No pause."""
    speaking.talk(160)
    speaking.hush(64)
    assert speaking.asked() == [Duck(2)]
    speaking.hush(32)
    assert speaking.asked() == [FinishTranscript(2), Resume(2)]
    assert speaking.core.view == "SPEAKING"


def test_a_sound_without_words_is_a_pause_of_120_ms(speaking: Call) -> None:
    """A sneeze of a quarter of a second: for so long its words, if it had any, could still come."""
    speaking.talk(224)
    speaking.hush(96)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.stall(23)
    assert speaking.asked() == []
    speaking.stall(1)
    assert speaking.asked() == [Resume(2)]


def test_a_sound_has_faded_though_the_ears_hear_speech_on(speaking: Call) -> None:
    """20 dB below its loudest for three windows, it is over: detectors need a tenth of a second and more to say so."""
    for level in (-22.0, -20.0, -45.0, -47.0, -30.0):
        speaking.window(0.9, level)
    assert speaking.asked() == [Duck(2)], "a closure of two windows inside a word is not the end"
    for _ in range(2):
        speaking.window(0.05, -60.0)
    speaking.window(0.05, -60.0)
    assert speaking.asked() == [FinishTranscript(2), Resume(2)]


def test_a_sound_from_the_background_is_not_the_callers(call: Call) -> None:
    """The caller's own voice is known by now: talk 20 dB below it is somebody else's in the room."""
    for _ in range(25):
        call.window(0.9, -20.0)
    call.hush(96)
    call.final("What does it cost?")
    call.finished()
    call.hush(384)
    call.answers(LONG)
    call.plays(3)
    call.asked()
    for _ in range(20):
        call.window(0.95, -41.0)
    assert call.asked() == []
    for _ in range(2):
        call.window(0.95, -39.0)
    assert call.asked() == [Duck(2)]


@pytest.mark.parametrize(("words", "taken"), [("What about", [CancelReply(2)]), ("What", [])])
def test_two_words_take_the_floor_in_250_ms(speaking: Call, words: str, taken: list[CancelReply]) -> None:
    """One does not: it may be a listener's, misheard."""
    speaking.talk(256)
    speaking.partial(words)
    assert speaking.asked() == [Duck(2), Pause(2), *taken]


def test_words_make_a_pause_an_interruption(speaking: Call) -> None:
    """They come later than the sound; the agent has been silent since."""
    speaking.talk(480)
    speaking.partial("What")
    assert speaking.asked() == [Duck(2), Pause(2)]
    speaking.partial("What about")
    assert speaking.asked() == [CancelReply(2)]
    assert speaking.core.view == "INTERRUPTED"


def test_a_single_word_that_is_left_of_a_pause_takes_the_floor(speaking: Call) -> None:
    """ "Tomorrow", said slowly, is meant to be heard, also when its word comes only after the sound was over."""
    speaking.says("Tomorrow.", 480)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2), CancelReply(2), StartReply(3)]
    speaking.hush(384)
    assert speaking.turns()[-1] == "Tomorrow."


def test_who_separates_their_words_is_not_spoken_over_between_them(speaking: Call) -> None:
    """ "Four. Queen of clubs.": the agent stays silent after a word too short to be meant, until no more can follow."""
    speaking.says("Four.", 320)
    speaking.hush(96)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.talk(64)
    speaking.partial("queen")
    assert speaking.asked() == [CancelReply(2)]


def test_after_a_single_short_word_the_agent_goes_on(speaking: Call) -> None:
    """A listener's, misheard: no more follows within the longest gap between two words."""
    speaking.says("Mow.", 320)
    speaking.hush(96)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.hush(32)
    assert speaking.asked() == [Resume(2)]


def test_the_word_of_a_long_sound_comes_before_the_agent_does(speaking: Call) -> None:
    """A pause that is no breath any more waits for the words that speech to text is about to find."""
    speaking.talk(416)
    speaking.hush(128)
    speaking.partial("Express")
    speaking.hush(64)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.talk(64)
    speaking.partial("Express please")
    assert speaking.asked() == [CancelReply(2)]


def test_a_word_that_comes_a_moment_too_late_silences_the_agent_again(speaking: Call) -> None:
    """The sound was over, and the agent went on just before its word was known: there is more to come."""
    speaking.talk(224)
    speaking.hush(128)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2), Resume(2)]
    speaking.partial("Four")
    assert speaking.asked() == [Pause(2)]
    speaking.hush(160)
    speaking.finished()
    assert speaking.asked() == [Resume(2)]


def test_who_has_said_a_word_and_goes_on_is_not_spoken_over(speaking: Call) -> None:
    """The next sound silences the agent as soon as it is one."""
    speaking.says("Four.", 320)
    speaking.hush(160)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2), Resume(2)]
    speaking.talk(64)
    assert speaking.asked() == [Pause(2)]


def test_what_is_hardly_speech_never_silences_the_agent(speaking: Call) -> None:
    """A sneeze, a coffee shop: softly while it lasts. Its words, if it has any, do."""
    for _ in range(20):
        speaking.window(0.7)
    assert speaking.asked() == [Duck(2)]
    speaking.partial("Four")
    assert speaking.asked() == [Pause(2)]


def test_a_noise_is_a_pause_and_no_more(speaking: Call) -> None:
    """When it is over and had no words the agent goes on, and loses none of its own."""
    speaking.sends(1)
    speaking.talk(640)
    speaking.hush(192)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.stall(8)
    assert speaking.asked() == [Resume(2)]
    assert speaking.core.view == "SPEAKING"
    speaking.hush(1280)
    speaking.plays()
    said = speaking.core.history[-1]
    assert isinstance(said, AgentSaid)
    assert (said.heard, said.cut) == (LONG, False)
    assert speaking.turns() == ["What does it cost?"]


def test_a_long_listener_s_word_is_a_pause_and_no_more(speaking: Call) -> None:
    """Drawn out over half a second, "yeah" pauses the agent only until it is known for what it is."""
    speaking.talk(320)
    speaking.partial("Yeah")
    speaking.talk(224)
    assert speaking.asked() == [Duck(2), Pause(2), Resume(2)]


def test_a_word_heard_again_counts_once(speaking: Call) -> None:
    """After a pause the far end plays, and proves, words that it had played and proven before."""
    speaking.talk(480)
    speaking.hush(96)
    speaking.finished()
    speaking.replays()
    speaking.plays(2)
    speaking.asks("And the large one?")
    said = speaking.core.history[-2]
    assert isinstance(said, AgentSaid)
    assert said.heard == "The small box costs nine"


def test_without_an_answer_from_speech_to_text_the_agent_goes_on(speaking: Call) -> None:
    """It does not stay silent for the rest of words that never come."""
    speaking.talk(480)
    speaking.partial("Tomorrow")
    speaking.hush(1472)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2)]
    speaking.hush(32)
    assert speaking.asked() == [Resume(2)]
    assert speaking.turns()[-1] == "(Tomorrow)"


def test_a_paused_reply_does_not_end_by_itself(speaking: Call) -> None:
    """All of it was sent, and none of the proof will come: that is no reason to take it for heard."""
    speaking.sends()
    speaking.talk(480)
    speaking.partial("Tomorrow")
    for _ in range(4):
        speaking.talk(96)
        speaking.hush(928)
    assert Pause(2) in speaking.asked()
    assert speaking.core.memory.reply is not None
    speaking.hush(992)
    assert speaking.asked()[-1] == Resume(2)


def test_a_goodbye_at_the_end_of_the_time_is_not_paused(new_call: NewCall) -> None:
    """The agent says its last words whatever the caller does."""
    call = new_call(Policy(max_call=2000, max_call_warning=2000))
    call.start()
    call.plays()
    call.hush(2016)
    call.sounds()
    call.asked()
    call.talk(1920)
    assert call.asked() == []


def test_a_cut_reply_is_in_the_history_as_far_as_it_was_heard(speaking: Call) -> None:
    """Word for word; the model sees that the rest was cut off."""
    speaking.sends(2)
    speaking.asks("And the large one?")
    said = speaking.core.history[-2]
    assert isinstance(said, AgentSaid)
    assert (said.heard, said.unheard, said.cut) == ("The small box", LONG.removeprefix("The small box "), True)
    assert [message.content for message in speaking.core.messages(3)][-2:] == [
        "The small box" + CUT_MARK,
        "And the large one?",
    ]


def test_marks_that_come_back_after_the_cut_were_not_heard(speaking: Call) -> None:
    """The far end returns all pending marks when it is told to be silent."""
    speaking.sends()
    speaking.talk(480)
    speaking.partial("What about")
    before = speaking.core.history
    speaking.hears()
    assert speaking.core.history == before
    said = before[-1]
    assert isinstance(said, AgentSaid)
    assert said.heard == "The small box"


def test_a_reply_cut_before_its_first_word_was_through(call: Call) -> None:
    """It had the floor, and nothing of it was heard."""
    call.asks("What does it cost?")
    call.answers(LONG)
    call.sounds()
    call.asks("Never mind.")
    assert call.core.messages(3)[-2] == Message("assistant", NOTHING_HEARD + CUT_MARK)


def test_syllables_with_short_gaps_are_one_utterance(speaking: Call) -> None:
    """An interruption does not have to be one breath; but two sounds far apart are two."""
    speaking.talk(96)
    speaking.hush(64)
    speaking.talk(64)
    assert speaking.asked() == [Duck(2), FinishTranscript(2), Resume(2), Pause(2)]


def test_sounds_far_apart_are_no_interruption(speaking: Call) -> None:
    """Each is judged by its own length."""
    for _ in range(3):
        speaking.talk(192)
        speaking.hush(224)
    assert Pause(2) not in speaking.asked()


def test_a_backchannel_is_kept_and_does_not_stop_the_agent(speaking: Call) -> None:
    """ "Uh-huh" in the middle of a reply is in the history, marked as what it was, and nobody answers it."""
    speaking.says("Uh-huh.", 320)
    speaking.hush(1280)
    assert speaking.asked() == [Duck(2), Pause(2), FinishTranscript(2), Resume(2)]
    assert speaking.turns() == ["What does it cost?", "(Uh-huh.)"]
    speaking.plays()
    assert speaking.asked() == []
    assert speaking.core.view == "LISTENING"


def test_a_sound_without_words_leaves_nothing(speaking: Call) -> None:
    """A cough over the agent's words."""
    speaking.talk(320)
    speaking.hush(96)
    speaking.finished()
    speaking.hush(1280)
    assert speaking.turns() == ["What does it cost?"]


def test_a_short_word_at_the_end_of_a_reply_is_its_answer(speaking: Call) -> None:
    """ "Yes" over the last words of a question takes its turn when the question has ended."""
    speaking.says("Yes.", 320)
    speaking.hush(320)
    speaking.asked()
    speaking.plays()
    assert speaking.asked() == [StartReply(3)]
    speaking.hush(64)
    assert speaking.asked() == [Release(3)]
    assert speaking.turns() == ["What does it cost?", "Yes."]


def test_who_takes_the_floor_without_words_is_answered(speaking: Call) -> None:
    """Who goes on for 1.5 s means it. The agent stopped for it: to say nothing then would leave the line silent."""
    speaking.talk(1536)
    speaking.hush(96)
    speaking.finished()
    speaking.hush(384)
    assert " ".join(speaking.spoken()) == speaking.phrases.not_understood


def test_noise_that_is_known_for_noise_does_not_take_the_floor(speaking: Call) -> None:
    """Twice in a row nothing was understood: a television is waited for, not answered, and does not cut a reply."""
    speaking.core.memory.not_understood = 2
    speaking.talk(2976)
    assert speaking.asked() == [Duck(2), Pause(2)]
    speaking.talk(64)
    assert speaking.asked() == [Resume(2)]


def test_an_interruption_is_over_when_the_agent_is_heard_again(speaking: Call) -> None:
    """Until then the caller has the floor that they took."""
    speaking.asks("And the large one?")
    views = [speaking.core.view]
    speaking.answers("Twelve.")
    speaking.sounds()
    views.append(speaking.core.view)
    speaking.talk(128)
    speaking.plays()
    assert [*views, speaking.core.view] == ["PROCESSING", "SPEAKING", "LISTENING"]


def test_who_took_the_floor_has_it_until_their_turn_is_over(speaking: Call) -> None:
    """Going on before the answer sounds is no interruption any more: there is nothing to interrupt."""
    speaking.asks("And the large one?")
    speaking.talk(128)
    assert speaking.core.view == "LISTENING"
