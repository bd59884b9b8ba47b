"""One thread owns the model; the questions of all calls go through it together."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from client_caller.models.hearing.metrics import BATCH, STEP

GATHER = 0.012
"""Seconds that questions which are not final wait for others: what is due within 10 to 15 ms goes together."""
LARGEST = 8
"""Questions in a batch. A larger one would keep those that come meanwhile waiting longer than it saves."""
REMEMBERED = 32
"""Answers over which `slowest` looks."""


class Question(Protocol):
    """What a call asks the model."""

    @property
    def final(self) -> bool:
        """Whether somebody waits for its answer: then it goes first."""
        ...


Q = TypeVar("Q", bound=Question)
A = TypeVar("A")


@dataclass(slots=True)
class _Job(Generic[Q, A]):
    question: Q
    asked: float
    answer: "asyncio.Future[A]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Batcher(Generic[Q, A]):
    """Takes questions, answers with futures. Final ones go first; a question whose future was cancelled is left out."""

    def __init__(
        self,
        transcribe: Callable[[Sequence[Q]], Sequence[A]],
        *,
        gather: float = GATHER,
        largest: int = LARGEST,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`transcribe`: one answer for each question, the same as if it had been asked alone. It blocks, and is called
        by one thread at a time."""
        self._transcribe = transcribe
        self.broken = False
        """Whether the last run failed."""
        self._gather = gather
        self._largest = largest
        self._clock = clock
        self._finals: deque[_Job[Q, A]] = deque()
        self._partials: deque[_Job[Q, A]] = deque()
        self._waiting = asyncio.Event()
        self._took: deque[float] = deque(maxlen=REMEMBERED)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hearing")

    @property
    def pace(self) -> float:
        """Seconds that an answer takes at present, waiting included: the median of the last; 0 before the first."""
        return sorted(self._took)[len(self._took) // 2] if self._took else 0.0

    @property
    def slowest(self) -> float:
        """Likewise the 95th percentile: what admission goes by."""
        return sorted(self._took)[math.ceil(len(self._took) * 0.95) - 1] if self._took else 0.0

    def submit(self, question: Q) -> "asyncio.Future[A]":
        """Ask the model. Cancel the future to give it up; what the model raises comes through it."""
        job: _Job[Q, A] = _Job(question, self._clock())
        (self._finals if question.final else self._partials).append(job)
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
                await self._answer(batch)

    async def close(self) -> None:
        """Wait for the run under way, if there is one, and free the thread. `run` is over by then."""
        await asyncio.to_thread(self._thread.shutdown)

    def _next(self) -> list[_Job[Q, A]]:
        """The next batch: finals, or else partials; never both, for the partials would make the finals wait."""
        for queue in (self._finals, self._partials):
            batch: list[_Job[Q, A]] = []
            while queue and len(batch) < self._largest:
                job = queue.popleft()
                if not job.answer.done():
                    batch.append(job)
            if batch:
                break
        if not self._finals and not self._partials:
            self._waiting.clear()
        return batch

    async def _answer(self, batch: list[_Job[Q, A]]) -> None:
        begun = self._clock()
        questions = [job.question for job in batch]
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._thread, self._transcribe, questions)
        except Exception as error:
            self.broken = True
            for job in batch:
                if not job.answer.done():
                    job.answer.set_exception(error)
            return
        self.broken = False
        now = self._clock()
        BATCH.observe(len(batch))
        STEP.labels("final" if questions[0].final else "partial").observe(now - begun)
        for job, answer in zip(batch, answers, strict=True):
            self._took.append(now - job.asked)
            if not job.answer.done():
                job.answer.set_result(answer)
