"""Text to speech over a WebSocket that carries several clauses at a time: what Cartesia and ElevenLabs have in common.

One connection serves many calls (`speech_line`); there are as many as have room for the clauses of all of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from client_caller.engines import server_text
from client_caller.engines.protocols import CallContext, EngineError, Speech, WordTime
from client_caller.engines.speech_line import CLOSE_PATIENCE, Job, Line
from client_caller.engines.speech_wire import Piece, Wire, failed, reported
from client_caller.engines.word_clock import WordClock

OPEN_PATIENCE = 3.0
"""Seconds for a connection, TLS and handshake together."""


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
        self._lines: dict[str, list[Line]] = {}
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

    async def _line(self, language: str, until: float) -> tuple[Line, bool]:
        """A connection with room for one more clause, and whether it was there before."""
        url = self._wire.url(language)
        try:
            async with asyncio.timeout_at(until), self._connecting:
                self._check_open()
                lines = self._lines[url] = [line for line in self._lines.get(url, ()) if not line.lost]
                if free := next((line for line in lines if line.room), None):
                    return free, True
                line = Line(self._wire, await self._connect(url))
        except TimeoutError:
            raise failed(self._wire, "can't be reached in time.") from None
        if self._closed:
            await line.close("was closed.")
            self._check_open()
        self._lines[url].append(line)
        return line, False

    def _check_open(self) -> None:
        if self._closed:
            raise failed(self._wire, "is no longer used: this engine was closed.")

    async def _connect(self, url: str) -> ClientConnection:
        try:
            return await connect(
                url,
                additional_headers=self._wire.headers,
                compression=None,
                open_timeout=OPEN_PATIENCE,
                close_timeout=CLOSE_PATIENCE,
                ping_interval=5,
                ping_timeout=5,
            )
        except InvalidStatus as error:
            raise self._refused(error) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise failed(self._wire, f"can't be reached ({type(error).__name__}). Is base_url right?") from None

    def _refused(self, error: InvalidStatus) -> EngineError:
        status = error.response.status_code
        told = server_text.message_of(bytes(error.response.body or b""))
        said = server_text.printable(told, self._wire.api_key, ())
        advice = {
            401: f"Set a valid API key ({self._wire.key_name}).",
            403: f"Set a valid API key ({self._wire.key_name}).",
            429: "The account has no room for more at a time.",
        }.get(status, "Check base_url, voice and model.")
        return failed(self._wire, f"refused the connection: {status}{f', {said}' if said else ''}. {advice}")

    async def _alive(self, job: Job, until: float) -> bool:
        """Whether a kept connection still was one: False if it broke before it said anything about this clause."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await job.news.wait()
        return bool(job.pieces) or not job.lost

    async def _speech(self, job: Job, text: str, until: float) -> AsyncGenerator[Speech, None]:
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
            raise failed(self._wire, "sent no audio. Check voice and model.")

    async def _next(self, job: Job, text: str, until: float) -> Piece:
        while not job.pieces:
            if job.lost:
                raise failed(self._wire, f"{server_text.printable(job.lost, None, [text])}.")
            job.news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await job.news.wait()
            except TimeoutError:
                raise failed(self._wire, "sent nothing in time. Overloaded?") from None
        piece = job.pieces.popleft()
        if piece.error is not None:
            raise failed(self._wire, reported(self._wire, piece, [text]))
        return piece
