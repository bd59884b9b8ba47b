"""A script as a value: its rules, its caller's lines, and the agent that it gives."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from client_caller.agents.script import Rule, Script
from client_caller.agents.steps import Interrupt, Say, WaitForAgent
from client_caller.agents.targets import TargetError
from client_caller.conversation.policy import HANG_UP


def test_a_script_has_its_parts(bakery: Script) -> None:
    """One phrase may stand without a list, lines are one line, and a caller's steps are steps."""
    assert bakery.states["order"][1].hears == ("water",)
    assert bakery.states["kind"][0].then == "yes"
    assert bakery.rules("yes") == bakery.anywhere
    assert bakery.rules("kind") == (*bakery.states["kind"], *bakery.anywhere)
    assert bakery.caller == (WaitForAgent(), Say(text="a loaf of bread"), Interrupt(text="brown", after_words=6))


def test_the_caller_s_lines_are_all_that_may_be_said_each_once(bakery: Script) -> None:
    """They are what speech to text has to know: the caller's words first, then the phrases of the rules."""
    assert bakery.caller_lines == ("a loaf of bread", "brown", "bread", "water", "white", "goodbye")


async def test_the_agent_of_a_script_has_its_greeting_and_its_tools(bakery: Script) -> None:
    """They run like those of any agent."""
    agent = bakery.agent()
    assert (agent.name, agent.greeting) == ("bakery", bakery.greeting)
    assert [tool.name for tool in agent.tools()] == [HANG_UP, "look"]
    assert await agent.run_tool("look", '{"kind": "brown", "at": "7:30"}') == '{"count":2,"price":"three euros"}'


def test_a_script_without_tools_gives_an_agent_without(bakery: Script) -> None:
    """It can still hang up."""
    plain = bakery.model_copy(update={"tools": None, "states": {"order": ()}})
    assert [tool.name for tool in plain.agent().tools()] == [HANG_UP]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tools": None}, r"states.kind\[0\].tool: no tool 'look': there is: hang_up"),
        ({"tools": "bakery_tools.py:add_tool"}, "no 'add_tool': did you mean 'add_tools'?"),
        ({"tools": "bakery_tools.py:not_a_function"}, "is no function: write `def add_tools"),
        ({"tools": "bakery_tools.py:Agent"}, "is no function"),
    ],
)
def test_tools_that_are_not_there_are_told_before_any_call(bakery: Script, change: dict[str, Any], said: str) -> None:
    """The error names the place in the script and what to write."""
    with pytest.raises(TargetError, match=said):
        bakery.model_copy(update=change).agent()


def test_an_agent_is_not_taken_for_a_function_that_adds_tools(in_bakery: Path, bakery: Script) -> None:
    """Naming the agent itself is an easy mistake."""
    (in_bakery / "own_agent.py").write_text("from client_caller import Agent\nagent = Agent('')\n", encoding="utf-8")
    with pytest.raises(TargetError, match="is no function"):
        bakery.model_copy(update={"tools": "own_agent.py:agent"}).agent()


def test_an_answer_with_fields_needs_a_tool() -> None:
    """Otherwise the caller would hear the braces."""
    with pytest.raises(ValidationError, match=r"`says` names \{price\}, but there is no `tool`"):
        Rule.model_validate({"hears": "bread", "says": "It costs {price}."})
