"""A stand-in for Deepgram's live transcription: it hears where speech is.

The words it reads from the audio, where a simulated caller wrote them into it (`simulator.tones`), or has from a list.
All it decides, it decides by the position in the audio, as the real one does, so that feeding it faster than real
time changes nothing.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec
import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from client_caller.audio import g711
from client_caller.audio.g711 import FRAME, SAMPLE_RATE
from client_caller.simulator import tones
from client_caller.simulator.doubles.sockets import Sockets

_VOICE = 500
"""A sample louder than this, of 32768, is speech: -36 dBFS."""
_WORD = SAMPLE_RATE // 4
"""Samples of speech for each word of a guess."""
_EMPTY_FINAL = 3 * SAMPLE_RATE
"""Samples of silence after which an empty final comes."""


class WordReader(Protocol):
    """Knows which words are in some audio."""

    def feed(self, mulaw: bytes) -> list[str]:
        """The words that end in the next piece."""
        ...


@dataclass
class Behaviour:
    """How one connection goes."""

    transcripts: Sequence[str] | None = None
    """The words of its utterances, after the last the first again; None: those in the audio."""
    reader: WordReader | None = None
    """Knows the words in the audio; None: they are written into it (`simulator.tones`)."""
    refuse: int | None = None
    """Answer the handshake with this HTTP status."""
    break_after: float | None = None
    """Break the connection after so many seconds of audio."""
    deaf: bool = False
    """Send no results at all."""
    answers_empty_finalize: bool = True
    """Answer a `Finalize` although no speech is waiting. The real one may or may not."""
    send_first: Sequence[str] = ()
    """Messages sent word for word at the start."""


@dataclass
class Connection:
    """What arrived on one connection, and when it was over."""

    query: dict[str, list[str]]
    authorization: str | None
    audio: bytearray = field(default_factory=bytearray)
    finalized_at: list[int] = field(default_factory=list)
    """Samples that had come before each `Finalize`."""
    keep_alives: int = 0
    closed_politely: bool = False
    """A `CloseStream` came."""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at each message."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class DeepgramDouble:
    """Takes the behaviour of its connections from `behaviours`, then goes on with the default one."""

    def __init__(self, *, final_after: float = 0.120, interim_after: float = 0.0, patience: float = 10.0) -> None:
        """`final_after`: seconds of silence after which an utterance is final, 120 ms as in our measurements of other
        frameworks. `interim_after`: seconds from the end of a word in the audio to a guess that has it. `patience`:
        seconds without a message before it hangs up."""
        self.final_after = final_after
        self.interim_after = interim_after
        self.patience = patience
        self.behaviours: deque[Behaviour] = deque()
        self.connections: list[Connection] = []
        sockets = Sockets(self._call, self._admit)
        self.serving = sockets.serving
        self.break_all = sockets.break_all

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path != "/v1/listen":
            return socket.respond(404, "Not Found")
        if self.behaviours and (status := self.behaviours[0].refuse):
            self.behaviours.popleft()
            return socket.respond(status, '{"err_code":"REFUSED","err_msg":"Invalid credentials."}')
        return None

    async def _call(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        connection = Connection(query, socket.request.headers.get("Authorization"))
        self.connections.append(connection)
        behaviour = self.behaviours.popleft() if self.behaviours else Behaviour()
        ear = _Ear(behaviour, round(self.final_after * SAMPLE_RATE), round(self.interim_after * SAMPLE_RATE))
        try:
            for message in behaviour.send_first:
                await socket.send(message)
            await self._listen(socket, connection, behaviour, ear)
        except ConnectionClosed:
            pass
        finally:
            connection.over.set()

    async def _listen(
        self, socket: ServerConnection, connection: Connection, behaviour: Behaviour, ear: "_Ear"
    ) -> None:
        while True:
            try:
                async with asyncio.timeout(self.patience):
                    message = await socket.recv()
            except TimeoutError:
                await socket.close(1011, "NET-0001: no audio and no KeepAlive")
                return
            connection.heard.set()
            if isinstance(message, bytes):
                connection.audio += message
                results = ear.hear(message)
            else:
                results = self._control(message, connection, behaviour, ear)
            if behaviour.break_after is not None and ear.position >= behaviour.break_after * SAMPLE_RATE:
                socket.transport.abort()
                return
            for result in () if behaviour.deaf else results:
                await socket.send(msgspec.json.encode(result).decode())
            if connection.closed_politely:
                return

    def _control(self, message: str, connection: Connection, behaviour: Behaviour, ear: "_Ear") -> list[dict[str, Any]]:
        kind = msgspec.json.decode(message)["type"]
        if kind == "KeepAlive":
            connection.keep_alives += 1
        elif kind == "Finalize":
            connection.finalized_at.append(len(connection.audio))
            if ear.speaking or behaviour.answers_empty_finalize:
                return [ear.final(from_finalize=True)]
        elif kind == "CloseStream":
            connection.closed_politely = True
            return [*([ear.final()] if ear.speaking else []), {"type": "Metadata", "channels": 1}]
        return []


class _Ear:
    """From the audio of one connection to results."""

    def __init__(self, behaviour: Behaviour, final_after: int, interim_after: int) -> None:
        self.position = 0
        self.speaking = False
        self._behaviour = behaviour
        self._final_after = final_after
        self._interim_after = interim_after
        self._start = 0
        self._utterance = 0
        self._onset = 0
        self._last_voice = 0
        self._guessed = 0
        self._reader = behaviour.reader or tones.Reader()
        self._read: list[tuple[int, str]] = []
        """Words, each with the position at which it was whole."""

    def hear(self, mulaw: bytes) -> list[dict[str, Any]]:
        """The results that come with some audio, which is heard 20 ms at a time however it was sent."""
        frames = (mulaw[start : start + FRAME] for start in range(0, len(mulaw), FRAME))
        return [result for frame in frames for result in self._step(frame)]

    def _step(self, mulaw: bytes) -> list[dict[str, Any]]:
        loud = np.flatnonzero(np.abs(g711.decode(mulaw).astype(np.int32)) > _VOICE)
        if len(loud):
            if not self.speaking:
                self.speaking, self._onset, self._guessed = True, self.position + int(loud[0]), 0
            self._last_voice = self.position + int(loud[-1])
        self.position += len(mulaw)
        self._read += [(self.position, word) for word in self._reader.feed(mulaw)]
        if not self.speaking:
            return [self.final()] if self.position - self._start >= _EMPTY_FINAL else []
        if self.position - self._last_voice >= self._final_after:
            return [self.final()]
        guess = self._guess()
        if len(guess) <= self._guessed:
            return []
        self._guessed = len(guess)
        return [self._result(" ".join(guess), is_final=False)]

    def final(self, from_finalize: bool = False) -> dict[str, Any]:
        text = " ".join(self._words) if self.speaking else ""
        result = self._result(text, is_final=True, from_finalize=from_finalize)
        self._utterance += self.speaking
        self.speaking = False
        self._read = []
        self._start = self.position
        return result

    def _guess(self) -> list[str]:
        if self._behaviour.transcripts is not None:
            return self._words[: (self.position - self._onset) // _WORD]
        return [word for whole, word in self._read if self.position - whole >= self._interim_after]

    @property
    def _words(self) -> list[str]:
        transcripts = self._behaviour.transcripts
        if transcripts is None:
            return [word for _, word in self._read]
        return transcripts[self._utterance % len(transcripts)].split()

    def _result(self, text: str, *, is_final: bool, from_finalize: bool = False) -> dict[str, Any]:
        words = [{"word": word, "start": 0.0, "end": 0.0, "confidence": 0.98} for word in text.split()]
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": self._start / SAMPLE_RATE,
            "duration": (self.position - self._start) / SAMPLE_RATE,
            "is_final": is_final,
            "speech_final": is_final and not from_finalize,
            "channel": {
                "alternatives": [{"transcript": text, "confidence": 0.98 if text else 0.0, "words": words}],
            },
            "metadata": {"request_id": "double", "model_info": {"name": "double"}},
            "from_finalize": from_finalize,
        }
