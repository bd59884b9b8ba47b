"""A process of our own that does an engine's work, as its driver sees it.

A library that holds the interpreter's lock, is not thread safe, or has a licence that must stay apart, runs in such a
process. The process ends when its standard input does, so it never outlives us, however we end.

The first message to a worker is its set-up, the first one from it text: empty when it is ready, or else the reason why
it can't work. All others are between the driver and its worker.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

from client_caller.engines import framing

GRACE = 2.0
"""Seconds that a worker has to end by itself once its input is closed. One with nothing to do takes 0.02."""
PATIENCE = 60.0
"""Seconds that a worker has to become ready. The slowest of ours takes one on an idle machine."""


class WorkerUnavailable(Exception):
    """The worker can't do its work; the text says why, and what to do."""


class WorkerLost(Exception):
    """The worker ended without being asked to."""


class Worker:
    """One process, started when first needed and again after it was lost, until it is closed."""

    def __init__(self, module: str, receive: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """`receive` is given each message; `lost` is called once when the process ended by itself."""
        self._module = module
        self._receive = receive
        self._lost = lost
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether the process is being started or ended: that takes real time, whatever the loop's clock says."""
        return self._changing.locked()

    @property
    def pid(self) -> int | None:
        """The process that now works, or None."""
        return self._process.pid if self._process and self._reading and not self._reading.done() else None

    async def start(self, setup: bytes = b"") -> None:
        """See that the process runs and is ready. Raises `WorkerUnavailable`.

        The process gets a session of its own: an interrupt typed at the terminal is for us, who then close it.
        """
        async with self._changing:
            if self._closed:
                raise WorkerUnavailable("the engine was closed")
            if self.pid is None:
                await self._end()
                await self._begin(setup)

    def send(self, body: bytes) -> None:
        """Queue one message; never blocks. Raises `WorkerLost`."""
        if self._closed or self._process is None or self.pid is None:
            raise WorkerLost
        self._write(self._process, body)

    async def close(self) -> None:
        """End the process, gently and then by force, for good. Nothing is received any more."""
        self._closed = True
        async with self._changing:
            await self._end()

    async def _begin(self, setup: bytes) -> None:
        process = self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", self._module, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        try:
            self._write(process, setup)
            async with asyncio.timeout(PATIENCE):
                reason = (await self._message(process)).decode()
        except asyncio.IncompleteReadError:
            reason = f"the process of {self._module} ended while it started: see its error output"
        except TimeoutError:
            reason = f"the process of {self._module} was not ready after {PATIENCE:.0f} s"
        except asyncio.CancelledError:
            await self._end()
            raise
        if reason:
            await self._end()
            raise WorkerUnavailable(reason)
        self._reading = asyncio.create_task(self._read(process), name=f"read from worker {process.pid}")

    async def _end(self) -> None:
        """Close the input, wait, and after `GRACE` kill.

        What the process still writes is read, and thrown away: one that can't write can't end.
        """
        process, self._process = self._process, None
        reading, self._reading = self._reading, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()
        if reading is not None:
            await reading

    async def _read(self, process: Process) -> None:
        try:
            while True:
                body = await self._message(process)
                if process is self._process and not self._closed:
                    self._receive(body)
        except asyncio.IncompleteReadError:
            if process is self._process and not self._closed:
                asyncio.get_running_loop().call_soon(self._lost)  # soon: when `pid` says so too

    @staticmethod
    async def _message(process: Process) -> bytes:
        assert process.stdout is not None
        head = await process.stdout.readexactly(framing.LENGTH.size)
        return await process.stdout.readexactly(*framing.LENGTH.unpack(head))

    @staticmethod
    def _write(process: Process, body: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(framing.pack(body))
