"""A stand-in for an OpenAI-compatible speech server: one tone for each word, at a multiple of real time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from client_caller.simulator.doubles.serving import Ending, Receive, Send, answer, read_body, served, stream

WORD = 0.25
"""Seconds of tone that stand for a word."""
PAUSE = 0.05
"""Seconds of silence behind it."""
_BLOCK = 0.04
"""Seconds of audio sent at a time."""


@dataclass
class Answer:
    """How one request is answered."""

    status: int = 200
    error: Any = None
    """The JSON body that goes with another `status`."""
    content_type: str = "audio/pcm"
    prefix: bytes = b""
    """Sent before the audio: a file's header, where a server gets it wrong."""
    suffix: bytes = b""
    seconds: float | None = None
    """Of audio; None: as long as the text takes."""
    stall_after: float | None = None
    """Send nothing more after so many seconds of audio."""
    break_after: float | None = None
    """Break the connection after so many seconds of audio."""


@dataclass
class Request:
    """A request as it arrived, and what became of it."""

    body: dict[str, Any]
    authorization: str | None
    seconds: float = 0.0
    """Of audio sent so far."""
    ending: Ending | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class SpeechDouble:
    """Takes its answers from `answers`, then goes on with the default one.

    The defaults of 80 ms to the first byte and ten times real time are those of our measurements of other frameworks.
    """

    def __init__(
        self,
        *,
        first_byte: float = 0.080,
        speed: float = 10.0,
        sample_rate: int = 24_000,
        voice: Callable[[str], bytes] | None = None,
    ) -> None:
        """`voice`: what a text sounds like, as 16 bit PCM; None: a tone for each word."""
        self._voice = voice
        self.first_byte = first_byte
        self.speed = speed
        self.sample_rate = sample_rate
        self.answers: deque[Answer] = deque()
        self.requests: list[Request] = []
        self.arrived = asyncio.Event()
        """Set at each request."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with served(self._app) as address:
            yield f"{address}/v1"

    def pcm(self, text: str) -> bytes:
        """What a text sounds like: 16 bit, little endian, one channel."""
        if self._voice is not None:
            return self._voice(text)
        tone = np.arange(round(WORD * self.sample_rate)) / self.sample_rate
        pause = np.zeros(round(PAUSE * self.sample_rate))
        parts = [
            part
            for number, _ in enumerate(text.split())
            for part in (0.3 * np.sin(2 * np.pi * (300 + 40 * (number % 20)) * tone), pause)
        ]
        return (np.concatenate([*parts, pause]) * 32767).astype("<i2").tobytes()

    async def _app(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body = msgspec.json.decode(await read_body(receive))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(body, headers.get("authorization"))
        self.requests.append(request)
        self.arrived.set()
        told = self.answers.popleft() if self.answers else Answer()
        try:
            if scope["path"] != "/v1/audio/speech":
                told = Answer(status=404, error={"detail": "Not Found"})
            if told.status != 200:
                await answer(send, told.status, "application/json", msgspec.json.encode(told.error))
                request.ending = "complete"
            else:
                chunks = self._chunks(told, request)
                request.ending = await stream(receive, send, told.content_type, chunks)
        finally:
            request.over.set()

    async def _chunks(self, told: Answer, request: Request) -> AsyncIterator[bytes | None]:
        clock = asyncio.get_running_loop().time
        begun = clock()
        pcm = self.pcm(request.body["input"])
        if told.seconds is not None:
            pcm = pcm[: round(told.seconds * self.sample_rate) * 2]
        await asyncio.sleep(self.first_byte)
        if told.prefix:
            yield told.prefix
        block = round(_BLOCK * self.sample_rate) * 2
        for start in range(0, len(pcm), block):
            if told.stall_after is not None and request.seconds >= told.stall_after:
                await asyncio.Event().wait()
            if told.break_after is not None and request.seconds >= told.break_after:
                yield None
            due = begun + self.first_byte + request.seconds / self.speed
            await asyncio.sleep(max(0.0, due - clock()))
            yield pcm[start : start + block]
            request.seconds += _BLOCK
        if told.suffix:
            yield told.suffix
