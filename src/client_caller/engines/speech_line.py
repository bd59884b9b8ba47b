"""One connection to a voice, and the clauses on it.

A context that can't be cancelled, but runs to its end unheard, takes up room until then: not to count it is how others
run into ElevenLabs' limit, upon which the whole connection is dropped.
"""

import asyncio
import uuid
from collections import deque
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines import server_text
from client_caller.engines.speech_wire import Piece, Wire, reported

CLOSE_PATIENCE = 0.5
"""Seconds for a polite end; then the connection is cut."""
MOST_AUDIO = 120 * SAMPLE_RATE
"""Samples of one clause. The longest clause (240 characters) takes some 20 s to say; more is a voice gone astray."""


class Job:
    """One clause on one connection."""

    def __init__(self) -> None:
        self.context = uuid.uuid4().hex
        self.pieces: deque[Piece] = deque()
        self.news = asyncio.Event()
        self.lost = ""
        """Why no more pieces can come; what has come is still to be read."""
        self._samples = 0

    def take(self, piece: Piece) -> None:
        self._samples += len(piece.mulaw)
        if self._samples > MOST_AUDIO:
            self.lose("sent more than two minutes of audio for one clause.")
            return
        self.pieces.append(piece)
        self.news.set()

    def lose(self, why: str) -> None:
        self.lost = why
        self.news.set()


class Line:
    """One connection and the clauses on it. One task reads, one writes, so that giving up never waits."""

    def __init__(self, wire: Wire, socket: ClientConnection) -> None:
        self.lost = False
        self._wire = wire
        self._socket = socket
        self._jobs: dict[str, Job] = {}
        self._running_out: set[str] = set()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._read(), name=f"{wire.name} reader"),
            asyncio.create_task(self._write(), name=f"{wire.name} writer"),
        ]

    @property
    def room(self) -> int:
        return self._wire.room - len(self._jobs) - len(self._running_out)

    def begin(self, text: str, language: str) -> Job:
        job = Job()
        self._jobs[job.context] = job
        for message in self._wire.begin(job.context, text, language):
            self._outbox.put_nowait(message)
        if self.lost:
            job.lose("broke the connection.")
        return job

    def end(self, job: Job) -> None:
        """This clause is not wanted any more. Nothing, where it is over."""
        if self._jobs.pop(job.context, None) is not None and not self.lost:
            if message := self._wire.give_up(job.context):
                self._outbox.put_nowait(message)
            else:
                self._running_out.add(job.context)

    async def close(self, why: str) -> None:
        self._lose(why)
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                await self._socket.close()
        except TimeoutError:
            self._socket.transport.abort()

    async def _read(self) -> None:
        why = "broke the connection."
        try:
            async for message in self._socket:
                if not (piece := self._wire.read(message)):
                    continue
                if piece.context is None:
                    why = reported(self._wire, piece, ())
                    break
                self._route(piece, piece.context)
        except ConnectionClosed as error:
            why = self._reason(error)
        except ValueError:
            why = "sent a message that is not its protocol."
        self._lose(why)
        self._tasks[1].cancel()
        self._socket.transport.abort()

    def _route(self, piece: Piece, context: str) -> None:
        """What comes for a clause that was given up is dropped; its end makes room."""
        if job := self._jobs.get(context):
            job.take(piece)
        if piece.done or piece.error is not None:
            self._jobs.pop(context, None)
            self._running_out.discard(context)

    async def _write(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                await self._socket.send(await self._outbox.get())

    def _lose(self, why: str) -> None:
        self.lost = True
        for job in self._jobs.values():
            job.lose(why)

    def _reason(self, error: ConnectionClosed) -> str:
        closed = error.rcvd
        said = server_text.printable(f"{closed.code} {closed.reason}", self._wire.api_key, ()) if closed else ""
        return f"broke the connection{f' ({said})' if said else ''}."
