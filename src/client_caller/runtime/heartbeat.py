"""The 20 ms heartbeat that all calls of a process share.

One beat on an absolute schedule: every call sends what is due, then one batched run of voice activity detection hears
all callers, and its results go straight into each call. No task, no queue and no timer for a single frame.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from client_caller.audio.voices import Batch, Scores, Voice, VoiceBatch

PERIOD = 0.02
"""Seconds."""
IN_LOOP = 16
"""Calls up to which voice activity runs in the event loop (0.5 ms); above, in one worker thread.
Measured: research on event loops, 1.1/8.9 ms lateness (P50/P99) in the loop at 100 calls, 0.3/3.9 in a thread."""
TOO_LATE = 1.0
"""Seconds by which a beat may be late before the schedule starts anew: the machine slept."""


class Beating(Protocol):
    """What the heartbeat needs of a call."""

    def beat(self) -> None:
        """20 ms have passed."""
        ...

    def voice(self, samples_through: int, probability: float, level: float) -> None:
        """One window of the caller's audio has been heard; `level` in dBFS."""
        ...


class Heartbeat:
    """Drives every call of the process, from `run`."""

    def __init__(self, voices: VoiceBatch, watch: Callable[[float], None] | None = None) -> None:
        """`watch` is told by how many seconds each beat was late."""
        self._voices = voices
        self._watch = watch
        self._calls: dict[Voice, Beating] = {}
        self._joined = asyncio.Event()
        self._hearing: asyncio.Future[tuple[Batch, Scores]] | None = None

    def __len__(self) -> int:
        return len(self._calls)

    def join(self, call: Beating) -> Voice:
        """From now on the call beats. Its audio goes into the voice returned."""
        voice = self._voices.join()
        self._calls[voice] = call
        self._joined.set()
        return voice

    def leave(self, voice: Voice) -> None:
        """The call is over."""
        self._calls.pop(voice, None)
        voice.leave()
        if not self._calls:
            self._joined.clear()

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._joined.wait()
            due = loop.time()
            while self._calls:
                due += PERIOD
                await asyncio.sleep(due - loop.time())
                late = loop.time() - due
                if self._watch is not None:
                    self._watch(late)
                if late > TOO_LATE:
                    due = loop.time()
                for call in list(self._calls.values()):
                    call.beat()
                self._hear(loop)

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._hearing is not None:
            return
        batch = self._voices.gather()
        if batch is None:
            return
        if len(batch.voices) <= IN_LOOP:
            self._tell(batch, self._voices.infer(batch))
            return
        self._hearing = loop.run_in_executor(None, lambda: (batch, self._voices.infer(batch)))
        self._hearing.add_done_callback(self._heard)

    def _heard(self, hearing: "asyncio.Future[tuple[Batch, Scores]]") -> None:
        self._hearing = None
        if not hearing.cancelled():
            self._tell(*hearing.result())

    def _tell(self, batch: Batch, scores: Scores) -> None:
        for voice, samples_through, probability, level in self._voices.scatter(batch, scores):
            call = self._calls.get(voice)
            if call is not None:
                call.voice(samples_through, probability, level)
