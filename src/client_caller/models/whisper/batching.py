"""One thread owns the recogniser; the windows of all calls go through it together."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from client_caller.models.whisper.backend import Backend, Hypothesis, Window
from client_caller.models.whisper.metrics import BATCH, STEP

GATHER = 0.012
"""Seconds that windows which are not final wait for others: what is due within 10 to 15 ms goes together."""
LARGEST = 8
"""Windows in a batch. A larger one would keep those that come meanwhile waiting longer than it saves."""
REMEMBERED = 32
"""Answers over which `slowest` looks."""


@dataclass(slots=True)
class _Job:
    window: Window
    asked: float
    answer: "asyncio.Future[Hypothesis]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher:
    """Takes windows, answers with futures. Final windows go first; a window whose future was cancelled is left out."""

    def __init__(
        self,
        backend: Backend,
        *,
        gather: float = GATHER,
        largest: int = LARGEST,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.backend = backend
        self.broken = False
        """Whether the last run failed."""
        self._gather = gather
        self._largest = largest
        self._clock = clock
        self._finals: deque[_Job] = deque()
        self._partials: deque[_Job] = deque()
        self._waiting = asyncio.Event()
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="whisper")

    @property
    def pace(self) -> float:
        """Seconds that an answer takes at present, waiting included: the median of the last; 0 before the first."""
        return sorted(self._took)[len(self._took) // 2] if self._took else 0.0

    @property
    def slowest(self) -> float:
        """Likewise the 95th percentile: what admission goes by."""
        return sorted(self._took)[math.ceil(len(self._took) * 0.95) - 1] if self._took else 0.0

    def submit(self, window: Window) -> "asyncio.Future[Hypothesis]":
        """Ask for the words of a window. Cancel the future to give it up; what the backend raises comes through it."""
        job = _Job(window, self._clock())
        (self._finals if window.final else self._partials).append(job)
        self._waiting.set()
        return job.answer

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._waiting.wait()
            if not self._finals:
                await asyncio.sleep(self._gather)
            batch = self._next()
            if batch:
                await self._transcribe(batch)

    async def close(self) -> None:
        """Wait for the run under way, if there is one, and free the thread. `run` is over by then."""
        await asyncio.to_thread(self._thread.shutdown)

    def _next(self) -> list[_Job]:
        """The next batch: finals, or else partials; never both, for the partials would make the finals wait."""
        for queue in (self._finals, self._partials):
            batch: list[_Job] = []
            while queue and len(batch) < self._largest:
                job = queue.popleft()
                if not job.answer.done():
                    batch.append(job)
            if batch:
                break
        if not self._finals and not self._partials:
            self._waiting.clear()
        return batch

    async def _transcribe(self, batch: list[_Job]) -> None:
        begun = self._clock()
        windows = [job.window for job in batch]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self.backend.transcribe, windows)
        except Exception as error:
            self.broken = True
            for job in batch:
                if not job.answer.done():
                    job.answer.set_exception(error)
            return
        self.broken = False
        now = self._clock()
        BATCH.observe(len(batch))
        STEP.labels("final" if windows[0].final else "partial").observe(now - begun)
        for job, answer in zip(batch, answers, strict=True):
            self._took.append(now - job.asked)
            if not job.answer.done():
                job.answer.set_result(answer)
