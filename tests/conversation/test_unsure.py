"""Words that speech to text is not sure of: the caller is asked again, a few times."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation import commands, events
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.turn import CallerTurn

from .conftest import Call

UNSURE = ["Sorry, I am not sure that I heard you right.", "Could you say that again?"]
LOW, HIGH = 0.2, 0.9


def says(call: Call, text: str, confidence: float | None) -> None:
    call.talk(800)
    call.hush(96)
    call.tell(events.FinalTranscript(call.now, text, confidence))
    call.finished()
    call.hush(call.policy.endpoint_closed - 96)


def asks(call: Call, text: str, confidence: float | None) -> list[str]:
    """What is spoken for it, heard to its end."""
    says(call, text, confidence)
    if call.core.memory.reply is not None and call.core.memory.reply.made_by_model:
        call.answers("Yes.")
    spoken = call.spoken()
    call.plays()
    call.hush(320)
    return spoken


def test_words_that_nobody_is_sure_of_are_asked_for_again_twice(call: Call) -> None:
    """Then they are answered as they are; words that are sure begin the count anew, and all are in the history."""
    answers = [asks(call, "are you open", confidence) for confidence in (LOW, LOW, LOW, HIGH, LOW)]
    assert answers == [UNSURE, UNSURE, ["Yes."], ["Yes."], UNSURE]
    assert call.turns() == ["are you open"] * 5


@pytest.mark.parametrize("confidence", [None, HIGH, Policy().clarify_below + 0.01])
def test_words_are_believed_unless_the_engine_says_otherwise(call: Call, confidence: float | None) -> None:
    """An engine that says nothing is not unsure."""
    assert asks(call, "are you open", confidence) == ["Yes."]


@pytest.mark.parametrize("word", ["yes", "Stop.", "seven"])
def test_a_single_word_is_believed(call: Call, word: str) -> None:
    """It is short, so engines are seldom sure of it; and asking again costs more than a mistake."""
    assert asks(call, word, LOW) == ["Yes."]


def test_keys_are_sure(call: Call) -> None:
    """They are counted with the words around them."""
    for digit in "123":
        call.press(digit)
    assert asks(call, "is my number", LOW) == ["Yes."]


def test_no_guess_is_made_at_words_in_doubt(call: Call) -> None:
    """One that was made before they came is taken back, unheard."""
    call.talk(800)
    call.partial("are you open")
    call.hush(96)
    assert any(isinstance(command, commands.StartReply) for command in call.asked())
    call.tell(events.FinalTranscript(call.now, "are you open", LOW))
    assert call.asked() == [commands.CancelReply(call.reply)]
    call.finished()
    call.hush(480)
    assert call.spoken() == UNSURE


def test_a_hard_stop_in_doubt_stops_the_agent(call: Call) -> None:
    """Whoever may have said "wait" is not spoken over."""
    says(call, "are you open", HIGH)
    call.answers("Yes, until ten.")
    call.plays(1)
    call.asked()
    call.talk(320)
    call.tell(events.FinalTranscript(call.now, "wait a moment", LOW))
    assert commands.CancelReply(call.reply) in call.asked()


def test_words_and_sounds_that_are_not_understood_are_counted_together(call: Call) -> None:
    """A caller is not asked more often for having both."""
    assert asks(call, "are you open", LOW) == UNSURE
    call.talk(960)
    call.hush(96)
    call.finished()
    call.hush(480)
    assert call.spoken() == [call.phrases.not_understood]
    call.plays()
    call.hush(320)
    assert asks(call, "are you open", LOW) == ["Yes."]


def test_an_agent_may_take_all_words_as_they_are(new_call: Callable[..., Call]) -> None:
    """By policy, or by having nothing to say."""
    for call in (new_call(Policy(clarify_below=0)), new_call(phrases=Phrases(unsure=""))):
        call.start()
        call.plays()
        call.hush(320)
        call.asked()
        assert asks(call, "are you open", 0.0) == ["Yes."]


@given(st.lists(st.tuples(st.integers(1, 5), st.none() | st.floats(0, 1)), max_size=5))
def test_a_turns_confidence_is_that_of_its_words_on_average(finals: list[tuple[int, float | None]]) -> None:
    """It lies between those of its parts, and only those count of which it is known."""
    turn = CallerTurn()
    for number, confidence in finals:
        turn.add(" ".join(["word"] * number), 0, confidence)
    known = [(number, confidence) for number, confidence in finals if confidence is not None]
    if sum(number for number, _ in known) > 1:
        parts = [confidence for _, confidence in known]
        assert min(parts) - 1e-9 <= turn.confidence <= max(parts) + 1e-9
    else:
        assert turn.confidence == 1
