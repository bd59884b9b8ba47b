"""The servers of the profile `cpu`, which run for as long as a command needs them."""

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from client_caller.models.cpu_tier import STAGES, cpu_tier
from client_caller.models.server_process import Server
from client_caller.models.up import Tier
from client_caller.settings import InForce

log = logging.getLogger(__name__)


def program() -> str:
    """This very `client-caller`."""
    return str(Path(sys.executable).with_name("client-caller"))


def servers_for(in_force: InForce) -> list[Server]:
    """Those that the settings leave to the profile: a stage with an address of its own has its server elsewhere.

    Raises `WeightsMissing`.
    """
    stages = [stage for stage in STAGES if in_force.origins.get(f"{stage}.base_url") == "profile cpu"]
    return cpu_tier(stages, program()) if stages else []


@asynccontextmanager
async def running(servers: Sequence[Server], tell: Callable[[str], None]) -> AsyncIterator[None]:
    """Within, all of them can serve; they are watched, and none is left behind.

    A SIGTERM ends the block as Ctrl-C does, for as long as nobody within, such as a web server, takes it for itself.
    Raises `ServerFailed` where one does not start.
    """
    if not servers:
        yield
        return
    ready = asyncio.Event()
    task = asyncio.create_task(Tier(servers, tell=tell, show=_show).run(ready.set))
    waiting = asyncio.create_task(ready.wait())
    task.add_done_callback(_report)
    loop, own = asyncio.get_running_loop(), asyncio.current_task()
    assert own is not None
    # Not by the loop: there it could not be taken over and given back.
    before = signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(own.cancel))
    try:
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield
    finally:
        waiting.cancel()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        signal.signal(signal.SIGTERM, before)


def _show(name: str, line: str) -> None:
    log.info("%s | %s", name, line)


def _report(task: asyncio.Task[None]) -> None:
    """The tier gave up. Calls go on as far as they can without it: each says that it has trouble, and ends."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("%s", error)
