"""A language model that tells what a tool has found also when the caller has asked something else meanwhile."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from client_caller.conversation.history import Message
from client_caller.engines.protocols import CallContext, LanguageModel, LlmResult, Token, Tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@dataclass(frozen=True, slots=True)
class TellingModel:
    """Says what another model says and then, as a good one would, what nobody has told the caller yet.

    Of a tool's result, a JSON object, `field` is what the caller wants to know.
    """

    model: LanguageModel
    field: str

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        said = " ".join(message.content for message in messages if message.role == "assistant")
        results = cast("AsyncGenerator[LlmResult]", self.model.reply(context, messages, tools))
        async with aclosing(results) as stream:
            async for result in stream:
                said += result.text if isinstance(result, Token) else ""
                yield result
        for found in self._found(messages):
            if found not in said:
                yield Token(f" About what you asked before: there is {found}.")

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        await self.model.warm(context, messages, tools)

    async def close(self) -> None:
        await self.model.close()

    def _found(self, messages: Sequence[Message]) -> list[str]:
        results = [_object(message.content) for message in messages if message.role == "tool"]
        return [str(result[self.field]) for result in results if self.field in result]


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
