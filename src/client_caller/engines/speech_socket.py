"""Text to speech over a WebSocket that carries several clauses at a time: what Cartesia and ElevenLabs have in common.

Each clause is a *context* with an id of its own, so one connection serves many calls, and a barge-in ends a context
and not the connection. A context that can't be cancelled, but runs to its end unheard, takes up room until then: not
to count it is how others run into ElevenLabs' limit, upon which the whole connection is dropped.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines import server_text
from client_caller.engines.protocols import CallContext, EngineError, Speech, WordTime
from client_caller.engines.word_clock import WordClock

OPEN_PATIENCE = 3.0
"""Seconds for a connection, TLS and handshake together."""
CLOSE_PATIENCE = 0.5
"""Seconds for a polite end; then the connection is cut."""
MOST_AUDIO = 120 * SAMPLE_RATE
"""Samples of one clause. The longest clause (240 characters) takes some 20 s to say; more is a voice gone astray."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message says."""

    context: str | None
    """None: an error of the whole connection, which is over then."""
    mulaw: bytes = b""
    said: Sequence[tuple[str, int]] = ()
    """Words or letters, each with the sample at which it ends."""
    done: bool = False
    """Nothing more comes for this context."""
    error: str | None = None
    """The server's own words."""
    advice: str = ""
    """What to do about the error."""


class Wire(Protocol):
    """A vendor's protocol, without I/O."""

    name: str
    """The vendor's."""
    address: str
    """Where it is, without credentials: for errors."""
    headers: Mapping[str, str]
    api_key: str | None
    key_name: str
    """The environment variable of the key."""
    room: int
    """Contexts that one connection takes at a time."""
    times_begin_anew: bool
    """Whether the times in a message count from its own audio; else from the beginning of the context."""

    def url(self, language: str) -> str: ...

    def begin(self, context: str, text: str, language: str) -> Sequence[str]:
        """The messages that ask for one clause, and no more than that."""
        ...

    def give_up(self, context: str) -> str | None:
        """The message that ends a context at once; None where the vendor has none, and it runs to its end."""
        ...

    def read(self, message: str | bytes) -> Piece | None:
        """None for what need not concern us. Raises `ValueError` for what is not the protocol."""
        ...


