"""The WebSocket server behind a double: on any free port of this machine, and breakable."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response


class Sockets:
    """`call` holds each connection; `admit` answers a handshake in its place, or gives None."""

    def __init__(
        self,
        call: Callable[[ServerConnection], Awaitable[None]],
        admit: Callable[[ServerConnection, Request], Response | None],
    ) -> None:
        self._call = call
        self._admit = admit
        self._server: Server | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with serve(self._call, "127.0.0.1", 0, process_request=self._admit, compression=None) as server:
            self._server = server
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def break_all(self) -> None:
        """Break every connection that is open now."""
        assert self._server is not None
        for socket in list(self._server.connections):
            socket.transport.abort()
