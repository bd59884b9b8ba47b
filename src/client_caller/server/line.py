"""What a call's WebSocket does that ASGI has no words for: an extension in the application's scope.

By way of ASGI every frame that arrives takes a queue, a task switch and a pause in reading, and every frame that leaves
a message, three wrappers and a write of its own; and the library's parser takes three times as long for it as ours
(experiments/line_frames.py). Here ordinary frames are read and handed over where they arrive, and what has gathered
leaves in one piece. The figures: docs/benchmarks.md, "What a call costs".
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

from client_caller.server import frames

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

    def write(self, texts: Iterable[str]) -> None:
        """Send text frames, together. Raises `LineGone`."""
        ...

    def abort(self) -> None:
        """Drop the connection without waiting for its far end to read."""
        ...


class LineProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol, made a `Line`."""

    _take: Callable[[str], None] | None = None
    _part = b""
    """Of a frame whose rest has not come yet."""

    def data_received(self, data: bytes) -> None:
        """First the request, in one piece (uvicorn's parser of HTTP has put it together), then frames."""
        if self._part:
            data, self._part = self._part + data, b""
        if not self.handshake_initiated or self.close_sent:
            super().data_received(data)
            return
        start = 0
        while start < len(data):
            end = frames.end(data, start)
            if end - start > frames.HEADER + self.config.ws_max_size:
                super().data_received(data[start:])  # it refuses the frame, and closes the connection
                return
            if end > len(data):
                self._part = data[start:]
                return
            self._receive(data[start:end])
            start = end

    def _receive(self, frame: bytes) -> None:
        """Take one whole frame: the short way, if nothing that came before it is still on the long one."""
        short = self._take is not None and not self.frames and self.queue.empty() and not self.close_sent
        text = frames.text_of(frame) if short else None
        if self._take is None or text is None:
            super().data_received(frame)
        else:
            self._take(text)

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

    def write(self, texts: Iterable[str]) -> None:
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise LineGone
        self.transport.write(b"".join([frames.text_frame(text) for text in texts]))

    def abort(self) -> None:
        self.transport.abort()
