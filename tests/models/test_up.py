"""The servers of the model tier as real processes: small ones that do as they are told over HTTP."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from client_caller.models.server_process import Server, ServerFailed, ServerProcess
from client_caller.models.up import Patience, Tier

SERVER = '''
"""serve.py PORT JOURNAL GATE: notes what happens to it; healthy once the file GATE is there."""
import http.server, os, signal, subprocess, sys

port, journal, gate = int(sys.argv[1]), sys.argv[2], sys.argv[3]
name = os.path.basename(gate)
well = True


def note(what):
    with open(journal, "a") as file:
        file.write(f"{name} {what}\\n")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global well
        if self.path == "/die":
            note("dies")
            os._exit(9)
        if self.path == "/ail":
            well = False
        if self.path == "/child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
            self.send_response(200); self.end_headers(); self.wfile.write(str(child.pid).encode())
            return
        if self.path == "/stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready = os.path.exists(gate) and well
        self.send_response(200 if ready else 503); self.end_headers()

    def log_message(self, *arguments):
        pass


def end(*arguments):
    note("ends")
    os._exit(0)


signal.signal(signal.SIGTERM, end)
note("starts")
print("hello from", name, flush=True)
if os.path.exists(gate + ".broken"):
    print("out of memory", flush=True)
    sys.exit(3)
http.server.HTTPServer.allow_reuse_address = True
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
'''
FAST = Patience(ready=20.0, check=0.05, deaf=2, grace=5.0, pause=0.01, attempts=2)


class House:
    """Servers to be started, and what happened to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "serve.py"
        self.script.write_text(SERVER)
        self.journal = folder / "journal"
        self.journal.touch()
        self.told: list[str] = []
        self.shown: list[tuple[str, str]] = []
        self.happened = asyncio.Event()

    def server(self, name: str, healthy: bool = True) -> Server:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        gate = self.folder / name
        if healthy:
            gate.touch()
        command = [sys.executable, str(self.script), str(port), str(self.journal), str(gate)]
        return Server(name, command, f"http://127.0.0.1:{port}/healthz")

    def tier(self, *servers: Server, patience: Patience = FAST) -> Tier:
        return Tier(servers, tell=self.tell, show=lambda *line: self.shown.append(line), patience=patience)

    def tell(self, line: str) -> None:
        self.told.append(line)
        self.happened.set()

    async def until_told(self, part: str, times: int = 1) -> None:
        while sum(part in line for line in self.told) < times:
            self.happened.clear()
            await self.happened.wait()

    @property
    def notes(self) -> list[str]:
        return self.journal.read_text().split("\n")[:-1]

    @asynccontextmanager
    async def running(self, tier: Tier) -> AsyncIterator[None]:
        """The tier, from the moment when all of it is ready; stopped at the end."""
        ready = asyncio.Event()
        task = asyncio.create_task(tier.run(ready.set))
        waiting = asyncio.create_task(ready.wait())
        async with asyncio.timeout(30):
            await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            try:
                if task.done():
                    await task
                yield
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def ask(server: Server, path: str) -> str:
    """Tell a server what to do; it may not live to answer."""
    async with httpx.AsyncClient(trust_env=False) as client:
        with suppress(httpx.HTTPError):
            return (await client.get(server.health.replace("/healthz", path))).text
    return ""


async def test_one_after_another_and_all_at_the_end(house: House) -> None:
    """The next is started when the one before can serve; all end on being asked, the last one first."""
    servers = [house.server(name) for name in ("stt", "tts", "llm")]
    async with house.running(house.tier(*servers)):
        assert house.notes == ["stt starts", "tts starts", "llm starts"]
        assert [line.split()[0] for line in house.told if "ready" in line] == ["stt", "tts", "llm"]
    assert sorted(house.notes[3:]) == ["llm ends", "stt ends", "tts ends"]
    assert house.told[-1] == "Stopping llm, tts, stt …"
    assert ("tts", "hello from tts") in house.shown


async def test_none_is_started_before_the_one_before_it_can_serve(house: House) -> None:
    """Two that load at a time would each count the other's memory."""
    first, second = house.server("first", healthy=False), house.server("second")
    task = asyncio.create_task(house.tier(first, second).run())
    async with asyncio.timeout(20):
        while house.notes != ["first starts"]:  # noqa: ASYNC110 - a process tells only its journal
            await asyncio.sleep(0.01)
        (house.folder / "first").touch()
        await house.until_told("second is ready")
    assert house.told.index("Starting second …") > house.told.index(
        next(t for t in house.told if "first is ready" in t)
    )
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_a_server_that_dies_is_started_again(house: House) -> None:
    """It alone: the others go on, and nobody has to notice."""
    stt, llm = house.server("stt"), house.server("llm")
    async with house.running(house.tier(stt, llm)):
        await ask(stt, "/die")
        await house.until_told("stt is ready", times=2)
        assert house.notes == ["stt starts", "llm starts", "stt dies", "stt starts"]
        assert "stt has ended; starting it again." in house.told


