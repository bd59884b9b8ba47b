"""One call's speech to text, kept open for as long as the call lasts."""

import asyncio
from collections import deque
from collections.abc import Callable

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.protocols import CallContext, EngineError, SpeechToText, SttResult, SttStream
from client_caller.observe.metrics import DROPPED_AUDIO

BACKLOG = 5 * SAMPLE_RATE
"""Samples of audio that wait while the engine is being opened; older audio is dropped."""
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before each further try to open it; the last for all later ones."""


class Ear:
    """Feeds an engine, and opens it again when it fails. The conversation decides how many failures are too many."""

    def __init__(
        self,
        engine: SpeechToText,
        context: CallContext,
        heard: Callable[[SttResult], None],
        failed: Callable[[EngineError], None],
    ) -> None:
        self._engine = engine
        self._context = context
        self._heard = heard
        self._failed = failed
        self._stream: SttStream | None = None
        self._stream_dropped = 0
        """What of the stream's drops is in the metrics."""
        self._waiting: deque[bytes | int] = deque()
        self._waiting_samples = 0

    def feed(self, mulaw: bytes) -> None:
        """The caller's next audio."""
        if self._stream is not None:
            self._stream.feed(mulaw)
            if self._stream.dropped != self._stream_dropped:
                self._count_drops(self._stream)
            return
        self._waiting.append(mulaw)
        self._waiting_samples += len(mulaw)
        while self._waiting_samples > BACKLOG:
            dropped = self._waiting.popleft()
            if isinstance(dropped, bytes):
                self._waiting_samples -= len(dropped)
                _count(len(dropped))

    def finish(self, request: int) -> None:
        """Ask for the final words of everything fed so far."""
        if self._stream is not None:
            self._stream.finish(request)
        else:
            self._waiting.append(request)

    async def run(self) -> None:
        """Listen until cancelled."""
        failures = 0
        while True:
            try:
                await self._listen()
                error = EngineError("stt", "speech to text ended in the middle of the call")
            except EngineError as raised:
                error = raised
            self._failed(error)
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    async def _listen(self) -> None:
        stream = await self._engine.open(self._context)
        try:
            for item in self._waiting:
                if isinstance(item, bytes):
                    stream.feed(item)
                else:
                    stream.finish(item)
            self._waiting.clear()
            self._waiting_samples = 0
            self._stream, self._stream_dropped = stream, 0
            self._count_drops(stream)
            async for result in stream:
                self._heard(result)
        finally:
            self._stream = None
            await stream.close()

    def _count_drops(self, stream: SttStream) -> None:
        _count(stream.dropped - self._stream_dropped)
        self._stream_dropped = stream.dropped


def _count(samples: int) -> None:
    DROPPED_AUDIO.labels("stt").inc(samples / SAMPLE_RATE)
