"""Speech to text with PocketSphinx, in a worker process. For demonstration: it hears only sentences it is told of.

With the caller's lines of a script, and mixtures of them, it does well; anything else it takes for one of them. For
real callers use another engine.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from itertools import count

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.pocketsphinx_messages import Answer, Close, Finish, Hear, Open, Request, Setup
from client_caller.engines.protocols import CallContext, EngineError, Final, Finished, Partial, SttResult
from client_caller.engines.worker import Worker, WorkerLost, WorkerUnavailable

LAG = 2 * SAMPLE_RATE
"""Samples that may wait for the worker; older ones are dropped, for words later than that are of no use in a call."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Answer).decode


class PocketSphinx:
    """One worker process, started when first needed or by `start`, that hears for all calls."""

    def __init__(self, sentences: Sequence[str], max_calls: int = 8) -> None:
        """`sentences`: what callers may say. `max_calls` at once: 8 that all speak take a quarter of a core."""
        self._setup = Setup(tuple(sentences))
        self._max_calls = max_calls
        self._worker = Worker("client_caller.engines.pocketsphinx_worker", self._receive, self._lose)
        self._streams: dict[int, PocketSphinxStream] = {}
        self._numbers = count(1)

    @property
    def busy(self) -> bool:
        """Whether the worker owes an answer: it computes in real time, whatever the loop's clock says."""
        return self._worker.busy or any(stream.busy for stream in self._streams.values())

    @property
    def worker_pid(self) -> int | None:
        """The process that hears, or None while there is none."""
        return self._worker.pid

    async def start(self) -> None:
        """Start the worker if it does not run. Raises `EngineError` if PocketSphinx or a word is not there."""
        try:
            await self._worker.start(msgspec.msgpack.encode(self._setup))
        except WorkerUnavailable as error:
            raise EngineError("stt", str(error)) from None

    async def open(self, context: CallContext) -> "PocketSphinxStream":
        """Start to listen for one call. Its hints are not used: the sentences say all that can be heard."""
        if context.language.lower().split("-")[0] != "en":
            raise EngineError("stt", f"PocketSphinx comes with a model for English only, not for {context.language}")
        await self.start()
        if len(self._streams) >= self._max_calls:
            raise EngineError("stt", f"PocketSphinx already hears {self._max_calls} calls: raise max_calls for more")
        number = next(self._numbers)
        stream = self._streams[number] = PocketSphinxStream(number, self._send, lambda: self._forget(number))
        return stream

    async def close(self) -> None:
        """End the worker, for good, and every stream with it."""
        for stream in list(self._streams.values()):
            await stream.close()
        await self._worker.close()

    def _send(self, request: Request) -> None:
        with suppress(WorkerLost):  # `_lose` tells the streams
            self._worker.send(_encode(request))

    def _forget(self, number: int) -> None:
        if self._streams.pop(number, None):
            self._send(Close(number))

    def _receive(self, body: bytes) -> None:
        answer = _decode(body)
        if stream := self._streams.get(answer.call):
            stream.take(answer)

    def _lose(self) -> None:
        for stream in self._streams.values():
            stream.fail(
                EngineError("stt", "The PocketSphinx process ended in the middle of a call: see its error output")
            )
        self._streams.clear()


class PocketSphinxStream:
    """One call's ear.

    The worker is given what has come since it answered last: little when it keeps up, more when it does not.
    """

    def __init__(self, number: int, send: Callable[[Request], None], forget: Callable[[], None]) -> None:
        self.dropped = 0
        """Samples that were not heard, as the worker lagged behind."""
        self._number = number
        self._send = send
        self._forget = forget
        self._waiting: deque[Hear | Finish] = deque()
        self._waiting_samples = 0
        self._results: asyncio.Queue[SttResult | EngineError | None] = asyncio.Queue()
        self._over = False
        self._send(Open(number))
        self._unanswered = 1

    @property
    def busy(self) -> bool:
        """Whether the worker owes an answer."""
        return not self._over and self._unanswered > 0

    def feed(self, mulaw: bytes) -> None:
        """Take some audio of the caller; of what the worker has no time for, all but the last `LAG` is dropped."""
        if self._over or not mulaw:
            return
        self._waiting.append(Hear(self._number, mulaw))
        self._waiting_samples += len(mulaw)
        self._pump()
        if self._waiting_samples > LAG:
            self._drop(self._waiting_samples - LAG)

    def finish(self, request: int) -> None:
        """Ask for the final words of all audio so far."""
        if not self._over:
            self._waiting.append(Finish(self._number, request))
            self._pump()

    def __aiter__(self) -> AsyncIterator[SttResult]:
        return self

    async def __anext__(self) -> SttResult:
        if self._over and self._results.empty():
            raise StopAsyncIteration
        result = await self._results.get()
        if result is None:
            raise StopAsyncIteration
        if isinstance(result, EngineError):
            raise result
        return result

    async def close(self) -> None:
        """Free the call's decoder. Results that were not taken yet are gone."""
        self._over = True
        self._waiting.clear()
        while not self._results.empty():
            self._results.get_nowait()
        self._results.put_nowait(None)
        self._forget()

    def fail(self, error: EngineError) -> None:
        """The worker is gone; whoever iterates learns it after the results that it gave."""
        self._over = True
        self._waiting.clear()
        self._results.put_nowait(error)

    def take(self, answer: Answer) -> None:
        """One request is done."""
        self._unanswered -= 1
        if answer.final is not None:
            self._results.put_nowait(Final(answer.final))
        if answer.partial is not None:
            self._results.put_nowait(Partial(answer.partial))
        if answer.finished is not None:
            self._results.put_nowait(Finished(answer.finished))
        self._pump()

    def _pump(self) -> None:
        if self._unanswered:
            return
        self._unanswered = len(self._waiting)
        for request in self._waiting:
            self._send(request)
        self._waiting.clear()
        self._waiting_samples = 0

    def _drop(self, samples: int) -> None:
        """Leave out the oldest samples that wait, and no request to finish."""
        self.dropped += samples
        self._waiting_samples -= samples
        kept: deque[Hear | Finish] = deque()
        for request in self._waiting:
            if isinstance(request, Hear):
                left = request.mulaw[samples:]
                samples = max(0, samples - len(request.mulaw))
                request = Hear(self._number, left)
            kept.append(request)
        self._waiting = kept
