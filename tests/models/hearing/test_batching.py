"""The laws of running many calls' windows together."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from client_caller.models.hearing.batching import Batcher
from client_caller.models.whisper.backend import Hypothesis, Window


class Recorder:
    """A backend that notes what it is given, and can be held in the middle of a run."""

    seconds = 30.0
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def transcribe(self, windows: Sequence[Window]) -> list[Hypothesis]:
        self.batches.append([window.prompt for window in windows])
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        assert self.gate.wait(10)
        if any(window.prompt == "broken" for window in windows):
            raise RuntimeError("out of memory")
        return [Hypothesis((), window.prompt, 0.0, 0.0) for window in windows]


def window(name: str, *, final: bool = False) -> Window:
    return Window(np.zeros(0, np.float32), prompt=name, final=final)


@asynccontextmanager
async def working(
    backend: Recorder, clock: Callable[[], float] = lambda: 0.0, largest: int = 3
) -> AsyncIterator[Batcher[Window, Hypothesis]]:
    batcher = Batcher(backend.transcribe, gather=0.0, largest=largest, clock=clock)
    work = asyncio.create_task(batcher.run())
    try:
        yield batcher
    finally:
        backend.gate.set()
        work.cancel()
        await asyncio.wait([work])
        await batcher.close()


async def test_what_is_due_together_goes_together() -> None:
    """Windows of the same moment are one run, up to the largest batch; each gets its own answer, in one thread."""
    backend = Recorder()
    async with working(backend) as batcher:
        answers = await asyncio.gather(*(batcher.submit(window(name)) for name in "abcd"))
    assert [answer.language for answer in answers] == list("abcd")
    assert backend.batches == [["a", "b", "c"], ["d"]]
    assert len(backend.threads) == 1
    assert "hearing" in backend.threads.pop()


async def test_finals_go_first_and_alone() -> None:
    """A caller waits for them; nobody waits for a guess."""
    backend = Recorder()
    backend.gate.clear()
    async with working(backend) as batcher:
        first = batcher.submit(window("a"))
        await asyncio.to_thread(backend.begun.wait, 10)
        later = [batcher.submit(window("b")), batcher.submit(window("C", final=True)), batcher.submit(window("d"))]
        backend.gate.set()
        await asyncio.gather(first, *later)
    assert backend.batches == [["a"], ["C"], ["b", "d"]]


async def test_what_was_given_up_is_not_run() -> None:
    """A cancelled window costs nothing if its run has not begun, and does no harm if it has."""
    backend = Recorder()
    backend.gate.clear()
    async with working(backend) as batcher:
        running, waiting = batcher.submit(window("a")), batcher.submit(window("b"))
        await asyncio.to_thread(backend.begun.wait, 10)
        gone = batcher.submit(window("c"))
        last = batcher.submit(window("d"))
        running.cancel()
        gone.cancel()
        backend.gate.set()
        await asyncio.gather(waiting, last)
    assert backend.batches == [["a", "b"], ["d"]]


async def test_a_run_that_fails_fails_its_windows_only() -> None:
    """Whoever asked is told, and the next run works."""
    backend = Recorder()
    async with working(backend, largest=1) as batcher:
        with pytest.raises(RuntimeError, match="out of memory"):
            await batcher.submit(window("broken"))
        assert (await batcher.submit(window("a"))).language == "a"


async def test_pace_is_measured_from_the_question_to_the_answer() -> None:
    """The median for those who ask again, the slowest twentieth for admission; neither before the first answer."""
    now = [0.0]
    backend = Recorder()
    backend.gate.clear()
    async with working(backend, clock=lambda: now[0], largest=1) as batcher:
        assert (batcher.pace, batcher.slowest) == (0.0, 0.0)
        answers = [batcher.submit(window("a"))]
        await asyncio.to_thread(backend.begun.wait, 10)
        now[0] = 1.0
        answers += [batcher.submit(window("b")), batcher.submit(window("c"))]
        now[0] = 3.0
        backend.gate.set()
        await asyncio.gather(*answers)
        assert (batcher.pace, batcher.slowest) == (2.0, 3.0)
