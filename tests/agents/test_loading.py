"""The agent that a person names on the command line."""

from pathlib import Path

import pytest

from client_caller import Agent
from client_caller.agents.loading import load_agent
from client_caller.agents.script_file import ScriptError
from client_caller.agents.targets import TargetError


def test_an_agent_is_loaded_from_a_file_or_a_script(in_bakery: Path) -> None:
    """By what it was given to, or by the script that it plays."""
    (in_bakery / "shop.py").write_text("from client_caller import Agent\nmine = Agent('Sell.')\n", encoding="utf-8")
    agent = load_agent("shop.py:mine")
    assert isinstance(agent, Agent)
    assert agent.instructions == "Sell."
    (in_bakery / "bakery.yml").write_bytes((in_bakery / "bakery.yaml").read_bytes())
    assert load_agent("bakery.yaml").name == load_agent(str(in_bakery / "bakery.yml")).name == "bakery"


def test_anything_else_is_refused_with_what_to_write(in_bakery: Path) -> None:
    """Also what is found, but is no agent."""
    with pytest.raises(TargetError, match="is of type int, not an Agent: name what you made"):
        load_agent("bakery_tools.py:not_a_function")
    with pytest.raises(TargetError, match="did you mean 'add_tools'"):
        load_agent("bakery_tools.py:add_tool")
    with pytest.raises(ScriptError, match=r"none\.yaml: can't be read"):
        load_agent("none.yaml")
