"""The agent: what the user writes.

    from client_caller import Agent

    agent = Agent("You take bookings for a restaurant. Ask for the day, the time and the number of people.")

    @agent.tool(filler="Let me look in the book.")
    async def find_table(day: date, people: int) -> list[str]:
        '''Find the times at which a table is free.'''
        ...

An agent belongs to no call: the same one serves all calls of a process at once.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import EllipsisType
from typing import Any, TypeVar, overload

from client_caller.agents import signature
from client_caller.agents.tool import TIMEOUT, FunctionTool, ToolFailed
from client_caller.conversation.policy import HANG_UP, Phrases, Policy
from client_caller.engines.protocols import CallContext, Tool

THREADS = 32
"""How many tools that are not async run at once, over all calls of an agent; more wait, within their timeout."""

F = TypeVar("F", bound=Callable[..., Any])


class Agent:
    """Who answers the phone: its instructions, its voice's habits, and its tools."""

    def __init__(
        self,
        instructions: str,
        *,
        greeting: str | EllipsisType | None = ...,
        name: str = "agent",
        language: str = "en",
        hints: Iterable[str] = (),
        policy: Policy = Policy(),  # noqa: B008 - frozen
        phrases: Phrases = Phrases(),  # noqa: B008 - frozen
        hang_up: bool = True,
    ) -> None:
        """
        Args:
            instructions: The system prompt of the language model.
            greeting: What the agent says first. None: the language model makes it. Left out: that of `phrases`.
            name: For logs and reports.
            language: BCP 47.
            hints: Words and phrases that are likely in these calls, for speech to text: names, products.
            policy: When things happen in a call.
            phrases: What the agent says without asking the language model.
            hang_up: Whether the language model may end the call.
        """
        if isinstance(hints, str):
            raise TypeError("`hints` is a list of phrases: write hints=[…] around it.")
        self.instructions = instructions
        self.name = name
        self.language = language
        self.hints = tuple(hints)
        self.policy = policy
        self.phrases = phrases if isinstance(greeting, EllipsisType) else replace(phrases, greeting=greeting)
        self._tools: dict[str, FunctionTool] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"tool-{name}")
        if hang_up:
            self.tool(_hang_up)

    @property
    def greeting(self) -> str | None:
        """What the agent says first; None when the language model makes it."""
        return self.phrases.greeting

    @overload
    def tool(self, function: F, /) -> F: ...

    @overload
    def tool(self, /, *, timeout: float = TIMEOUT, filler: str = "") -> Callable[[F], F]: ...

    def tool(
        self, function: Callable[..., Any] | None = None, /, *, timeout: float = TIMEOUT, filler: str = ""
    ) -> Callable[..., Any]:
        """Let the language model use a function: `@agent.tool`, or `@agent.tool(timeout=…, filler=…)`.

        Its docstring's first paragraph tells the model when to use it, lines under `Args:` (or `:param name:`) what
        the arguments mean. Each argument needs a type; one of type `CallContext` is given the call and not shown to
        the model. It returns text, or anything that can be written as JSON; it raises `ToolFailed` to tell the model
        what is wrong. A function that is not async runs in a thread. What the caller says never stops a tool.

        Args:
            timeout: Seconds after which the model is told that there was no answer. An async function is cancelled
                then; a thread can't be, and runs on unheard.
            filler: What the agent says when the tool is slow; empty for one of `phrases.fillers`.

        Raises `TypeError` for a signature that can't be told to a model, `ValueError` for a name that is taken.
        """
        if function is None:
            return lambda decorated: self._add(decorated, timeout, filler)
        return self._add(function, timeout, filler)

    def _add(self, function: F, timeout: float, filler: str) -> F:
        added = FunctionTool(function, signature.read(function), timeout, filler)
        name = added.signature.name
        if timeout <= 0:
            raise ValueError(f"Tool {name!r}: timeout={timeout:g} leaves no time to run; give seconds above zero.")
        if name in self._tools:
            why = "pass hang_up=False to write your own" if name == HANG_UP else "rename one of the two"
            raise ValueError(f"There is already a tool named {name!r}: {why}.")
        self._tools[name] = added
        return function

    def tools(self) -> tuple[Tool, ...]:
        """What the language model is told of each tool, always in the same order: a prefix it can keep."""
        return tuple(added.described for added in self._tools.values())

    def filler(self, name: str) -> str:
        """What to say while the tool of this name is slow; empty for one of the usual phrases."""
        return self._tools[name].filler if name in self._tools else ""

    def context(self, call_id: str) -> CallContext:
        """What engines and tools are told of one of this agent's calls."""
        return CallContext(call_id, self.language, self.hints)

    async def run_tool(self, name: str, arguments: str, context: CallContext | None = None) -> str:
        """Run a tool that a language model asked for and return its result, at most 8 kB of text or JSON.

        `arguments` is a JSON object as the model wrote it, not yet checked. Raises `ToolFailed` with words for the
        model: unknown tool, arguments that do not fit, timeout, exception inside. Never raises what the tool raised.
        """
        if name not in self._tools:
            raise ToolFailed(f"There is no tool named {name!r}. The tools: {', '.join(self._tools) or 'none'}.")
        return await self._tools[name].run(arguments, context, self._threads)


async def _hang_up() -> str:
    """End the call. Use it when the caller has said goodbye or wants nothing more; say your own goodbye first, in the
    same reply: the caller hears it to its end before the line is closed.
    """
    return "The call ends as soon as the caller has heard your last words."


_hang_up.__name__ = HANG_UP
