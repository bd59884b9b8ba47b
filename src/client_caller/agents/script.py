"""A script: a whole conversation written down, for demonstrations and tests.

    greeting: Hello, this is the bakery. What would you like?
    start: order
    states:
      order:
        - hears: [bread, a loaf of bread]
          says: Gladly. White or brown?
          then: kind
      kind:
        - hears: [white, brown]
          tool: {name: look_on_the_shelf, arguments: {kind: white}}
          says: There is one left for {price}. Goodbye!
          end: true
    otherwise: I am sorry, could you say that another way?
    tools: bakery:add_tools

A script is always in one state. What the caller says is answered by the rule of that state, or of `anywhere`, whose
`hears` it fits best (`agents.matching`); then the script goes on in the state named by `then`. A language model that
plays the script is `agents.scripted.ScriptedModel`.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from client_caller.agents.agent import Agent
from client_caller.agents.part import Line, Part, nearest
from client_caller.agents.steps import Backchannel, CallerStep, Interrupt, Say
from client_caller.agents.targets import TargetError, find

PLACEHOLDER = re.compile(r"\{(\w+)\}")
"""A field of a tool's result within `says`."""


def _several(lines: Any) -> Any:
    return [lines] if isinstance(lines, str) else lines


Lines = Annotated[tuple[Line, ...], BeforeValidator(_several), Field(min_length=1)]
"""One line, or a list of them."""


class ToolUse(Part):
    """A tool that the script uses, and what it gives to it."""

    name: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Rule(Part):
    """How the script answers when it hears one of some phrases."""

    hears: Lines
    """Phrases, or single words, of which any one will do."""
    says: Line
    """The answer. After a tool, `{field}` stands for a field of the JSON object that the tool returned."""
    when_cut: Line | None = None
    """Said before the answer when the caller cut off what the agent said before."""
    tool: ToolUse | None = None
    """Used before the answer."""
    if_failed: Line = "I am sorry, that did not work just now. Please say it once more."
    """Said instead of the answer, in the same state, when the tool's result lacks a field that the answer names."""
    then: str | None = None
    """The state in which the script goes on; left out: the same."""
    end: bool = False
    """Hang up after the answer."""

    @model_validator(mode="after")
    def _fields_need_a_tool(self) -> Self:
        if self.tool is None and (field := PLACEHOLDER.search(self.says)):
            raise ValueError(f"`says` names {field[0]}, but there is no `tool` whose result it could come from")
        return self


class Script(Part):
    """A whole script."""

    name: str = "script"
    language: str = "en"
    """BCP 47."""
    instructions: str = "Play your part of the script."
    """What a language model is told that plays the agent without following the script."""
    greeting: Line
    start: str
    """The state after the greeting."""
    states: dict[str, tuple[Rule, ...]]
    anywhere: tuple[Rule, ...] = ()
    """Rules of every state."""
    otherwise: Lines
    """What the agent says, in turn, to words that fit no rule."""
    tools: str | None = None
    """`module:function` or `file.py:function`; the function takes the `Agent` and gives it its tools."""
    caller: tuple[CallerStep, ...] = ()
    """What a simulated caller does."""

    @model_validator(mode="after")
    def _states_exist(self) -> Self:
        if self.start not in self.states:
            raise ValueError(f"`start`: there is no state {self.start!r}: {nearest(self.start, self.states)}")
        for place, rule in self._rules():
            if rule.then is not None and rule.then not in self.states:
                raise ValueError(f"{place}.then: there is no state {rule.then!r}: {nearest(rule.then, self.states)}")
        return self

    @property
    def caller_lines(self) -> tuple[str, ...]:
        """Whatever the caller may say, each line once: what the caller of the script says, and what its rules hear."""
        said = [step.text for step in self.caller if isinstance(step, Say | Backchannel | Interrupt)]
        heard = [phrase for _, rule in self._rules() for phrase in rule.hears]
        return tuple(dict.fromkeys([*said, *heard]))

    def rules(self, state: str) -> tuple[Rule, ...]:
        """The rules that hold in a state, its own first."""
        return (*self.states[state], *self.anywhere)

    def agent(self) -> Agent:
        """The agent to answer a call with, beside a `ScriptedModel` of this script.

        Raises `TargetError` when its tools can't be loaded, or when a rule uses one that is not there.
        """
        agent = Agent(self.instructions, greeting=self.greeting, name=self.name, language=self.language)
        if self.tools is not None:
            self._add_tools(self.tools, agent)
        known = [tool.name for tool in agent.tools()]
        for place, rule in self._rules():
            if rule.tool is not None and rule.tool.name not in known:
                hint = nearest(rule.tool.name, known)
                raise TargetError(f"Script {self.name!r}: {place}.tool: no tool {rule.tool.name!r}: {hint}")
        return agent

    def _add_tools(self, target: str, agent: Agent) -> None:
        add_tools = find(target)
        if not callable(add_tools) or isinstance(add_tools, type | Agent):
            raise TargetError(
                f"Script {self.name!r}: tools: {target!r} is no function: write `def add_tools(agent: Agent) -> None` "
                "and decorate the tools with `@agent.tool` inside it."
            )
        add_tools(agent)

    def _rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule, and where it stands in the file."""
        places = {f"states.{name}": rules for name, rules in self.states.items()} | {"anywhere": self.anywhere}
        for place, rules in places.items():
            for index, rule in enumerate(rules):
                yield f"{place}[{index}]", rule