async def test_servers_that_die_together_are_started_in_order(house: House) -> None:
    """One fault may take several along; they come back one after another, as at first."""
    stt, tts, llm = servers = [house.server(name) for name in ("stt", "tts", "llm")]
    async with house.running(house.tier(*servers)):
        await asyncio.gather(ask(llm, "/die"), ask(stt, "/die"))
        await house.until_told("stt is ready", times=2)
        await house.until_told("llm is ready", times=2)
        assert [note for note in house.notes[3:] if "starts" in note].count("tts starts") == 0
        assert await ask(tts, "/healthz") == ""


async def test_a_server_that_only_seems_alive_is_replaced(house: House) -> None:
    """A process that runs and does not answer is no server."""
    tts = house.server("tts")
    async with house.running(house.tier(tts)):
        await ask(tts, "/ail")
        await house.until_told("tts is ready", times=2)
        assert "tts does not answer; starting it again." in house.told


async def test_one_that_can_not_be_started_is_told_with_its_own_words(house: House) -> None:
    """The others are stopped, and the error has what it wrote last."""
    stt, llm = house.server("stt"), house.server("llm")
    (house.folder / "llm.broken").touch()
    with pytest.raises(
        ServerFailed, match=r"llm ended with 3 before it was ready. It wrote last:\n.*\n  out of memory"
    ):
        async with house.running(house.tier(stt, llm)):
            pass
    assert house.notes == ["stt starts", "llm starts", "stt ends"]


async def test_starting_again_is_given_up_in_the_end(house: House) -> None:
    """After so many failures in a row it is for somebody else to look: everything is stopped."""
    stt, llm = house.server("stt"), house.server("llm")
    task = asyncio.create_task(house.tier(stt, llm).run())
    async with asyncio.timeout(20):
        await house.until_told("llm is ready")
        (house.folder / "llm.broken").touch()
        await ask(llm, "/die")
        with pytest.raises(ServerFailed, match="out of memory"):
            await task
    assert any("Trying again, 1 times at most" in line for line in house.told)
    assert house.notes[-1] == "stt ends"
    assert house.notes.count("llm starts") == 1 + FAST.attempts


async def test_a_server_that_is_never_ready(house: House) -> None:
    """Waiting has an end, and nothing is left behind."""
    slow = house.server("slow", healthy=False)
    patience = Patience(ready=0.5, check=0.05, grace=5.0)
    with pytest.raises(ServerFailed, match=r"slow was not ready within 0\.5 s"):
        await house.tier(slow, patience=patience).run()
    assert not await _answers(slow)


async def test_a_place_that_is_taken(house: House) -> None:
    """What answers there already is not mistaken for the server that was to be started."""
    server = house.server("llm")
    async with house.running(house.tier(server)):
        with pytest.raises(ServerFailed, match="something else answers at http://127"):
            await house.tier(server).run()
        assert house.notes == ["llm starts"]


async def test_a_command_that_is_none(house: House) -> None:
    """It is named."""
    with pytest.raises(ServerFailed, match=r"llm: /no/such/vllm can't be run \(No such file"):
        await house.tier(Server("llm", ["/no/such/vllm"], "http://127.0.0.1:9/health")).run()


@pytest.mark.parametrize("stubborn", [False, True])
async def test_nothing_outlives_its_server(house: House, stubborn: bool) -> None:
    """What a server started ends with it, and one that will not end is ended."""
    server = house.server("llm")
    grace = Patience(check=0.05, grace=0.2 if stubborn else 5.0)
    async with house.running(house.tier(server, patience=grace)):
        child = int(await ask(server, "/child"))
        if stubborn:
            await ask(server, "/stubborn")
    await _gone(child)
    assert not await _answers(server)
    assert ("llm ends" in house.notes) is not stubborn


async def test_an_impatient_end(house: House) -> None:
    """A second Ctrl-C does not wait for anybody."""
    server = house.server("llm")
    task = asyncio.create_task(house.tier(server, patience=Patience(check=0.05, grace=1000.0)).run())
    async with asyncio.timeout(20):
        await house.until_told("llm is ready")
        await ask(server, "/stubborn")
        task.cancel()
        await house.until_told("Stopping llm")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while await _answers(server):
            pass


async def test_a_line_without_end_is_survived(house: House, tmp_path: Path) -> None:
    """Output that is no lines is dropped, and the server is not stopped by a full pipe."""
    server = house.server("llm")
    noisy = [sys.executable, "-c", f"import sys, runpy; print('x' * 300_000); sys.argv = {list(server.command[1:])!r}; "
             f"runpy.run_path({str(house.script)!r})"]  # fmt: skip
    async with house.running(house.tier(Server("llm", noisy, server.health))):
        assert ("llm", "hello from llm") in house.shown


async def _answers(server: Server) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await ServerProcess(server, client, print).healthy()


async def _gone(pid: int) -> None:
    """Wait until a process that is not our own child is over."""
    async with asyncio.timeout(5):
        while _exists(pid):  # noqa: ASYNC110 - the end of somebody else's child is told to nobody
            await asyncio.sleep(0.01)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
