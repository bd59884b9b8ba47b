"""One server of the model tier as a process: started, waited for until it can serve, asked how it is, stopped."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

CHECK_PATIENCE = 5.0
"""Seconds for the answer to one question about health: a server under load still answers these."""
_ASK_EVERY = 0.2
"""Seconds between two questions whether a server is ready."""
_LAST_LINES = 12
_LONGEST_LINE = 1 << 16
"""Bytes of output without a line end that are read as a line."""


class ServerFailed(Exception):
    """A server does not start, or ended before it could serve. `str(error)` has the last lines that it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """What to run, and how to see that it can serve."""

    name: str
    command: Sequence[str]
    health: str
    """The address that answers 200 once, and as long as, the server can serve."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Added to this process's own."""


class ServerProcess:
    """One server, over one process after another.

    The process has a session of its own: Ctrl-C in the terminal reaches only us, and we end it in order.
    """

    def __init__(self, server: Server, client: httpx.AsyncClient, show: Callable[[str], None]) -> None:
        """`show` is given each line that the server writes."""
        self.server = server
        self._client = client
        self._show = show
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, patience: float) -> None:
        """Start the process and wait until it can serve. Raises `ServerFailed`; nothing is left running then."""
        if await self.healthy():
            raise ServerFailed(f"{self.server.name}: something else answers at {self.server.health} already. Stop it.")
        self._lines.clear()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.server.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **self.server.environ},
                start_new_session=True,
                limit=_LONGEST_LINE,
            )
        except OSError as error:
            command = self.server.command[0]
            raise ServerFailed(f"{self.server.name}: {command} can't be run ({error.strerror}).") from None
        self._reader = asyncio.create_task(self._read(self._process), name=f"{self.server.name} output")
        try:
            async with asyncio.timeout(patience):
                await self._until_ready()
        except TimeoutError:
            await self.stop(0.0)
            raise ServerFailed(self._failure(f"was not ready within {patience:g} s")) from None

    async def healthy(self) -> bool:
        try:
            answer = await self._client.get(self.server.health, timeout=CHECK_PATIENCE)
        except httpx.HTTPError:
            return False
        return answer.status_code == httpx.codes.OK

    async def ended(self) -> None:
        """Wait for the end of the process."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Ask the process to end, and end it with all that it started after `grace` seconds. Nothing, if it is over."""
        if self._process is None:
            return
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self._process.wait()
        self.signal(signal.SIGKILL)  # also what outlived its leader: vLLM's engine is a process of its own
        await self._process.wait()
        if self._reader is not None:
            await self._reader

    def signal(self, number: signal.Signals) -> None:
        """To the process and all that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _until_ready(self) -> None:
        while not await self.healthy():
            if not self.alive:
                await self.stop(0.0)
                assert self._process is not None
                raise ServerFailed(self._failure(f"ended with {self._process.returncode} before it was ready"))
            await asyncio.sleep(_ASK_EVERY)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                continue  # a line without an end: what was read of it is dropped
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            self._lines.append(text)
            self._show(text)

    def _failure(self, what: str) -> str:
        said = "".join(f"\n  {line}" for line in self._lines)
        return f"{self.server.name} {what}.{f' It wrote last:{said}' if said else ''}"