class SpeechSocket:
    """One account and voice, for any number of calls; implements `TextToSpeech`.

    Connections are made when needed and kept. One that was lost while it was idle costs the next clause a new one,
    and nobody notices.
    """

    def __init__(self, wire: Wire, *, first_audio: float = 5.0, next_audio: float = 3.0) -> None:
        """`first_audio`, `next_audio`: seconds until the first and between any two pieces of audio."""
        self._wire = wire
        self._first_audio = first_audio
        self._next_audio = next_audio
        self._lines: dict[str, list[_Line]] = {}
        self._connecting = asyncio.Lock()
        self._closed = False

    async def speak(self, context: CallContext, text: str) -> AsyncGenerator[Speech, None]:
        """Stream the audio of one clause. Raises `EngineError`, also where no audio comes."""
        until = asyncio.get_running_loop().time() + self._first_audio
        line, kept = await self._line(context.language, until)
        job = line.begin(text, context.language)
        try:
            if kept and not await self._alive(job, until):
                line, _ = await self._line(context.language, until)
                job = line.begin(text, context.language)
            async for speech in self._speech(job, text, until):
                yield speech
        finally:
            line.end(job)

    async def close(self) -> None:
        """Whoever waits for audio gets an `EngineError`."""
        self._closed = True
        lines = [line for kept in self._lines.values() for line in kept]
        self._lines.clear()
        await asyncio.gather(*(line.close("was closed.") for line in lines))

    async def _line(self, language: str, until: float) -> "tuple[_Line, bool]":
        """A connection with room for one more clause, and whether it was there before."""
        url = self._wire.url(language)
        try:
            async with asyncio.timeout_at(until), self._connecting:
                self._check_open()
                lines = self._lines[url] = [line for line in self._lines.get(url, ()) if not line.lost]
                if free := next((line for line in lines if line.room), None):
                    return free, True
                line = _Line(self._wire, await self._connect(url))
        except TimeoutError:
            raise _error(self._wire, "can't be reached in time.") from None
        if self._closed:
            await line.close("was closed.")
            self._check_open()
        self._lines[url].append(line)
        return line, False

    def _check_open(self) -> None:
        if self._closed:
            raise _error(self._wire, "is no longer used: this engine was closed.")

    async def _connect(self, url: str) -> ClientConnection:
        try:
            return await connect(
                url,
                additional_headers=self._wire.headers,
                compression=None,
                open_timeout=OPEN_PATIENCE,
                close_timeout=CLOSE_PATIENCE,
                ping_interval=20,
                ping_timeout=10,
            )
        except InvalidStatus as error:
            raise self._refused(error) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise _error(self._wire, f"can't be reached ({type(error).__name__}). Is base_url right?") from None

    def _refused(self, error: InvalidStatus) -> EngineError:
        status = error.response.status_code
        told = server_text.message_of(bytes(error.response.body or b""))
        said = server_text.printable(told, self._wire.api_key, ())
        advice = {
            401: f"Set a valid API key ({self._wire.key_name}).",
            403: f"Set a valid API key ({self._wire.key_name}).",
            429: "The account has no room for more at a time.",
        }.get(status, "Check base_url, voice and model.")
        return _error(self._wire, f"refused the connection: {status}{f', {said}' if said else ''}. {advice}")

    async def _alive(self, job: "_Job", until: float) -> bool:
        """Whether a kept connection still was one: False if it broke before it said anything about this clause."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await job.news.wait()
        return bool(job.pieces) or not job.lost

    async def _speech(self, job: "_Job", text: str, until: float) -> AsyncGenerator[Speech, None]:
        clock = asyncio.get_running_loop().time
        words = WordClock(text)
        known: deque[WordTime] = deque()
        samples = 0
        while True:
            piece = await self._next(job, text, until)
            before = samples if self._wire.times_begin_anew else 0
            for fragment, end in piece.said:
                known += words.said(fragment, before + end)
            samples += len(piece.mulaw)
            if samples > MOST_AUDIO:
                raise _error(self._wire, "sent more than two minutes of audio for one clause.")
            # A time is told with the audio that it is about, and is never past the end of it.
            ready = []
            while known and (piece.done or known[0].end <= samples):
                ready.append(WordTime(known[0].word, min(known.popleft().end, samples)))
            if piece.mulaw or ready:
                yield Speech(piece.mulaw, tuple(ready))
            if piece.mulaw:
                until = clock() + self._next_audio
            if piece.done:
                break
        if not samples:
            raise _error(self._wire, "sent no audio. Check voice and model.")

    async def _next(self, job: "_Job", text: str, until: float) -> Piece:
        while not job.pieces:
            if job.lost:
                raise _error(self._wire, f"{server_text.printable(job.lost, None, [text])}.")
            job.news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await job.news.wait()
            except TimeoutError:
                raise _error(self._wire, "sent nothing in time. Overloaded?") from None
        piece = job.pieces.popleft()
        if piece.error is not None:
            raise _error(self._wire, _reported(self._wire, piece, [text]))
        return piece


class _Job:
    """One clause on one connection."""

    def __init__(self) -> None:
        self.context = uuid.uuid4().hex
        self.pieces: deque[Piece] = deque()
        self.news = asyncio.Event()
        self.lost = ""
        """Why no more pieces can come; what has come is still to be read."""

    def take(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.news.set()

    def lose(self, why: str) -> None:
        self.lost = why
        self.news.set()


class _Line:
    """One connection and the clauses on it. One task reads, one writes, so that giving up never waits."""

    def __init__(self, wire: Wire, socket: ClientConnection) -> None:
        self.lost = False
        self._wire = wire
        self._socket = socket
        self._jobs: dict[str, _Job] = {}
        self._running_out: set[str] = set()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._tasks = [
            asyncio.create_task(self._read(), name=f"{wire.name} reader"),
            asyncio.create_task(self._write(), name=f"{wire.name} writer"),
        ]

    @property
    def room(self) -> int:
        return self._wire.room - len(self._jobs) - len(self._running_out)

    def begin(self, text: str, language: str) -> _Job:
        job = _Job()
        self._jobs[job.context] = job
        for message in self._wire.begin(job.context, text, language):
            self._outbox.put_nowait(message)
        if self.lost:
            job.lose("broke the connection.")
        return job

    def end(self, job: _Job) -> None:
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
                    why = _reported(self._wire, piece, ())
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


def websocket_address(base_url: str, example: str) -> str:
    """Where to connect, from what people write: ws or http. Raises `EngineError`."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise EngineError("tts", f"The base_url of tts is not a WebSocket address. It looks like {example}")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _reported(wire: Wire, piece: Piece, private: Sequence[str]) -> str:
    said = server_text.printable(piece.error or "an unnamed error", wire.api_key, private)
    return f"reported: {said}. {piece.advice}".rstrip()


def _error(wire: Wire, what: str) -> EngineError:
    return EngineError("tts", f"{wire.name} at {wire.address} {what}")
