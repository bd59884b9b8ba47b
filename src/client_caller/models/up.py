"""The servers of the model tier, kept running: started in order, watched, started again, stopped together.

Never two at a time are started: each looks at the memory that is free while it takes its own. A server that is dead, or
that has not answered for some time, is ended and started again, and so is every other one that went with it: a fault
of one process under NVIDIA's MPS can take its neighbours along, dead or alive.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from client_caller.models.server_process import Server, ServerFailed, ServerProcess


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds."""

    ready: float = 1800.0
    """For a server to load its weights and warm up; the first time, it may have to fetch them."""
    check: float = 5.0
    """Between two looks at the servers."""
    deaf: int = 3
    """Looks in a row that find no answer, after which a server counts as dead."""
    grace: float = 15.0
    """For a server to end on its own."""
    pause: float = 1.0
    """Before the first new start; doubled with each one in a row that failed."""
    attempts: int = 5
    """New starts in a row that may fail."""


class Tier:
    """All servers, in the order in which they are started."""

    def __init__(
        self,
        servers: Sequence[Server],
        *,
        tell: Callable[[str], None],
        show: Callable[[str, str], None],
        patience: Patience | None = None,
    ) -> None:
        """`tell` is given what happens to the servers, `show` each line that one writes, after its name."""
        self._servers = servers
        self._tell = tell
        self._show = show
        self._patience = patience or Patience()
        self._processes: list[ServerProcess] = []
        self._deaf: dict[str, int] = {}

    async def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Keep the servers running until this is cancelled. `ready` is called once all can serve.

        Cancelled once more, it does not wait for the servers to end, but ends them.

        Raises `ServerFailed` for one that can't be started. No server is left running, however this ends.
        """
        async with httpx.AsyncClient(trust_env=False) as client:
            self._processes = [
                ServerProcess(server, client, lambda line, name=server.name: self._show(name, line))  # type: ignore[misc]
                for server in self._servers
            ]
            try:
                for process in self._processes:
                    await self._start(process)
                ready()
                while True:
                    await self._watch()
            finally:
                await self._stop()

    async def _start(self, process: ServerProcess) -> None:
        begun = asyncio.get_running_loop().time()
        self._tell(f"Starting {process.server.name} …")
        await process.start(self._patience.ready)
        self._deaf[process.server.name] = 0
        self._tell(f"{process.server.name} is ready after {asyncio.get_running_loop().time() - begun:.0f} s.")

    async def _watch(self) -> None:
        """Wait for a death or the next look, then start again what has to be."""
        deaths = [asyncio.create_task(process.ended()) for process in self._processes]
        try:
            await asyncio.wait(deaths, timeout=self._patience.check, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for death in deaths:
                death.cancel()
            await asyncio.gather(*deaths, return_exceptions=True)
        for process in self._processes:
            if why := await self._trouble(process):
                self._tell(f"{process.server.name} {why}; starting it again.")
                await process.stop(0.0)
                await self._start_again(process)

    async def _trouble(self, process: ServerProcess) -> str | None:
        """What is wrong with a server, if anything is."""
        if not process.alive:
            return "has ended"
        name = process.server.name
        self._deaf[name] = 0 if await process.healthy() else self._deaf[name] + 1
        return "does not answer" if self._deaf[name] >= self._patience.deaf else None

    async def _start_again(self, process: ServerProcess) -> None:
        pause = self._patience.pause
        for left in range(self._patience.attempts - 1, -1, -1):
            await asyncio.sleep(pause)
            try:
                return await self._start(process)
            except ServerFailed as error:
                if not left:
                    raise
                self._tell(f"{error}\nTrying again, {left} times at most.")
            pause *= 2
        return None

    async def _stop(self) -> None:
        """The last one started is asked first, but none is waited for before the others are asked."""
        started = [process for process in self._processes if process.alive]
        if started:
            self._tell("Stopping " + ", ".join(process.server.name for process in reversed(started)) + " …")
        try:
            await asyncio.gather(*(process.stop(self._patience.grace) for process in reversed(self._processes)))
        except asyncio.CancelledError:
            for process in self._processes:
                process.signal(signal.SIGKILL)
            raise
