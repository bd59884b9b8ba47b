"""What the stand-ins for Cartesia and ElevenLabs share: one tone for each word, said in pieces at a multiple of real
time, over a connection that takes several clauses at a time."""

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from client_caller.audio import g711
from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.simulator.doubles.sockets import Sockets

WORD = SAMPLE_RATE // 4
"""Samples of tone that stand for a word."""
PAUSE = SAMPLE_RATE // 20
"""Samples of silence behind it."""
_MEANWHILE = 0.001
"""Seconds between two pieces at least, so that the connections take turns."""


@dataclass
class Behaviour:
    """How one clause goes, or the handshake before it."""

    refuse: int | None = None
    """Answer the handshake with this HTTP status; it is the next connection's, not a clause's."""
    error: dict[str, Any] | None = None
    """Sent in place of audio."""
    stall_after: int | None = None
    """Say nothing more after so many words."""
    break_after: int | None = None
    """Break the connection after so many words."""
    says: str | None = None
    """The words that the times are about; None: those of the text."""
    mute: bool = False
    """No audio at all."""
    send_first: Sequence[str] = ()
    """Messages sent word for word before the audio."""


@dataclass
class Clause:
    """A clause as it was asked for, and what became of it."""

    text: str
    connection: int
    """Which connection it came on, from 0."""
    request: dict[str, Any]
    words: int = 0
    """Said so far."""
    cancelled: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


Talk = Callable[["Line", str], Awaitable[None]]
"""Takes one message of a client."""


@dataclass
class Line:
    """One connection."""

    socket: ServerConnection
    number: int
    query: str
    headers: dict[str, str]
    speaking: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def send(self, message: dict[str, Any]) -> None:
        await self.socket.send(msgspec.json.encode(message).decode())


class ContextDouble:
    """The connections, and the voice that speaks on them."""

    def __init__(self, path: str, talk: Talk, *, first_byte: float, speed: float) -> None:
        self.first_byte = first_byte
        self.speed = speed
        self.behaviours: deque[Behaviour] = deque()
        self.clauses: list[Clause] = []
        self.lines: list[Line] = []
        self.arrived = asyncio.Event()
        """Set at each clause."""
        self._path = path
        self._talk = talk
        sockets = Sockets(self._call, self._admit)
        self.serving = sockets.serving
        self.break_all = sockets.break_all

    def begin(self, line: Line, text: str, request: dict[str, Any]) -> tuple[Clause, Behaviour]:
        """Note a clause, and how it shall go."""
        clause = Clause(text, line.number, request)
        self.clauses.append(clause)
        self.arrived.set()
        return clause, self.behaviours.popleft() if self.behaviours else Behaviour()

    async def said(self, line: Line, clause: Clause, behaviour: Behaviour) -> AsyncIterator[tuple[int, str, str]]:
        """The clause as it is said: which word, its letters, its audio in base64. Paced, and broken off where told."""
        await asyncio.sleep(self.first_byte)
        for message in behaviour.send_first:
            await line.socket.send(message)
        for number, (word, mulaw) in enumerate(_spoken(behaviour.says or clause.text)):
            if behaviour.mute:
                return
            if behaviour.stall_after is not None and number >= behaviour.stall_after:
                await asyncio.Event().wait()
            if behaviour.break_after is not None and number >= behaviour.break_after:
                line.socket.transport.abort()
                return
            yield number, word, b64encode(mulaw).decode()
            clause.words += 1
            await asyncio.sleep(max(_MEANWHILE, len(mulaw) / SAMPLE_RATE / self.speed))

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] != self._path:
            return socket.respond(404, '{"detail":"Not Found"}')
        if self.behaviours and (status := self.behaviours[0].refuse):
            self.behaviours.popleft()
            return socket.respond(status, '{"detail":{"status":"refused","message":"Not with this key."}}')
        return None

    async def _call(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        line = Line(socket, len(self.lines), socket.request.path.partition("?")[2], headers)
        self.lines.append(line)
        try:
            async for message in socket:
                await self._talk(line, str(message))
        except ConnectionClosed:
            pass
        finally:
            for task in line.speaking.values():
                task.cancel()
            await asyncio.gather(*line.speaking.values(), return_exceptions=True)


def _spoken(text: str) -> Iterator[tuple[str, bytes]]:
    for number, word in enumerate(text.split()):
        tone = 0.3 * np.sin(2 * np.pi * (300 + 40 * (number % 20)) * np.arange(WORD) / SAMPLE_RATE)
        yield word, g711.encode_float(tone.astype(np.float32)) + g711.SILENCE * PAUSE
