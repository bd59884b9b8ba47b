"""A word that stops the agent, from a caller whose voice was not noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from client_caller.conversation import events
from client_caller.conversation.commands import CancelReply, Duck, Release
from client_caller.conversation.echo import ENOUGH
from client_caller.conversation.policy import Phrases

if TYPE_CHECKING:
    from tests.conversation.conftest import Call

NewCall = Callable[..., "Call"]


@pytest.fixture
def greeting(new_call: NewCall) -> Call:
    """The agent is in the middle of a greeting that holds a word to stop it; the caller has not made a sound."""
    call = new_call(phrases=Phrases(greeting="Sorry, all our lines are busy at the moment."))
    call.start()
    call.plays(5)
    call.hush(320)
    call.asked()
    return call


@pytest.mark.parametrize("text", ["stop", "Hold on", "sorry, stop"])
def test_it_is_proof_of_speech_by_itself(greeting: Call, text: str) -> None:
    """A detector of voices misses some: what speech to text has made of them stops the agent with its first guess."""
    greeting.partial(text)
    assert greeting.asked() == [CancelReply(1)]
    assert greeting.core.view == "INTERRUPTED"


def test_what_is_said_with_it_is_a_turn_like_any_other(greeting: Call) -> None:
    """It ends after a silence, and is answered."""
    greeting.partial("stop")
    greeting.hush(96)
    greeting.final("stop, I want to cancel")
    greeting.finished()
    greeting.hush(480)
    assert Release(greeting.reply) in greeting.asked()
    assert greeting.turns() == ["stop, I want to cancel"]


@pytest.mark.parametrize("text", ["sorry", "sorry all our lines", "fish", "tomorrow at nine", ""])
def test_other_words_and_the_agent_s_own_need_a_voice(greeting: Call, text: str) -> None:
    """A line may bring back what the agent says, and noise may be taken for words."""
    greeting.partial(text)
    greeting.hush(96)
    assert greeting.asked() == []


def test_on_a_line_that_echoes_it_needs_a_voice(greeting: Call) -> None:
    """What comes back there is misheard in every way."""
    for _ in range(ENOUGH):
        greeting.stall(32)
        greeting.tell(events.SpeechProbability(greeting.now, greeting.now, 0.9, -30.0, 0.8))
    greeting.partial("stop")
    assert greeting.asked() == []
    greeting.hush(320)
    greeting.talk(192)
    assert greeting.asked() == [Duck(1)]
    greeting.partial("stop")
    assert greeting.asked() == [CancelReply(1)]


def test_with_nobody_to_stop_it_is_a_word_like_any_other(greeting: Call) -> None:
    """Guesses at words without a sound are not taken for a turn."""
    greeting.plays()
    greeting.asked()
    greeting.partial("stop")
    greeting.hush(1600)
    assert greeting.asked() == []
    assert greeting.turns() == []
