"""The sending half of a media stream's WebSocket."""

import asyncio
from collections import deque
from typing import NamedTuple

from client_caller.observe.metrics import DROPPED_AUDIO
from client_caller.server.line import Line
from client_caller.telephony.twilio_stream import TwilioStream

OUTBOX = 256
"""Frames that may wait for a socket that does not take them: over two seconds of speech with its marks, on top of what
the operating system buffers. Whoever is further behind hears too old a voice to talk with."""


class _Frame(NamedTuple):
    text: str
    samples: int
    """Of audio; 0 for a mark or a clear."""


class SocketLeg:
    """A `telephony.leg.Leg`. Its owner runs `write` in a task, and watches `stalled`."""

    def __init__(self, stream: TwilioStream) -> None:
        """`stream` has started."""
        self.reason: str | None = None
        """Why the call was hung up from our side, once it was."""
        self.stalled = asyncio.Event()
        """The far end does not read: its line has to be cut."""
        self._stream = stream
        self._outbox: deque[_Frame] = deque()
        self._wake = asyncio.Event()

    def send_audio(self, mulaw: bytes) -> None:
        self._put(_Frame(self._stream.media(mulaw), len(mulaw)))

    def send_mark(self, name: str) -> None:
        self._put(_Frame(self._stream.mark(name), 0))

    def clear(self) -> None:
        """Also drops audio that has not left yet; its marks go out all the same, so that they come back."""
        if self.reason is not None:
            return
        kept = [frame for frame in self._outbox if not frame.samples]
        self._outbox.clear()
        self._outbox.extend(kept)
        self._put(_Frame(self._stream.clear(), 0))

    def hang_up(self, reason: str) -> None:
        """Close the line when everything queued has left."""
        if self.reason is None:
            self.reason = reason
            self._wake.set()

    async def write(self, line: Line) -> None:
        """Send what is queued, in order, until the call was hung up and nothing is left. Raises `LineGone`."""
        while True:
            while self._outbox:
                await line.writable.wait()
                line.write([frame.text for frame in self._outbox])
                self._outbox.clear()
            if self.reason is not None:
                return
            self._wake.clear()
            await self._wake.wait()

    def _put(self, frame: _Frame) -> None:
        if self.reason is not None:
            return
        if len(self._outbox) >= OUTBOX:
            self.stalled.set()
            DROPPED_AUDIO.labels("outbox").inc(frame.samples / 8000)
            return
        self._outbox.append(frame)
        self._wake.set()
