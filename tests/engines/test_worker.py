"""The laws of a worker process, held on small workers of our own."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from client_caller.engines import worker as worker_module
from client_caller.engines.worker import Worker, WorkerLost, WorkerUnavailable

HEAD = """
import os, signal, sys, time
from client_caller.engines import framing
messages_in, messages_out = framing.take_standard_pipes()
setup = framing.read(messages_in)
"""
ECHO = """
framing.write(messages_out, b"")
framing.write(messages_out, setup)
while (body := framing.read(messages_in)) is not None:
    framing.write(messages_out, body)
"""

UNTIL_THE_END = """
framing.write(messages_out, b"")
assert framing.read(messages_in) is None
open(os.environ["PYTHONPATH"] + "/ended", "w").close()
"""


class Ends:
    """What a driver would do with what comes out of a worker."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[bytes] = asyncio.Queue()
        self.lost = asyncio.Event()


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
async def work(ends: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[str], Worker]]:
    """Make a worker of a few lines of Python."""
    workers: list[Worker] = []
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(script: str) -> Worker:
        (tmp_path / "a_worker.py").write_text(HEAD + textwrap.dedent(script))
        worker = Worker("a_worker", ends.messages.put_nowait, ends.lost.set)
        workers.append(worker)
        return worker

    yield make
    for worker in workers:
        await worker.close()


def running(pid: int | None) -> bool:
    """Whether a process is there, be it only as a zombie."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


async def test_messages_go_there_and_back(work: Callable[[str], Worker], ends: Ends) -> None:
    """The set-up first, then what is sent, in order and whole, also when it is large."""
    worker = work(ECHO)
    await worker.start(b"set-up")
    sent = [b"one", b"", b"x" * 1_000_000]
    for body in sent:
        worker.send(body)
    assert [await ends.messages.get() for _ in range(4)] == [b"set-up", *sent]


async def test_starting_twice_starts_one(work: Callable[[str], Worker]) -> None:
    """Many calls may need the worker at the same moment."""
    worker = work(ECHO)
    await asyncio.gather(*(worker.start() for _ in range(5)))
    pid = worker.pid
    await worker.start()
    assert worker.pid == pid


async def test_a_worker_that_cannot_work_says_why(work: Callable[[str], Worker]) -> None:
    """Its reason is the error, and no process stays."""
    worker = work('framing.write(messages_out, b"no library: install it")')
    with pytest.raises(WorkerUnavailable, match="no library: install it"):
        await worker.start()
    assert worker.pid is None


async def test_a_worker_that_ends_in_its_start_is_an_error(work: Callable[[str], Worker]) -> None:
    """Not a wait for ever."""
    with pytest.raises(WorkerUnavailable, match="ended while it started"):
        await work("sys.exit(1)").start()


async def test_a_worker_that_is_never_ready_is_an_error(
    work: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the patience it is ended, by force if need be."""
    monkeypatch.setattr(worker_module, "PATIENCE", 0.3)
    monkeypatch.setattr(worker_module, "GRACE", 0.1)
    worker = work("time.sleep(1000)")
    with pytest.raises(WorkerUnavailable, match="not ready"):
        await worker.start()


async def test_its_death_is_told_once_and_it_starts_again(work: Callable[[str], Worker], ends: Ends) -> None:
    """`lost` is called, sending is an error, and the next `start` makes a new process."""
    worker = work(ECHO)
    await worker.start()
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await ends.lost.wait()
    assert worker.pid is None
    with pytest.raises(WorkerLost):
        worker.send(b"to whom?")
    await worker.start()
    assert worker.pid not in (None, first)
    assert not running(first)


@pytest.mark.parametrize("habit", ["", "time.sleep(1000)", "while True: framing.write(messages_out, bytes(100_000))"])
async def test_close_ends_any_process(
    work: Callable[[str], Worker], ends: Ends, monkeypatch: pytest.MonkeyPatch, habit: str
) -> None:
    """One that ends by itself, one that is stuck and one that writes without end: all are gone, and nothing of what
    they write is received any more."""
    monkeypatch.setattr(worker_module, "GRACE", 0.3)
    worker = work('framing.write(messages_out, b"")\n' + habit)
    await worker.start()
    pid = worker.pid
    await worker.close()
    received = ends.messages.qsize()
    await worker.close()
    assert not running(pid)
    assert not ends.lost.is_set()
    assert ends.messages.qsize() == received
    with pytest.raises(WorkerUnavailable, match="closed"):
        await worker.start()
    with pytest.raises(WorkerLost):
        worker.send(b"late")


async def test_a_cancelled_start_leaves_no_process(
    work: Callable[[str], Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task that started it may be cancelled while the process loads its library."""
    monkeypatch.setattr(worker_module, "GRACE", 0.1)
    worker = work("time.sleep(1000)")
    starting = asyncio.ensure_future(worker.start())
    async with asyncio.timeout(20):
        while worker._process is None:  # noqa: ASYNC110 (the process has no event for "exists, but is not ready")
            await asyncio.sleep(0)
    assert worker.busy
    pid = worker._process.pid
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not running(pid)
    assert not worker.busy


def test_a_worker_does_not_outlive_us(tmp_path: Path) -> None:
    """Killed without a chance to clean up, we leave no worker behind: the end of its input is its end."""
    (tmp_path / "a_worker.py").write_text(HEAD + UNTIL_THE_END)
    script = """
import asyncio, os, signal
from client_caller.engines.worker import Worker

async def main():
    worker = Worker("a_worker", lambda body: None, lambda: None)
    await worker.start()
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    # The worker inherits standard error: its end of file is the worker's end.
    done = subprocess.run([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "ended").exists()
