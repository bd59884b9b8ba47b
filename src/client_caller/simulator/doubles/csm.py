"""A stand-in for `client-caller models serve csm`: its real messages over tones for words, without a model.

It keeps what each call's memory would hold, so that a test can ask what the real one would speak by.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response

from client_caller.models.csm.wire import (
    FRAME_SECONDS,
    PATH,
    SAMPLE_RATE,
    Cancel,
    Context,
    Ended,
    Failed,
    Heard,
    Reason,
    Request,
    Say,
    Sound,
    encode,
    read_request,
)

WORD = 3
"""Frames of tone that stand for a word."""
PAUSE = 1
"""Frames of silence behind it."""
_FRAME = round(FRAME_SECONDS * SAMPLE_RATE)


@dataclass
class Behaviour:
    """How one clause goes, or the handshake of a call."""

    refuse: int | None = None
    """Answer the handshake with this HTTP status; it is the next call's, not a clause's."""
    fail: str | None = None
    """Say that the clause can't be spoken."""
    stall_after: int | None = None
    """Say nothing more after so many frames."""
    break_after: int | None = None
    """Break the connection after so many frames."""
    send_first: tuple[str | bytes, ...] = ()
    """Messages sent word for word before the sound."""


@dataclass
class Call:
    """One connection: what was asked over it, and what its memory holds."""

    requests: list[Request] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    """What was said, by the agent or (in brackets) by the caller, as far as it was heard."""
    clauses: dict[int, int] = field(default_factory=dict)
    """For each clause and turn in the memory, which of `remembered` it is."""
    ended: list[Ended] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each request."""


class CsmDouble:
    """Takes the behaviour of its clauses from `behaviours`, then goes on with the default one.

    The defaults of 50 ms to the first sound and ten times real time are what the real one is built for.
    """

    def __init__(self, *, first_sound: float = 0.050, speed: float = 10.0) -> None:
        self.first_sound = first_sound
        self.speed = speed
        self.behaviours: deque[Behaviour] = deque()
        self.calls: list[Call] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with serve(self._call, "127.0.0.1", 0, process_request=self._greet, compression=None) as server:
            yield f"http://127.0.0.1:{_port(server)}/v1"

    def _greet(self, connection: ServerConnection, request: Handshake) -> Response | None:
        if request.path != PATH:
            return connection.respond(404, "Not Found")
        if self.behaviours and (status := self.behaviours[0].refuse) is not None:
            self.behaviours.popleft()
            return connection.respond(status, "no")
        return None

    async def _call(self, socket: ServerConnection) -> None:
        call = Call()
        self.calls.append(call)
        waiting: deque[Say | Context] = deque()
        wake = asyncio.Event()
        cancelled: set[int] = set()
        speaking = asyncio.create_task(self._speak(socket, call, waiting, wake, cancelled))
        try:
            async for message in socket:
                request = read_request(message)
                call.requests.append(request)
                call.asked.set()
                match request:
                    case Say() | Context():
                        waiting.append(request)
                        wake.set()
                    case Cancel(clause):
                        cancelled.add(clause)
                    case Heard(clause, _, text):
                        asked = [each.clause for each in call.requests if isinstance(each, Say | Context)]
                        cancelled.update(number for number in asked if number >= clause)
                        _forget(call, clause, text)
        except ConnectionClosed:
            pass
        finally:
            speaking.cancel()
            await asyncio.wait([speaking])
            call.over.set()

    async def _speak(
        self,
        socket: ServerConnection,
        call: Call,
        waiting: deque[Say | Context],
        wake: asyncio.Event,
        cancelled: set[int],
    ) -> None:
        with suppress(ConnectionClosed):
            while True:
                await wake.wait()
                while waiting:
                    match waiting.popleft():
                        case Say() as say:
                            await self._clause(socket, call, say, cancelled)
                        case Context(clause, text):
                            if clause not in cancelled:
                                _remember(call, clause, f"({text})")
                wake.clear()

    async def _clause(self, socket: ServerConnection, call: Call, say: Say, cancelled: set[int]) -> None:
        behaviour = self.behaviours.popleft() if self.behaviours else Behaviour()
        for message in behaviour.send_first:
            await socket.send(message)
        if behaviour.fail is not None:
            await socket.send(encode(Failed(say.clause, behaviour.fail)))
            return
        reason: Reason = "spoken"
        _remember(call, say.clause, say.text)
        await asyncio.sleep(self.first_sound)
        frames = 0
        for number in range(len(say.text.split()) * (WORD + PAUSE)):
            if say.clause in cancelled:
                reason = "cancelled"
                break
            if number == behaviour.stall_after:
                await asyncio.Future()
            if number == behaviour.break_after:
                socket.transport.abort()
                return
            await socket.send(encode(Sound(say.clause, _frame(number))))
            frames += 1
            await asyncio.sleep(FRAME_SECONDS / self.speed)
        call.ended.append(Ended(say.clause, frames, reason))
        await socket.send(encode(call.ended[-1]))


def _frame(number: int) -> bytes:
    """80 ms of a word's tone or of the silence behind it."""
    if number % (WORD + PAUSE) >= WORD:
        return bytes(2 * _FRAME)
    seconds = np.arange(_FRAME) / SAMPLE_RATE
    return (8000 * np.sin(2 * np.pi * 300 * seconds)).astype("<i2").tobytes()


def _remember(call: Call, clause: int, text: str) -> None:
    call.clauses[clause] = len(call.remembered)
    call.remembered.append(text)


def _forget(call: Call, clause: int, text: str) -> None:
    if clause not in call.clauses:
        return
    place = call.clauses[clause]
    call.remembered[place:] = [text] if text else []
    call.clauses = {number: at for number, at in call.clauses.items() if at < len(call.remembered)}


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
