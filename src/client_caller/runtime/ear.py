"""One call's speech to text, kept open for as long as the call lasts."""

import asyncio
from collections import deque
from collections.abc import Callable

from client_caller.engines.protocols import CallContext, EngineError, SpeechToText, SttResult, SttStream

BACKLOG = 5 * 8000
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
        self._waiting: deque[bytes | int] = deque()
        self._waiting_samples = 0

    def feed(self, mulaw: bytes) -> None:
        """The caller's next audio."""
        if self._stream is not None:
            self._stream.feed(mulaw)
            return
        self._waiting.append(mulaw)
        self._waiting_samples += len(mulaw)
        while self._waiting_samples > BACKLOG:
            dropped = self._waiting.popleft()
            self._waiting_samples -= len(dropped) if isinstance(dropped, bytes) else 0

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
            self._stream = stream
            async for result in stream:
                self._heard(result)
        finally:
            self._stream = None
            await stream.close()
