"""Text to speech with eSpeak NG, in a worker process. For demonstration: a robotic voice, but a fast and exact one.

The only engine here that knows, not estimates, where each word ends. eSpeak NG is GPL-3: this module never loads it,
the worker does (`espeak_worker`), and it is installed only with the extra `[demo]`.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import count

import msgspec

from client_caller.engines.espeak_messages import Cancel, Refused, Response, Spoken, Synthesise
from client_caller.engines.protocols import CallContext, EngineError, Speech, WordTime
from client_caller.engines.worker import Worker, WorkerLost, WorkerUnavailable

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Response).decode


class Espeak:
    """One worker process, started when first needed or by `start`, that speaks for all calls."""

    def __init__(self, voice: str = "en-us", words_per_minute: int = 165) -> None:
        """`voice` speaks for calls in its language; calls in others get that language's own voice.

        165 words a minute: a little under eSpeak NG's 175, for a telephone.
        """
        self.voice = voice
        self.words_per_minute = words_per_minute
        self._worker = Worker("client_caller.engines.espeak_worker", self._receive, self._lose)
        self._jobs: dict[int, asyncio.Future[Speech]] = {}
        self._numbers = count(1)

    @property
    def busy(self) -> bool:
        """Whether the worker owes an answer: it computes in real time, whatever the loop's clock says."""
        return bool(self._jobs) or self._worker.busy

    @property
    def worker_pid(self) -> int | None:
        """The process that speaks, or None while there is none."""
        return self._worker.pid

    async def start(self) -> None:
        """Start the worker if it does not run. Raises `EngineError` if eSpeak NG is not there."""
        try:
            await self._worker.start()
        except WorkerUnavailable as error:
            raise EngineError("tts", str(error)) from None

    async def speak(self, context: CallContext, text: str) -> AsyncGenerator[Speech, None]:
        """Speak one clause, all at once: its synthesis takes milliseconds. The word times are exact."""
        for _ in range(2):
            await self.start()
            try:
                speech = await self._spoken(context, text)
            except WorkerLost:
                continue  # another call's clause may have ended the worker: once more, in a new one
            yield speech
            return
        raise EngineError("tts", "The eSpeak NG process ended twice while it spoke one clause: see its error output")

    async def close(self) -> None:
        """End the worker, for good. Whoever still waits for speech gets an `EngineError`."""
        self._fail_all(EngineError("tts", "eSpeak NG was closed while it spoke"))
        await self._worker.close()

    async def _spoken(self, context: CallContext, text: str) -> Speech:
        job = next(self._numbers)
        answer: asyncio.Future[Speech] = asyncio.get_running_loop().create_future()
        self._jobs[job] = answer
        try:
            # Half of a surrogate pair, as a broken stream of tokens may leave it, has no place in UTF-8.
            whole = text.encode(errors="replace").decode()
            self._worker.send(_encode(Synthesise(job, whole, self._voice(context.language), self.words_per_minute)))
            return await answer
        finally:
            del self._jobs[job]
            if answer.cancelled():
                with suppress(WorkerLost):
                    self._worker.send(_encode(Cancel(job)))

    def _voice(self, language: str) -> str:
        spoken = re.split(r"[-+]", self.voice)[0]
        return self.voice if language.lower().split("-")[0] == spoken else language

    def _receive(self, body: bytes) -> None:
        message = _decode(body)
        answer = self._jobs.get(message.job)
        if answer is None or answer.done():
            return
        match message:
            case Spoken(_, mulaw, ends):
                answer.set_result(Speech(mulaw, tuple(WordTime(word, end) for word, end in enumerate(ends))))
            case Refused(_, reason):
                answer.set_exception(EngineError("tts", reason))

    def _lose(self) -> None:
        self._fail_all(WorkerLost())

    def _fail_all(self, error: Exception) -> None:
        for answer in self._jobs.values():
            if not answer.done():
                answer.set_exception(error)
