"""A language model behind OpenAI's chat completions, streamed. vLLM is the target; any compatible server serves."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from client_caller.conversation.history import Message
from client_caller.engines.chat_window import estimated_tokens, window
from client_caller.engines.openai_chat import ChatError, ReplyStream, wire_message, wire_tool
from client_caller.engines.openai_probe import Capability, probe
from client_caller.engines.openai_server import Answer, OpenAiServer, Refused
from client_caller.engines.protocols import CallContext, EngineError, LlmResult, Tool
from client_caller.engines.sse import EventStream

_END_PATIENCE = 0.25
"""Seconds for the rest of a stream whose reply is complete: read to its end, the connection serves the next turn."""

_BAD_REQUEST = (400, 422)
"""How servers refuse a field that they do not know, or do not want."""


class OpenAiModel:
    """One model on one server, for any number of calls; implements `LanguageModel`.

    Closing a reply closes its connection, upon which vLLM and llama.cpp stop generating and free its place.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        api_key: str | None = None,
        temperature: float | None = None,
        max_tokens: int = 300,
        extra_body: Mapping[str, Any] | None = None,
        context_tokens: int = 8192,
        first_token: float = 8.0,
        next_token: float = 4.0,
    ) -> None:
        """`temperature` None leaves it to the server. `extra_body` is put into every request as it is.

        `context_tokens`: what prompt and reply may take together; of a longer call the oldest exchanges are left out.

        `max_tokens`: 300 are about ninety seconds of speech, far more than a good reply on the telephone has.
        `first_token`, `next_token`: seconds until the first and between any two pieces of a reply. Under load, cold
        prefills of 2.6 s are usual; the caller hears a filler meanwhile.
        """
        self._server = OpenAiServer("llm", base_url, api_key)
        self._request: dict[str, Any] = {"model": model, "max_tokens": max_tokens}
        if temperature is not None:
            self._request["temperature"] = temperature
        self._extra = dict(extra_body or {})
        self._room = context_tokens - max_tokens
        self._takes_priority = True
        self._first_token = first_token
        self._next_token = next_token

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncGenerator[LlmResult, None]:
        """Stream one reply. Raises `EngineError`, also for a reply that has neither words nor a tool call, unless it
        follows a tool's result: silence is no answer to a caller."""
        stream = ReplyStream(taken=[call.id for message in messages for call in message.tool_calls])
        until = asyncio.get_running_loop().time() + self._first_token
        private = _private(messages)
        silent = True
        body = self._body(messages, tools) | {"stream": True} | self._extra
        async with (
            self._server.post("/chat/completions", body, until=until, private=private) as answer,
            aclosing(self._results(answer, stream, until, private)) as results,
        ):
            async for result in results:
                silent = False
                yield result
        if silent and not (messages and messages[-1].role == "tool"):
            raise self._server.error(
                f"ended a reply without a word (finish_reason {stream.finish_reason}). If the model reasons first, "
                "switch that off in extra_body or raise max_tokens."
            )

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """Let the server compute what all replies begin with: a prefix cache (vLLM has one by default) then has it.

        Costs the server one prefill and one token, and waits behind the replies of other calls where the server knows
        priorities (vLLM: 0 is usual, less is sooner); the first refusal of one is remembered. Raises `EngineError`.
        """
        body = self._body(messages, tools) | self._extra | {"max_tokens": 1}
        if self._takes_priority and "priority" not in body:
            try:
                await self._ask(body | {"priority": 1}, messages)
            except Refused as refusal:
                if refusal.status not in _BAD_REQUEST:
                    raise
                self._takes_priority = False
            else:
                return
        await self._ask(body, messages)

    async def capabilities(self) -> list[Capability]:
        """What the server can do beyond plain chat. Raises `EngineError`."""
        return await probe(self._server, self._request | self._extra)

    async def close(self) -> None:
        await self._server.close()

    def _body(self, messages: Sequence[Message], tools: Sequence[Tool]) -> dict[str, Any]:
        described = {"tools": [wire_tool(tool) for tool in tools]} if tools else {}
        room = self._room - estimated_tokens(str(described))
        told = window(messages, room)
        return self._request | {"messages": [wire_message(message) for message in told]} | described

    async def _ask(self, body: dict[str, Any], messages: Sequence[Message]) -> None:
        """Put a request whose answer is of no interest."""
        until = asyncio.get_running_loop().time() + self._first_token
        async with self._server.post("/chat/completions", body, until=until, private=_private(messages)) as answer:
            while await answer.read(until):
                pass  # Read to its end, the connection serves the first reply.

    async def _results(
        self, answer: Answer, stream: ReplyStream, until: float, private: Sequence[str]
    ) -> AsyncGenerator[LlmResult, None]:
        """What the body says, each piece as it comes. Only words and tool calls count as a sign of life."""
        events = EventStream()
        clock = asyncio.get_running_loop().time
        more = True
        while more:
            chunk = await self._next_chunk(answer, stream, until)
            more = bool(chunk)
            try:
                data = events.feed(chunk) if chunk else events.finish()
                results = [result for event in data for result in stream.feed(event)]
            except ChatError as error:
                raise self._server.error(f"{self._server.printable(str(error), private)}.") from None
            except ValueError:
                raise self._server.error("sent something that is no event stream.") from None
            for result in results:
                yield result
            if results:
                until = clock() + self._next_token
            if stream.complete:
                until = min(until, clock() + _END_PATIENCE)
        if not stream.complete:
            raise self._server.error("ended the stream in the middle of a reply.")

    async def _next_chunk(self, answer: Answer, stream: ReplyStream, until: float) -> bytes:
        """The next bytes; none at the end, or when all there is to know has come and the rest does not."""
        try:
            return await answer.read(until)
        except EngineError:
            if not stream.complete:
                raise
            return b""


def _private(messages: Sequence[Message]) -> list[str]:
    """What an error must not repeat: all but the agent's own instructions."""
    return [message.content for message in messages if message.role != "system"]
