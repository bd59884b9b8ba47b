"""The steps of a scripted caller."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from client_caller.agents.steps import (
    AGENT_QUIET,
    Backchannel,
    CallerStep,
    HangUp,
    Interrupt,
    Say,
    Silence,
    WaitForAgent,
)

STEP: TypeAdapter[Any] = TypeAdapter(CallerStep)


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ("wait_for_agent", WaitForAgent(quiet=AGENT_QUIET)),
        ({"wait_for_agent": None}, WaitForAgent(quiet=AGENT_QUIET)),
        ({"wait_for_agent": 1200}, WaitForAgent(quiet=1200)),
        ({"say": " hello \n there "}, Say(text="hello there")),
        ({"backchannel": "right"}, Backchannel(text="right", after_words=4)),
        ({"backchannel": "right", "after_words": 0}, Backchannel(text="right", after_words=0)),
        ({"interrupt": "stop", "after_words": 6}, Interrupt(text="stop", after_words=6)),
        ({"silence": 3000}, Silence(duration=3000)),
        ({"hang_up_after": 0}, HangUp(after=0)),
    ],
)
def test_each_step_is_known_by_its_key(written: object, step: object) -> None:
    """What is written in a script becomes a step with plain names."""
    assert STEP.validate_python(written) == step


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"shout": "hey"}, "there is wait_for_agent, say, backchannel, interrupt, silence, hang_up_after"),
        ("hang_up", "not a step of a caller"),
        (3, "not a step of a caller"),
        ({"say": "…"}, "there are no words in it"),
        ({"say": 3}, "valid string"),
        ({"say": "hello", "after_words": 3}, "unknown key 'after_words': there is: say"),
        ({"say": "hello", "interrupt": "stop"}, "unknown key 'interrupt'"),
        ({"silence": 0}, "greater than 0"),
        ({"interrupt": "stop", "after_word": 3}, "did you mean 'after_words'?"),
    ],
)
def test_anything_else_is_refused_and_told_what_there_is(written: object, said: str) -> None:
    """Also a step that would be two at once."""
    with pytest.raises(ValidationError) as caught:
        STEP.validate_python(written)
    assert said in str(caught.value)
