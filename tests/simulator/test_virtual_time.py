"""The laws of virtual time."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from client_caller.simulator.virtual_time import Stuck, VirtualLoop, run_virtual


def run_with(loop: VirtualLoop, main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)


def test_a_day_passes_at_once_and_exactly() -> None:
    """Sleeping costs no real time, and the clock shows exactly what was slept."""

    async def day() -> float:
        for _ in range(24 * 10):
            await asyncio.sleep(360.1)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtual(day()) == pytest.approx(86_424, abs=0)
    assert time.monotonic() - began < 5


def test_sleepers_wake_in_the_order_of_their_times_and_at_them() -> None:
    """Timers fire at their own times, whoever set them first; the same run twice gives the same sequence."""

    async def sleepers() -> list[tuple[float, str]]:
        woken: list[tuple[float, str]] = []

        async def sleep(name: str, step: float, times: int) -> None:
            for _ in range(times):
                await asyncio.sleep(step)
                woken.append((asyncio.get_running_loop().time(), name))

        await asyncio.gather(sleep("slow", 0.3, 3), sleep("fast", 0.1, 5), sleep("odd", 0.07, 4))
        return woken

    first = run_virtual(sleepers())
    assert [at for at, _ in first] == sorted(at for at, _ in first)
    assert {round(at, 9) for at, name in first if name == "fast"} == {0.1, 0.2, 0.3, 0.4, 0.5}
    assert all(at == round(at, 9) for at, _ in first)
    assert run_virtual(sleepers()) == first


def test_time_stands_still_while_something_is_at_work_for_us() -> None:
    """A timer does not overtake a busy process: its answer comes first, at the time at which it was asked."""

    async def ask() -> tuple[bytes, float]:
        loop = asyncio.get_running_loop()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sys, time; sys.stdin.read(1); time.sleep(0.2); print('done', end='')",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.sleep(5)
        asked = loop.time()
        at_work.set()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"x")
        answer = await asyncio.wait_for(process.stdout.read(4), timeout=0.001)
        answered = loop.time() - asked
        at_work.clear()
        process.stdin.close()
        await process.wait()
        return answer, answered

    at_work = threading.Event()
    assert run_virtual(ask(), busy=at_work.is_set) == (b"done", 0.0)


def test_threads_count_as_work() -> None:
    """A thread's result comes before the next timer, however long the thread takes."""

    def slow() -> str:
        time.sleep(0.1)
        return "late"

    async def main() -> tuple[str, float]:
        result = await asyncio.wait_for(asyncio.to_thread(slow), timeout=0.001)
        return result, asyncio.get_running_loop().time()

    assert run_virtual(main()) == ("late", 0.0)


def test_a_failed_hand_over_to_a_thread_leaves_the_clock_free() -> None:
    """When no thread takes the work, virtual time goes on."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError):
            await loop.run_in_executor(None, time.sleep, 0)
        await asyncio.sleep(1)
        return loop.time()

    assert run_virtual(main()) == 1.0


def test_work_that_ends_silently_lets_time_go_on() -> None:
    """When `busy` turns false without any input, the next timer is reached all the same."""
    looks = iter([True, True, True])

    async def main() -> float:
        await asyncio.sleep(2)
        return asyncio.get_running_loop().time()

    assert run_virtual(main(), busy=lambda: next(looks, False)) == 2.0


def test_real_input_is_taken_without_moving_the_clock() -> None:
    """Bytes that are there already are read before any timer."""

    async def main() -> tuple[bytes, float]:
        loop = asyncio.get_running_loop()
        reader, writer = os.pipe()
        arrived: asyncio.Future[bytes] = loop.create_future()
        loop.add_reader(reader, lambda: arrived.set_result(os.read(reader, 10)))
        os.write(writer, b"hello")
        result = await asyncio.wait_for(arrived, timeout=1)
        loop.remove_reader(reader)
        os.close(reader)
        os.close(writer)
        return result, loop.time()

    assert run_virtual(main()) == (b"hello", 0.0)


@pytest.mark.parametrize(("busy", "says"), [(False, "nothing can happen any more"), (True, "busy for 0.05 s")])
def test_a_loop_that_waits_for_nothing_says_so(busy: bool, says: str) -> None:
    """Where nothing can happen any more, the run ends with the reason instead of hanging."""

    async def main() -> None:
        await asyncio.Event().wait()

    loop = VirtualLoop(lambda: busy and bool(stuck_main), patience=0.05)
    stuck_main = [1]
    with pytest.raises(Stuck, match=says):
        loop.run_until_complete(main())
    stuck_main.clear()
    for task in asyncio.all_tasks(loop):
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
