"""Chat completions as they cross the wire: a request's body, and the chunks of a streamed answer back to results.

OpenAI's API reference, "Chat completions", and what servers really send: vLLM and llama.cpp follow it; others send
whole tool calls in one chunk, leave out ids and indexes, or give arguments as an object. Sans-I/O.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from client_caller.conversation.history import Message, ToolCall
from client_caller.engines.protocols import LlmResult, Token, Tool

DONE = "[DONE]"


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_ToolCallDelta] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None
    message: str | None = None
    """Beside `"object": "error"`, in older servers."""


_DECODER = msgspec.json.Decoder(_Chunk)


class ChatError(Exception):
    """The server's answer is an error or no chat completion. Its text may quote the server."""


def wire_message(message: Message) -> dict[str, Any]:
    """A message as the API takes it. The order of keys is fixed: equal prefixes of a chat stay equal as bytes."""
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def wire_tool(tool: Tool) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


@dataclass(slots=True)
class _OpenCall:
    """A tool call of which more may come."""

    index: int | None
    id: str
    name: str
    arguments: str = ""

    def continued_by(self, delta: _ToolCallDelta) -> bool:
        """By its index, unless the id says otherwise: some servers number every call 0, some number none."""
        if delta.id and self.id and delta.id != self.id:
            return False
        if delta.index is not None and self.index is not None:
            return delta.index == self.index
        return not (delta.function and delta.function.name)


class ReplyStream:
    """One streamed reply.

    `taken` are ids of tool calls that are already in the conversation; a call without an id, or with one of these
    (some servers count from zero in each reply), gets a new one.
    """

    def __init__(self, taken: Collection[str] = ()) -> None:
        self.finish_reason: str | None = None
        """Why the model stopped; None as long as it has not."""
        self.complete = False
        """All of the reply has come: a reason to stop, or the stream's own end."""
        self._taken = set(taken)
        self._open: _OpenCall | None = None

    def feed(self, data: str) -> list[LlmResult]:
        """The results in one event's data. Raises `ChatError`."""
        if data.strip() == DONE:
            self.complete = True
            return self._close_call()
        try:
            chunk = _DECODER.decode(data)
        except msgspec.MsgspecError as error:
            raise ChatError(f"sent something that is no chat completion: {type(error).__name__}") from None
        if chunk.error or chunk.message:
            raise ChatError(f"reported: {_error_text(chunk)}")
        results: list[LlmResult] = []
        for choice in chunk.choices[:1]:
            if choice.delta and choice.delta.content:
                results.append(Token(choice.delta.content))
            for delta in (choice.delta and choice.delta.tool_calls) or ():
                results += self._take_call(delta)
            if choice.finish_reason:
                self.finish_reason = choice.finish_reason
                self.complete = True
                results += self._close_call()
        if self.finish_reason in ("error", "abort"):
            raise ChatError("gave the reply up")
        return results

    def _take_call(self, delta: _ToolCallDelta) -> Sequence[LlmResult]:
        complete: Sequence[LlmResult] = ()
        if self._open is None or not self._open.continued_by(delta):
            complete = self._close_call()
            self._open = _OpenCall(delta.index, delta.id or "", "")
        if function := delta.function:
            self._open.name = self._open.name or function.name or ""
            arguments = function.arguments or ""
            self._open.arguments += arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
        return complete

    def _close_call(self) -> list[LlmResult]:
        call, self._open = self._open, None
        if call is None:
            return []
        if not call.name:
            raise ChatError("sent a tool call without a name")
        number = call.id if call.id and call.id not in self._taken else f"call_{secrets.token_hex(8)}"
        self._taken.add(number)
        return [ToolCall(number, call.name, call.arguments or "{}")]


def _error_text(chunk: _Chunk) -> str:
    error = chunk.error or chunk.message
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return str(error["message"])
    return error if isinstance(error, str) else "an error without a message"
