"""A stand-in for realtime transcription over a WebSocket: our Whisper server's, or vLLM's.

The words it reads from the audio, where a simulated caller wrote them into it (`simulator.tones`). All it decides, it
decides by the position in the audio, so that feeding it faster than real time changes nothing. As vLLM it takes no
mu-law, tells no unstable words, throws away what comes between a final commit and its answer, and does not answer a
transcription that had no audio.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from client_caller.audio import g711
from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.simulator import tones
from client_caller.simulator.doubles.sockets import Sockets


@dataclass
class Behaviour:
    """How one connection goes."""

    vllm: bool = False
    """Be vLLM's server, not ours."""
    refuse: int | None = None
    """Answer the handshake with this HTTP status."""
    break_after: float | None = None
    """Break the connection after so many seconds of audio."""
    deaf: bool = False
    """Send no words at all, and no answers."""
    send_first: Sequence[str] = ()
    """Messages sent word for word after `session.created`."""


@dataclass
class Connection:
    """What arrived on one connection, and when it was over."""

    authorization: str | None
    update: dict[str, Any] = field(default_factory=dict)
    """The `session.update`."""
    audio: bytearray = field(default_factory=bytearray)
    """As mu-law, whatever it came as."""
    committed_at: list[int] = field(default_factory=list)
    """Samples that had come before each final commit."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class RealtimeDouble:
    """Takes the behaviour of its connections from `behaviours`, then goes on with the default one."""

    def __init__(self) -> None:
        self.behaviours: deque[Behaviour] = deque()
        self.connections: list[Connection] = []
        sockets = Sockets(self._call, self._admit)
        self.serving = sockets.serving
        self.break_all = sockets.break_all

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if urlsplit(request.path).path != "/v1/realtime":
            return socket.respond(404, "Not Found")
        if self.behaviours and (status := self.behaviours[0].refuse):
            self.behaviours.popleft()
            response = socket.respond(status, '{"detail":"No more calls."}')
            response.headers["Retry-After"] = "2"
            return response
        return None

    async def _call(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        connection = Connection(socket.request.headers.get("Authorization"))
        self.connections.append(connection)
        behaviour = self.behaviours.popleft() if self.behaviours else Behaviour()
        ear = _Ear(behaviour, connection)
        try:
            for first in [_encode(ear.greeting()), *behaviour.send_first]:
                await socket.send(first)
            async for message in socket:
                events = ear.hear(msgspec.json.decode(message))
                if behaviour.break_after is not None and len(connection.audio) >= behaviour.break_after * SAMPLE_RATE:
                    socket.transport.abort()
                    return
                for event in () if behaviour.deaf else events:
                    await socket.send(_encode(event))
        except ConnectionClosed:
            pass
        finally:
            connection.over.set()


class _Ear:
    """From the messages of one connection to events."""

    def __init__(self, behaviour: Behaviour, connection: Connection) -> None:
        self._vllm = behaviour.vllm
        self._connection = connection
        self._reader = tones.Reader()
        self._words: list[str] = []
        self._running = not behaviour.vllm
        self._heard = 0

    def greeting(self) -> dict[str, Any]:
        ours = {} if self._vllm else {"input_audio_formats": ["pcm16", "g711_ulaw"]}
        return {"type": "session.created", "id": "sess-double", "created": 0} | ours

    def hear(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        match event:
            case {"type": "session.update"}:
                self._connection.update = event
                return []
            case {"type": "input_audio_buffer.append", "audio": audio}:
                return self._append(base64.b64decode(audio))
            case {"type": "input_audio_buffer.commit", "final": True}:
                return self._finish()
            case {"type": "input_audio_buffer.commit"}:
                self._running = True
                return []
        return [{"type": "error", "error": f"Unknown event type: {event.get('type')}", "code": "unknown_event"}]

    def _append(self, audio: bytes) -> list[dict[str, Any]]:
        if self._connection.update.get("input_audio_format") != "g711_ulaw" or self._vllm:
            # The samples in between were put there by whoever made 16 kHz of it.
            audio = g711.encode(np.frombuffer(audio, "<i2")[::2])
        self._connection.audio += audio
        if not self._running:
            return []  # thrown away
        self._heard += len(audio)
        return [event for word in self._reader.feed(audio) for event in self._guess(word)]

    def _guess(self, word: str) -> list[dict[str, Any]]:
        self._words.append(word)
        if self._vllm:
            return [{"type": "transcription.delta", "delta": f" {word}"}]
        stable = "".join(f" {word}" for word in self._words[-2:-1])
        return [{"type": "transcription.delta", "delta": stable, "unstable": f" {word}"}]

    def _finish(self) -> list[dict[str, Any]]:
        self._connection.committed_at.append(len(self._connection.audio))
        heard, self._heard = self._heard, 0
        words, self._words = self._words, []
        self._running = not self._vllm
        if self._vllm:
            return [{"type": "transcription.done", "text": "".join(f" {w}" for w in words)}] if heard else []
        times = [{"word": word, "start": 0.0, "end": 0.0, "confidence": 0.98} for word in words]
        confidence = {"confidence": 0.98} if words else {}
        return [{"type": "transcription.done", "text": " ".join(words), "words": times} | confidence]


def _encode(event: dict[str, Any]) -> str:
    return msgspec.json.encode(event).decode()
