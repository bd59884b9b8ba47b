"""The demonstration's script: that it holds together, and that the demonstration's own engines can hear it."""

import asyncio
import importlib.util
import json
from pathlib import Path

import pytest

from client_caller.agents.demo import DEMO, LOOKING, load_demo
from client_caller.agents.script import Script
from client_caller.agents.scripted import ScriptedModel
from client_caller.agents.steps import Backchannel, Interrupt, Say
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolCall, ToolUsed, messages
from client_caller.conversation.policy import HANG_UP, Policy
from client_caller.engines.protocols import CallContext, Token
from client_caller.simulator.virtual_time import VirtualLoop

CALL = CallContext("call-1")


@pytest.fixture
def demo() -> Script:
    return load_demo()


async def play(script: Script) -> list[tuple[str, str, str]]:
    """The caller's lines through script, tools and history: for each line the tool, the answer and the last tool."""
    model, agent = ScriptedModel(script), script.agent()
    entries: list[Entry] = [AgentSaid(0, 0, script.greeting, "", False)]
    played = []
    for step in script.caller:
        if isinstance(step, Interrupt):
            last = entries[-1]
            assert isinstance(last, AgentSaid)
            entries[-1] = AgentSaid(0, 0, " ".join(last.heard.split()[: step.after_words]), "", True)
        if not isinstance(step, Say | Interrupt):
            continue
        entries.append(CallerSaid(0, 0, step.text))
        tool = ""
        text, calls = await reply(model, entries)
        if not text:
            tool = calls[0].name
            result = await agent.run_tool(tool, calls[0].arguments, agent.context("call-1"))
            entries.append(ToolUsed(0, calls[0].id, tool, calls[0].arguments, result, False))
            text, calls = await reply(model, entries)
        entries.append(AgentSaid(0, 0, text, "", False))
        played.append((tool, text, calls[0].name if calls else ""))
    return played


async def reply(model: ScriptedModel, entries: list[Entry]) -> tuple[str, list[ToolCall]]:
    results = [result async for result in model.reply(CALL, messages(entries), ())]
    text = "".join(result.text for result in results if isinstance(result, Token))
    return text, [result for result in results if isinstance(result, ToolCall)]


def test_the_call_goes_from_greeting_to_goodbye(demo: Script) -> None:
    """Every line of the caller is understood, each moves the call on, the tool runs once and the agent hangs up."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        played = runner.run(play(demo))
    assert [tool for tool, _, _ in played] == ["", "find_table", "", "", "", ""]
    assert [last for _, _, last in played] == ["", "", "", "", "", HANG_UP]
    answers = [text for _, text, _ in played]
    assert len(set(answers)) == len(answers)
    assert not set(answers) & set(demo.otherwise)
    assert "At eight I can give you a table for 4 by the window." in answers[1]
    assert answers[4].startswith("Of course. For children")


def test_the_caller_shows_what_the_demonstration_is_to_show(demo: Script) -> None:
    """Four turns and more, a backchannel, and an interruption well before the end of a long answer."""
    assert sum(isinstance(step, Say) for step in demo.caller) >= 4
    assert sum(isinstance(step, Backchannel) for step in demo.caller) == 1
    (interrupt,) = (step for step in demo.caller if isinstance(step, Interrupt))
    assert interrupt.after_words * 2 < len(demo.states["menu"][0].says.split())


def test_the_tool_is_slow_enough_for_its_filler(demo: Script) -> None:
    """The caller hears that the agent looks, before they hear what it found."""
    agent = demo.agent()
    assert agent.filler("find_table")
    assert Policy().filler_after < LOOKING * 1000
    (tool,) = (tool for tool in agent.tools() if tool.name == "find_table")
    assert tool.parameters["required"] == ["people", "time"]
    assert json.dumps(tool.parameters)


def test_every_word_of_the_caller_is_in_the_dictionary_of_the_demonstration_s_ear(demo: Script) -> None:
    """PocketSphinx can't hear a word that its dictionary does not have."""
    package = importlib.util.find_spec("pocketsphinx")
    assert package is not None, "PocketSphinx is not installed: install the extra [demo]"
    assert package.origin is not None
    dictionary = Path(package.origin).parent / "model" / "en-us" / "cmudict-en-us.dict"
    known = {line.split(maxsplit=1)[0] for line in dictionary.read_text(encoding="utf-8").splitlines()}
    assert {word.lower() for line in demo.caller_lines for word in line.split()} <= known


def test_the_script_is_part_of_the_package() -> None:
    """It lies beside the code that reads it."""
    assert DEMO.parent == Path(load_demo.__code__.co_filename).parent
