"""The agent's own voice, come back from the caller's loudspeaker."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation import commands, events
from client_caller.conversation.echo import ENOUGH, callers_own, without_own_words
from client_caller.conversation.policy import Policy

from .conftest import Call

POLICY = Policy()
SAID = "Good evening, this is the Lighthouse restaurant. How can I help you today?"
WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five", "six"]), max_size=9).map(" ".join)


def left(text: str, voiced: int = 0) -> str:
    return without_own_words(text, SAID, voiced, POLICY)


def echo(call: Call, milliseconds: int) -> None:
    """The line brings back what the agent says."""
    for _ in range(milliseconds // 32):
        call.stall(32)
        call.tell(events.SpeechProbability(call.now, call.now, 0.9, -30, 0.8))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("good evening this is the lighthouse restaurant", ""),
        ("How can I help you today? are you open", "are you open"),
        ("good evening, this is the right house restaurant", ""),
        ("this is the white mouse restaurant are you open", "white mouse restaurant are you open"),
        ("today", ""),
        ("are you open today", "are you open today"),
        ("good morning, are you open", "good morning, are you open"),
        ("good evening", ""),
        ("good evening there", ""),
        ("", ""),
        ("...", "..."),
    ],
)
def test_what_the_agent_said_is_left_out_at_the_beginning(text: str, rest: str) -> None:
    """In the agent's order, with a word or two misheard; one or two of its words among others are anybody's."""
    voiced = 0 if len(rest.split()) < 3 else 400
    assert left(text, voiced) == rest


def test_who_had_time_to_say_it_said_it() -> None:
    """A caller who repeats the agent's words slowly enough keeps them."""
    assert left("how can i help you", 999) == ""
    assert left("how can i help you", 1000) == "how can i help you"


@given(WORDS, WORDS, st.integers(0, 3000))
def test_what_is_left_is_the_end_of_what_was_heard(said: str, text: str, voiced: int) -> None:
    """Words are only ever taken from the beginning, and nothing is taken that the agent did not nearly say."""
    rest = without_own_words(text, said, voiced, POLICY)
    assert text.endswith(rest)
    taken = text.removesuffix(rest).split()
    assert sum(word in said.split() for word in taken) >= len(taken) / 2


@given(st.floats(0, 1), st.floats(0, 1))
def test_of_an_echo_no_speech_is_left(probability: float, share: float) -> None:
    """A window is the caller's as it is, or not at all."""
    window = events.SpeechProbability(32, 32, probability, -30, share)
    own = callers_own(window, POLICY)
    is_echo = share >= POLICY.echo_share and probability >= POLICY.silence_threshold
    assert own == (events.SpeechProbability(32, 32, 0.0, -30, share) if is_echo else window)


def test_an_echo_is_no_interruption_and_no_turn(new_call: Callable[..., Call]) -> None:
    """Neither its sound nor its words take the floor, over the agent's words or after them."""
    call = new_call()
    call.start()
    call.plays(4)
    call.asked()
    echo(call, 2000)
    call.partial("hello how can")
    call.final("hello how can I")
    call.plays()
    echo(call, 480)
    call.final("help you")
    call.hush(2000)
    asked = call.asked()
    assert not any(isinstance(c, commands.Pause | commands.CancelReply | commands.StartReply) for c in asked)
    assert call.turns() == []


def test_a_caller_is_heard_behind_and_over_the_echo(new_call: Callable[..., Call]) -> None:
    """Speech that the agent's own does not explain is the caller's, and so are the words beyond the agent's."""
    call = new_call()
    call.start()
    call.plays()
    echo(call, 2000)
    call.partial("hello how can i help you")
    call.talk(960)
    call.hush(96)
    call.final("hello how can i help you are you open on sunday")
    call.finished()
    call.hush(480)
    call.answers("We are.")
    call.plays()
    assert call.turns() == ["are you open on sunday"]


def test_the_beginning_of_an_echo_is_not_believed(new_call: Callable[..., Call]) -> None:
    """On a line that is known for it: four windows are the agent's own, whatever they look like. Then it is a voice."""
    call = new_call()
    call.start()
    call.plays(4)
    echo(call, 640)
    call.hush(320)
    call.asked()
    for _ in range(5):
        call.talk(32 * POLICY.echo_onset)
        echo(call, 320)
        call.hush(320)
    assert call.core.memory.turn.voiced == 0
    assert call.asked() == []
    call.talk(32 * POLICY.echo_onset)
    call.talk(64)
    assert call.core.memory.turn.voiced == 64
    echo(call, 32)
    call.talk(64)
    assert call.core.memory.turn.voiced == 128, "a window within a voice may look like an echo"


def test_without_an_echo_a_caller_may_say_what_the_agent_said(call: Call) -> None:
    """Words are the agent's own only on a line that was heard to bring them back, and not by chance."""
    echo(call, 32 * (ENOUGH - 1))
    call.talk(320)
    call.hush(96)
    call.final("how can I help you")
    call.finished()
    call.hush(480)
    call.answers("You can.")
    call.plays()
    assert call.turns() == ["how can I help you"]


def test_the_last_words_of_a_turn_are_the_callers_though_an_echo_came_since(new_call: Callable[..., Call]) -> None:
    """They come late, while the agent's answer, in the same words, is on the line already."""
    call = new_call()
    call.start()
    call.plays()
    echo(call, 640)
    call.talk(640)
    call.hush(96)
    call.partial("are you open")
    call.hush(1500)
    call.answers("You are open.")
    call.plays(1)
    call.final("how can I help you")
    call.finished()
    call.plays()
    assert call.turns() == ["how can I help you"]
