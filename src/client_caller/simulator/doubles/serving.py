"""How the HTTP doubles run: uvicorn on a free loopback port, in the caller's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import uvicorn

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

Ending = Literal["complete", "aborted", "broken"]
"""Of an answer: sent whole, given up by the client, or given up by us as we were told."""


class ClientGone(Exception):
    """The client gave its request up before all of it had come."""


@asynccontextmanager
async def served(app: App) -> AsyncIterator[str]:
    """Serve while the block runs; gives the address, such as `http://127.0.0.1:41234`.

    Neither uvicorn's signal handlers, for the process belongs to somebody else, nor its shutdown, which takes 0.1 s to
    let clients finish: these are told at once.
    """

    async def patient(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        with suppress(ClientGone):
            await app(scope, receive, send)

    config = uvicorn.Config(patient, interface="asgi3", lifespan="off", log_config=None, ws="none")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await server.startup(sockets=[listener])
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for listening in server.servers:
                listening.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


async def read_body(receive: Receive) -> bytes:
    """A request's whole body. Raises `ClientGone`."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send: Send, status: int, content_type: str, body: bytes) -> None:
    """Answer at once and whole."""
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def stream(receive: Receive, send: Send, content_type: str, chunks: AsyncIterator[bytes | None]) -> Ending:
    """Answer piece by piece until the chunks or the client end. A chunk None breaks the connection."""

    async def sending() -> Ending:
        headers = [(b"content-type", content_type.encode())] if content_type else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for chunk in chunks:
            if chunk is None:
                return "broken"
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return "complete"

    async def leaving() -> Ending:
        while (await receive())["type"] != "http.disconnect":
            pass
        return "aborted"

    both = [asyncio.create_task(sending()), asyncio.create_task(leaving())]
    done, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(both)
    return both[0].result() if both[0] in done else both[1].result()
