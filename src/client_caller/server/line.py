"""What a call's WebSocket does that ASGI has no words for: an extension in the application's scope.

By way of ASGI every frame that arrives takes a queue, a task switch and a pause in reading, and every frame that leaves
a message, three wrappers and a write of its own. Here frames are handed over where they arrive, and what has gathered
leaves in one piece. The figures: docs/benchmarks.md, density.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

LINE = "client_caller.line"
"""Where the scope's `extensions` have the `Line`."""


class LineGone(Exception):
    """Nothing can be sent any more."""


class Line(Protocol):
    """One WebSocket that was accepted."""

    @property
    def writable(self) -> asyncio.Event:
        """Set while the far end keeps up with what is written."""
        ...

    def hand_to(self, take: Callable[[str], None]) -> None:
        """From now on hand text frames to `take`, which may not raise, as soon as they arrive.

        Go on with ASGI's `receive`: it gives what came before, the end, and whatever else is not a text frame in one
        part. The order is kept if each of those is dealt with before anything else is awaited.
        """
        ...

    def write(self, frames: Iterable[str]) -> None:
        """Send text frames, together. Raises `LineGone`."""
        ...

    def abort(self) -> None:
        """Drop the connection without waiting for its far end to read."""
        ...


class LineProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, made a `Line`."""

    _take: Callable[[str], None] | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:  # the handshake was good, and the application is about to see the scope
            extensions = cast("dict[str, object]", self.scope["extensions"])
            extensions[LINE] = self

    def handle_text(self, event: Frame) -> None:
        if self._take is None or not event.fin or not self.queue.empty() or self.close_sent:
            super().handle_text(event)
            return
        try:
            text = str(event.data, "utf-8")
        except UnicodeDecodeError:
            super().handle_text(event)  # it closes the connection as WebSockets should
        else:
            self._take(text)

    def hand_to(self, take: Callable[[str], None]) -> None:
        self._take = take

    def write(self, frames: Iterable[str]) -> None:
        if self.disconnected or self.close_sent:
            raise LineGone
        try:
            for frame in frames:
                self.conn.send_text(frame.encode())
        except InvalidState as error:
            raise LineGone from error
        self.transport.write(b"".join(self.conn.data_to_send()))

    def abort(self) -> None:
        self.transport.abort()
