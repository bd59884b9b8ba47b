"""A language model that plays a script: for demonstrations and tests, not for real callers.

It streams like a language model and, like one, remembers nothing: at every request it finds its place in the script
from the messages alone.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, fields

from client_caller.agents.matching import NO_FIT, score, words
from client_caller.agents.script import PLACEHOLDER, Rule, Script, ToolUse
from client_caller.conversation.history import CONNECTED, CUT_MARK, NOTHING_HEARD, STILL_RUNNING, Message, ToolCall
from client_caller.conversation.policy import HANG_UP, Phrases
from client_caller.engines.protocols import CallContext, LlmResult, Token, Tool

FIRST_TOKEN = 0.25
"""Seconds to the first token: about those of a small model on a GPU that other calls use too."""
WORDS_PER_SECOND = 30.0
"""How fast words come: some 40 tokens a second."""
NO_ASIDES = ("greeting", "farewells", "open_endings")
"""The `Phrases` that come before the script, or that are the caller's and not the agent's."""


@dataclass(slots=True)
class Turn:
    """One turn of the caller within the script, as far as the messages tell."""

    state: str
    misses: int = 0
    """How many turns before this one fitted no rule."""
    cut: bool = False
    """The caller cut off what the agent said before."""
    said: list[str] = field(default_factory=list)
    """What the caller said, in several parts where nothing of the script's answer to the first was heard."""
    results: dict[str, str] = field(default_factory=dict)
    """Of the tools that ran in this turn, by their names."""
    answered: bool = False
    """The caller heard the script's answer, or its beginning."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the script says, and the tool it wants after that."""

    text: str
    tool: ToolUse | None = None


class ScriptedModel:
    """The `LanguageModel` that plays one script, in any number of calls at once."""

    def __init__(
        self, script: Script, *, first_token: float = FIRST_TOKEN, words_per_second: float = WORDS_PER_SECOND
    ) -> None:
        """`first_token` is in seconds. Raises what `Script.agent` raises."""
        self._script = script
        self._first_token = first_token
        self._word = 1 / words_per_second
        self._asides = _asides(script)
        self._numbers = itertools.count()

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        """Stream the script's answer to `messages`, word by word, and the tool that it uses then."""
        await asyncio.sleep(self._first_token)
        answer = self._answer(messages)
        for index, word in enumerate(answer.text.split()):
            if index:
                await asyncio.sleep(self._word)
            yield Token(f" {word}" if index else word)
        if answer.tool is not None:
            # Unique in the call, also when another process goes on with it: that one starts from more messages.
            number = f"tool-{len(messages)}-{next(self._numbers)}"
            yield ToolCall(number, answer.tool.name, json.dumps(answer.tool.arguments, ensure_ascii=False))

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """There is nothing to prepare."""

    async def close(self) -> None:
        """There is nothing to free."""

    def _answer(self, messages: Sequence[Message]) -> Answer:
        turn = self._turn(messages)
        if turn is None:
            return Answer(self._script.greeting)
        if turn.answered:
            return Answer("")
        rule = self._rule(turn)
        if rule is None:
            return Answer(self._script.otherwise[turn.misses % len(self._script.otherwise)])
        text: str | None = rule.says
        if rule.tool is not None:
            result = turn.results.get(rule.tool.name)
            if result is None:
                return Answer("", rule.tool)
            if result == STILL_RUNNING:
                return Answer(Phrases().fillers[-1])
            text = _filled(rule.says, result)
        if text is None:
            return Answer(rule.if_failed)
        if turn.cut and rule.when_cut:
            text = f"{rule.when_cut} {text}"
        return Answer(text, ToolUse(name=HANG_UP) if rule.end else None)

    def _turn(self, messages: Sequence[Message]) -> Turn | None:
        """The caller's last turn; None where the caller has not said anything yet."""
        turn, cut = None, False
        tools: dict[str | None, str] = {}
        for message in messages:
            match message.role:
                case "user" if message.content != CONNECTED:
                    if turn is None:
                        turn = Turn(self._script.start, cut=cut)
                    elif turn.answered:
                        turn = self._next(turn, cut)
                    turn.said.append(message.content)
                case "assistant":
                    tools |= {call.id: call.name for call in message.tool_calls}
                    lines = message.content.split("\n")
                    cut = any(line.endswith(CUT_MARK) for line in lines)
                    if turn is not None and any(self._answers(line) for line in lines):
                        turn.answered = True
                case "tool" if turn is not None:
                    turn.results[tools[message.tool_call_id]] = message.content
        return turn

    def _next(self, turn: Turn, cut: bool) -> Turn:
        rule = self._rule(turn)
        if rule is None:
            return Turn(turn.state, turn.misses + 1, cut)
        failed = rule.tool is not None and _filled(rule.says, turn.results.get(rule.tool.name, "")) is None
        return Turn(turn.state if failed else rule.then or turn.state, turn.misses, cut)

    def _rule(self, turn: Turn) -> Rule | None:
        """The rule that answers the turn: by what the caller said last, or, where that fits none, by all of it."""
        for heard in (turn.said[-1], " ".join(turn.said)):
            fits = [(score(rule.hears, heard), rule) for rule in self._script.rules(turn.state)]
            best, rule = max(fits, key=lambda fit: fit[0])
            if best != NO_FIT:
                return rule
        return None

    def _answers(self, line: str) -> bool:
        """Whether something that the caller heard is of the script, and not one of the agent's asides."""
        heard = line.removesuffix(CUT_MARK)
        if heard in ("", NOTHING_HEARD):
            return False
        spoken = words(heard)
        if heard == line:
            return spoken not in self._asides
        return not any(aside[: len(spoken)] == spoken for aside in self._asides)


def _asides(script: Script) -> frozenset[tuple[str, ...]]:
    """What the agent says without asking the language model, as words."""
    agent = script.agent()
    said = [agent.filler(tool.name) for tool in agent.tools()]
    for phrase in fields(Phrases):
        if phrase.name not in NO_ASIDES:
            value = getattr(agent.phrases, phrase.name)
            said += [value] if isinstance(value, str) else value
    return frozenset(words(line) for line in said if line)


def _filled(says: str, result: str) -> str | None:
    """The answer with the fields of a tool's result; None when one of them is not there: the tool has failed."""
    try:
        values = json.loads(result)
    except ValueError:
        values = None
    names = PLACEHOLDER.findall(says)
    if names and not (isinstance(values, dict) and all(name in values for name in names)):
        return None
    return PLACEHOLDER.sub(lambda found: str(values[found[1]]), says)
