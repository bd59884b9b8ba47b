"""A stand-in for an OpenAI-compatible language model server, to shape latency and failures."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from client_caller.simulator.doubles.serving import Ending, Receive, Send, answer, read_body, served, stream


@dataclass
class Reply:
    """How one request is answered."""

    text: str = "Of course, I can help you with that."
    tool_calls: Sequence[dict[str, Any]] = ()
    """As they come in one delta each, after the text."""
    status: int = 200
    error: Any = None
    """The JSON body that goes with another `status`."""
    events: Sequence[str] | None = None
    """Sent word for word as the data of events, in place of the text and all that belongs to it."""
    stall_after: int | None = None
    """Send nothing more after so many words, or events."""
    break_after: int | None = None
    """Break the connection after so many words."""


@dataclass
class Request:
    """A request as it arrived, and what became of it."""

    body: dict[str, Any]
    authorization: str | None
    connection: tuple[str, int]
    """The client's address: equal for requests over one connection."""
    words: int = 0
    """Sent so far."""
    ending: Ending | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class LlmDouble:
    """Takes its answers from `replies`; after them it repeats what was said and offers its help.

    The defaults of 150 ms to the first token and 60 words a second are those of our measurements of other frameworks.
    """

    def __init__(self, *, first_token: float = 0.150, words_per_second: float = 60.0) -> None:
        self.first_token = first_token
        self.words_per_second = words_per_second
        self.replies: deque[Reply] = deque()
        self.requests: list[Request] = []
        self.arrived = asyncio.Event()
        """Set at each request."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with served(self._app) as address:
            yield f"{address}/v1"

    async def _app(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body = msgspec.json.decode(await read_body(receive))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(body, headers.get("authorization"), tuple(scope["client"]))
        self.requests.append(request)
        self.arrived.set()
        reply = self.replies.popleft() if self.replies else _repeating(body)
        try:
            if scope["path"] != "/v1/chat/completions":
                reply = Reply(status=404, error={"error": {"message": "Not Found"}})
            if reply.status != 200:
                await answer(send, reply.status, "application/json", msgspec.json.encode(reply.error))
                request.ending = "complete"
            elif not body.get("stream"):
                await asyncio.sleep(self.first_token)
                await answer(send, 200, "application/json", msgspec.json.encode(_whole(reply)))
                request.ending = "complete"
            else:
                chunks = self._chunks(reply, request)
                request.ending = await stream(receive, send, "text/event-stream", chunks)
        finally:
            request.over.set()

    async def _chunks(self, reply: Reply, request: Request) -> AsyncIterator[bytes | None]:
        clock = asyncio.get_running_loop().time
        begun = clock()
        if reply.events is not None:
            for number, data in enumerate(reply.events):
                if number == reply.stall_after:
                    await asyncio.Event().wait()
                yield f"data: {data}\n\n".encode()
            return
        words = reply.text.split(" ")
        for number, word in enumerate(words):
            if number == reply.stall_after:
                await asyncio.Event().wait()
            if number == reply.break_after:
                yield None
            due = begun + self.first_token + number / self.words_per_second
            await asyncio.sleep(max(0.0, due - clock()))
            yield _event({"content": word if number == 0 else f" {word}"})
            request.words += 1
        for call in reply.tool_calls:
            yield _event({"tool_calls": [call]})
        yield _event({}, "tool_calls" if reply.tool_calls else "stop")
        yield b"data: [DONE]\n\n"


def _repeating(body: dict[str, Any]) -> Reply:
    said = body.get("messages", [{}])[-1].get("content", "")
    return Reply(f"You said {said} {Reply.text}")


def _event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-double",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "double",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _whole(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.text}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
    }
