"""The agent as the user writes it."""

import subprocess
import sys

import pytest

import client_caller
from client_caller import Agent, CallContext, Phrases, Policy, ToolFailed
from client_caller.conversation.policy import HANG_UP


def test_an_agent_keeps_what_it_was_made_with() -> None:
    """Each argument is there to be read; hints may be any iterable of phrases."""
    policy, phrases = Policy(barge_in=500), Phrases(trouble="Oh dear.")
    agent = Agent(
        "Be kind.", name="desk", language="de", hints=(word for word in ["Ada"]), policy=policy, phrases=phrases
    )
    assert (agent.instructions, agent.name, agent.language, agent.hints) == ("Be kind.", "desk", "de", ("Ada",))
    assert (agent.policy, agent.phrases) == (policy, phrases)
    assert agent.context("call-1") == CallContext("call-1", "de", ("Ada",))


def test_the_greeting_is_given_or_generated_or_that_of_the_phrases() -> None:
    """There is one greeting, wherever it was written: the one in `phrases`."""
    phrases = Phrases(greeting="Hi!", trouble="Oh dear.")
    assert Agent("").greeting == Phrases().greeting
    assert Agent("", phrases=phrases).greeting == "Hi!"
    assert Agent("", phrases=phrases, greeting="Hello.").phrases == Phrases(greeting="Hello.", trouble="Oh dear.")
    assert Agent("", phrases=phrases, greeting=None).phrases.greeting is None


def test_hints_are_a_list_of_phrases() -> None:
    """A lone string would be taken apart into letters."""
    with pytest.raises(TypeError, match="write hints="):
        Agent("", hints="Ada")


def test_a_decorated_function_stays_what_it_was() -> None:
    """Both ways of decorating give the function back, so that it can be called and tested like any other."""
    agent = Agent("")

    @agent.tool
    def twice(number: int) -> int:
        """Double a number."""
        return 2 * number

    @agent.tool(timeout=1.0, filler="Let me think.")
    def thrice(number: int) -> int:
        """Triple a number."""
        return 3 * number

    assert (twice(2), thrice(2)) == (4, 6)
    assert [tool.name for tool in agent.tools()] == [HANG_UP, "twice", "thrice"]
    assert [agent.filler(name) for name in ("twice", "thrice", "none")] == ["", "Let me think.", ""]


async def test_the_model_may_hang_up_unless_told_otherwise() -> None:
    """The tool is there by default, tells the model when to use it, and answers."""
    (tool,) = Agent("").tools()
    assert tool.name == HANG_UP
    assert "End the call." in tool.description
    assert "goodbye" in tool.description
    assert tool.parameters == {"type": "object", "properties": {}, "additionalProperties": False}
    assert "last words" in await Agent("").run_tool(HANG_UP, "{}")
    assert Agent("", hang_up=False).tools() == ()


async def test_a_tool_is_run_by_its_name() -> None:
    """Arguments as JSON in, the result as text out; the call's context where the tool takes it."""
    agent = Agent("")

    @agent.tool
    def greet(name: str, context: CallContext) -> str:
        """Greet somebody."""
        return f"Hello {name} in {context.call_id}"

    assert await agent.run_tool("greet", '{"name": "Ada"}', agent.context("call-1")) == "Hello Ada in call-1"


@pytest.mark.parametrize(("hang_up", "known"), [(True, "The tools: hang_up."), (False, "The tools: none.")])
async def test_an_unknown_tool_is_a_failure_that_names_the_known_ones(hang_up: bool, known: str) -> None:
    """So that the model can choose again."""
    with pytest.raises(ToolFailed) as caught:
        await Agent("", hang_up=hang_up).run_tool("gret", "{}")
    assert caught.value.reason == f"There is no tool named 'gret'. {known}"


def test_no_two_tools_have_one_name() -> None:
    """The error says what to do, also about the built-in one."""
    agent = Agent("")

    def hang_up() -> None:
        """End it."""

    def other() -> None:
        """Do."""

    with pytest.raises(ValueError, match="pass hang_up=False to write your own"):
        agent.tool(hang_up)
    agent.tool(other)
    with pytest.raises(ValueError, match="already a tool named 'other': rename one"):
        agent.tool(other)
    with pytest.raises(ValueError, match="timeout=0 leaves no time"):
        Agent("").tool(timeout=0)(other)


def test_a_package_import_loads_no_room() -> None:
    """A worker process that needs one room does not pay for the rest: names of the front door load when asked for."""
    script = "import client_caller, sys; print([name for name in sys.modules if name.startswith('client_caller.')])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
    assert all(getattr(client_caller, name) for name in client_caller.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Agnet'"):
        client_caller.Agnet  # noqa: B018
