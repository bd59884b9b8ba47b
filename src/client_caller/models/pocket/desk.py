"""Who is spoken for, and who waits: so many texts at a time as there are voices, a few in a queue, no more."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from types import TracebackType
from typing import Protocol

from client_caller.models.pocket.metrics import AUDIO, BUSY, FIRST, REFUSED, SPEAKING, WAITING

log = logging.getLogger(__name__)


class Voice(Protocol):
    """One model that speaks, one text at a time."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def voices(self) -> Sequence[str]: ...

    def speak(self, voice: str, text: str, stop: threading.Event) -> Iterator[bytes]: ...


class Full(Exception):
    """All voices speak, and the queue is full."""


class Desk:
    """The voices, which are lent to one request each."""

    def __init__(self, voices: Sequence[Voice], waiting: int) -> None:
        """`waiting`: how many requests may wait for a voice."""
        self.names = list(voices[0].voices)
        self.sample_rate = voices[0].sample_rate
        self.broken = False
        """The last text could not be spoken."""
        self._most = len(voices) + waiting
        self._inside = 0
        self._free: asyncio.Queue[Voice] = asyncio.Queue()
        for voice in voices:
            self._free.put_nowait(voice)

    def enter(self) -> "Place":
        """A place for one request, until it is left. Raises `Full`."""
        if self._inside == self._most:
            REFUSED.inc()
            raise Full
        self._inside += 1
        return Place(self)

    def leave(self) -> None:
        self._inside -= 1

    async def borrow(self) -> Voice:
        with WAITING.track_inprogress():
            return await self._free.get()

    def give_back(self, voice: Voice) -> None:
        self._free.put_nowait(voice)


class Place:
    """One request's: left as a context manager, at which the voice falls silent within a frame."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._stop = threading.Event()

    def __enter__(self) -> "Place":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._desk.leave()

    async def speak(self, name: str, text: str) -> AsyncGenerator[bytes, None]:
        """The sound as it comes, once there is a voice for it."""
        begun = time.monotonic()
        voice = await self._desk.borrow()
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()

        def put(piece: bytes | Exception | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        def work() -> None:
            with SPEAKING.track_inprogress(), BUSY.time():
                try:
                    for piece in voice.speak(name, text, self._stop):
                        put(piece)
                    put(None)
                except Exception as error:
                    put(error)

        # Not awaited: who is cancelled here may wait for nothing, and the voice is free when its last frame is made.
        loop.run_in_executor(None, work).add_done_callback(lambda _: self._desk.give_back(voice))
        first = True
        while (piece := await pieces.get()) is not None:
            self._desk.broken = isinstance(piece, Exception)
            if isinstance(piece, Exception):
                log.error("the voice broke", exc_info=piece)
                raise piece
            if first:
                FIRST.observe(time.monotonic() - begun)
                first = False
            AUDIO.inc(len(piece) / 2 / voice.sample_rate)
            yield piece
