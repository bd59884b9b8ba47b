"""The example that a newcomer reads first does what it says."""

import json
from datetime import date
from pathlib import Path

import pytest

from client_caller import Agent, ToolFailed
from client_caller.agents.loading import load_agent
from client_caller.conversation.policy import HANG_UP

EXAMPLE = Path(__file__).parents[2] / "examples" / "appointments.py"
MONDAY, SATURDAY = "2026-03-02", "2026-03-07"


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    """The example's agent with an empty diary, loaded as `client-caller serve` loads it."""
    monkeypatch.syspath_prepend(str(EXAMPLE.parent))
    return load_agent(f"{EXAMPLE}:agent")


def test_the_agent_is_set_up_for_a_telephone(agent: Agent) -> None:
    """A greeting, phrases and hints of its own, and a filler where a tool may be slow."""
    assert agent.greeting is not None
    assert agent.greeting.startswith("Good day")
    assert "short sentences" in agent.instructions
    assert agent.hints
    assert [agent.filler(tool.name) for tool in agent.tools()] == [
        "", "", "Let me look in the diary.", "I am writing that down.", "",
    ]  # fmt: skip


def test_the_model_is_told_of_each_tool_and_of_each_argument(agent: Agent) -> None:
    """Every tool has a description, every argument a type, and the call's context is not among them."""
    tools = {tool.name: tool for tool in agent.tools()}
    assert list(tools) == [HANG_UP, "today", "find_free_times", "book", "cancel"]
    assert all(tool.description for tool in tools.values())
    assert tools["find_free_times"].parameters["properties"] == {
        "day": {"type": "string", "format": "date", "description": "The day, as YYYY-MM-DD."},
        "from_hour": {
            "type": "integer", "minimum": 0, "maximum": 23, "default": 9,
            "description": "The earliest hour that suits the caller.",
        },
    }  # fmt: skip
    assert tools["book"].parameters["required"] == ["start", "name"]
    assert list(tools["book"].parameters["properties"]) == ["start", "name"]
    assert "told when it was booked" in tools["cancel"].parameters["properties"]["number"]["description"]


async def test_an_appointment_is_found_booked_and_cancelled(agent: Agent) -> None:
    """A booked hour is no longer free, and a cancelled one is again."""
    call = agent.context("call-1")

    async def free() -> list[str]:
        arguments = json.dumps({"day": MONDAY, "from_hour": 15})
        times: list[str] = json.loads(await agent.run_tool("find_free_times", arguments, call))
        return times

    assert await free() == ["15:00", "16:00"]
    booking = json.dumps({"start": f"{MONDAY}T15:00", "name": "Ada Byron"})
    booked = json.loads(await agent.run_tool("book", booking, call))
    assert booked == {"number": 100, "start": f"{MONDAY}T15:00:00", "name": "Ada Byron"}
    assert await free() == ["16:00"]
    with pytest.raises(ToolFailed, match="not free"):
        await agent.run_tool("book", booking, call)
    cancelled = await agent.run_tool("cancel", json.dumps({"number": 100}), call)
    assert cancelled == "The appointment on Monday, 02 March at 15:00 is cancelled."
    assert await free() == ["15:00", "16:00"]
    with pytest.raises(ToolFailed, match="no appointment 100"):
        await agent.run_tool("cancel", json.dumps({"number": 100}), call)


async def test_the_model_can_ask_what_day_it_is(agent: Agent) -> None:
    """The day of the week, and the date in the form that the other tools take."""
    before = date.today()
    told = await agent.run_tool("today", "")
    assert told in {f"{day:%A, %Y-%m-%d}" for day in (before, date.today())}


async def test_nothing_is_free_at_the_weekend(agent: Agent) -> None:
    """And what does not fit the types is told to the model."""
    call = agent.context("call-1")
    assert await agent.run_tool("find_free_times", json.dumps({"day": SATURDAY}), call) == "[]"
    with pytest.raises(ToolFailed, match="argument 'day'"):
        await agent.run_tool("find_free_times", '{"day": "Saturday"}', call)
