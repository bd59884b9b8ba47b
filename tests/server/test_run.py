"""The end of a server: calls first. A real process, real signals."""

import asyncio
import gc
import signal
import socket
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from client_caller.server.run import COLLECTIONS, LINGER, DrainingServer, listen
from client_caller.server.switchboard import Switchboard
from client_caller.telephony.tokens import StreamTokens

Edge = Any
FRAME = b"\x55" * 160
PROGRAM = Path(__file__).with_name("echo_server.py")


class Server:
    """The server's process."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port

    async def post(self, path: str, call: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            return await client.post(f"http://127.0.0.1:{self.port}{path}", data={"CallSid": call})

    async def ready(self) -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code

    async def draining(self) -> None:
        """Wait until the signal has been taken."""
        async with asyncio.timeout(5):
            while await self.ready() != 503:
                pass

    async def ended(self) -> tuple[int, bytes]:
        """The exit status, and what the process printed to the end."""
        async with asyncio.timeout(10):
            output, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, output.strip()


@asynccontextmanager
async def server(drain_limit: float = 60) -> AsyncIterator[Server]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), str(drain_limit), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            yield Server(process, int(await process.stdout.readline()))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_call_outlives_sigterm(call_to: Any) -> None:
    """New calls are refused and /readyz says so; the call on the line goes on to its own end, then the process exits
    cleanly, without waiting for more."""
    async with server() as running, call_to(running.port) as stream:
        running.process.send_signal(signal.SIGTERM)
        await running.draining()
        assert b"Reject" in (await running.post("/voice", "CA2")).content
        assert await stream.echoes(FRAME)
        await stream.stop()
        assert await stream.closed() == 1000
        assert await running.ended() == (0, b"clean end")


async def test_the_last_goodbye_is_answered_before_the_end(call_to: Any) -> None:
    """A call that its agent ends during the drain: the provider's last webhook still finds the server."""
    async with server() as running, call_to(running.port) as stream:
        running.process.send_signal(signal.SIGTERM)
        await running.draining()
        await stream.press("#")
        assert await stream.closed() == 1000
        assert b"Hangup" in (await running.post("/voice/resume", "CA1")).content
        assert await running.ended() == (0, b"clean end")


async def test_the_drain_has_a_limit(call_to: Any) -> None:
    """What is still on the line then is closed with 1012, so that the provider resumes it elsewhere."""
    async with server(drain_limit=0.2) as running, call_to(running.port) as stream:
        running.process.send_signal(signal.SIGTERM)
        assert await stream.closed() == 1012
        assert await running.ended() == (0, b"clean end")


async def test_control_c_twice_means_now(call_to: Any) -> None:
    """The second signal does not wait for the call."""
    async with server() as running, call_to(running.port) as stream:
        running.process.send_signal(signal.SIGINT)
        await running.draining()
        assert await stream.echoes(FRAME)
        running.process.send_signal(signal.SIGINT)
        assert await stream.closed() == 1012
        assert await running.ended() == (0, b"clean end")


async def test_an_idle_server_ends_at_once() -> None:
    """Nobody is on the line and nothing is owed."""
    async with server() as running:
        running.process.send_signal(signal.SIGTERM)
        assert await running.ended() == (0, b"clean end")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_promised_stream_is_waited_for_but_not_for_ever() -> None:
    """A webhook was answered just before the signal: its stream has some seconds to come, then the server ends."""
    clock = Clock()
    board = Switchboard(max_calls=10, tokens=StreamTokens(clock), new_id=lambda: "call")
    config = uvicorn.Config("unused:app", log_level="critical")
    draining = DrainingServer(config, board, drain_limit=60, started=lambda: None, clock=clock)
    board.expect("CA1", caller="", callee="")
    assert not await draining.on_tick(1)
    draining.handle_exit(signal.SIGTERM, None)
    assert not await draining.on_tick(2)
    clock.now = LINGER - 0.1
    assert not await draining.on_tick(3)
    clock.now = LINGER
    assert await draining.on_tick(4)
    draining.handle_exit(signal.SIGTERM, None)
    assert draining.force_exit


async def test_frames_are_not_held_back() -> None:
    """Nagle's algorithm is off on every accepted connection: a frame leaves when it is written."""
    accepted: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.put(writer)

    sock = listen("127.0.0.1", 0)
    async with await asyncio.start_server(accept, sock=sock):
        _, client = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        writer = await asyncio.wait_for(accepted.get(), 5)
        assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        writer.close()
        client.close()


def test_a_taken_port_is_an_error() -> None:
    """Not an exit from the depths of a library: whoever starts the server can say what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", taken.getsockname()[1])


class Knot:
    """What only a garbage collection can free."""

    def __init__(self) -> None:
        self.itself = self


async def test_what_calls_leave_behind_is_collected_between_them() -> None:
    """Looking through everything stops all calls for long: it is done once there is none."""
    board = Switchboard(max_calls=10, tokens=StreamTokens(Clock()), new_id=lambda: "call")
    config = uvicorn.Config("unused:app", log_level="critical")
    server = DrainingServer(config, board, drain_limit=60, started=lambda: None)
    knot = Knot()
    gone = weakref.ref(knot)
    gc.collect()  # it is old now: only a full collection looks at it
    del knot
    await server.on_tick(1)
    call = board.connect("CA1", "", open_to_all=True)
    await server.on_tick(2)
    assert gone() is not None
    board.ended(call, "caller_hung_up")
    await server.on_tick(3)
    assert gone() is None


async def test_the_collector_is_left_as_it_was(run_edge: Any) -> None:
    """A server that has ended leaves its process with the collector's own settings."""
    before = gc.get_threshold()
    async with run_edge():
        assert gc.get_threshold() == COLLECTIONS != before
    assert gc.get_threshold() == before
