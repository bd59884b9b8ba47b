"""`client-caller serve --profile cpu` as a person runs it: one process that starts three real servers on tiny weights,
answers a simulated call with them, and leaves nothing behind."""

import asyncio
import json
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from client_caller.calls.keeper import TRANSCRIPT_DATA
from client_caller.models.weights import CPU, GEMMA, POCKET, WHISPER
from client_caller.simulator.caller import Caller, Part
from client_caller.simulator.provider import Provider

for package in ("faster_whisper", "pocket_tts", "xllamacpp"):
    pytest.importorskip(package)

MOVED = "import client_caller.models.tier as tier; tier.FIRST_PORT = {port}"
"""The profile at other ports: those that it has may be in use where tests run."""
RUN = "; from client_caller.cli.main import app; app()"
LLAMA = Path(__file__).parents[1] / "engines" / "llama_server.py"
AGENT = """
from client_caller import Agent
agent = Agent("Be kind.", greeting="Hi.", hang_up=False)
"""
ONE_WORD = 'root ::= "kind" [a-z] "."'
"""What the random model has to write: else it would write random bytes."""
SAID = "ah er ah"
QUIET = 700
"""Milliseconds after which the caller takes it that the agent has finished."""


@pytest.fixture
def weights(
    toy: Any,
    pocket_directory: Path,
    silero_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The folder of models as `models pull cpu` leaves it, with tiny ones."""
    folder = tmp_path / "models"
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(folder))
    shutil.copytree(toy.model, WHISPER.folder)
    (WHISPER.folder / "vocabulary.txt").touch()
    shutil.copytree(pocket_directory, POCKET.folder)
    GEMMA.folder.mkdir()
    (gguf,) = GEMMA.files
    runpy.run_path(str(LLAMA))["write_model"](GEMMA.folder / gguf)
    shutil.copy(silero_path, folder)
    assert not any(one.missing for one in CPU)
    return folder


class Served:
    """The process, and what it said until it answered."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.said = ""
        self._folder = folder

    @property
    def servers(self) -> list[str]:
        """The command lines of the servers that are running on this folder of models."""
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile
            if str(self._folder) in line:
                lines.append(line)
        return lines

    async def until(self, part: str) -> None:
        assert self.process.stdout is not None
        while part not in self.said:
            line = (await self.process.stdout.readline()).decode()
            assert line, self.said
            self.said += line

    async def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        rest, _ = await self.process.communicate()
        self.said += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def serving(tmp_path: Path, weights: Path, more: Mapping[str, str] | None = None) -> AsyncIterator[Served]:
    (tmp_path / "agent.py").write_text(AGENT)
    environ = {
        "CLIENT_CALLER_CALLS_DATA_DIR": str(tmp_path / "data"),
        "CLIENT_CALLER_LLM_EXTRA_BODY": json.dumps({"grammar": ONE_WORD}),
        "CLIENT_CALLER_TURNS_MODEL": "none",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "OPENAI_API_KEY": "nobody's",
    }
    arguments = ["serve", "agent.py:agent", "--profile", "cpu", "--insecure-local", "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MOVED.format(port=_free_ports()) + RUN, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environ, **(more or {})},
        cwd=tmp_path,
    )
    served = Served(process, weights)
    try:
        async with asyncio.timeout(120):
            yield served
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _free_ports() -> int:
    """The first of three ports in a row that nobody listens at."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = int(first.getsockname()[1])
        try:
            for offset in range(3):
                socket.create_server(("127.0.0.1", port + offset)).close()
        except OSError:
            continue
        return port


async def test_a_call(toy: Any, weights: Path, tmp_path: Path) -> None:
    """Text in and text out, with word of what is starting; when it is told to end, no process is left."""
    caller = Caller()

    def part() -> Part:
        yield from caller.until_agent_finished(QUIET)
        yield from caller.say(toy.say(SAID))
        yield from caller.until_agent_finished(QUIET)

    async with serving(tmp_path, weights) as served:
        await served.until("/voice\n")
        url = served.said.rpartition(": ")[2].strip()
        for server in ("tts", "stt", "llm"):
            assert f"{server} is ready after" in served.said
        assert len(served.servers) == 3
        record = await Provider(url).call(caller.play(part()))
        assert (record.how, record.refusals) == ("hung_up", [])
        assert await served.end() == 0
        assert served.servers == []
    (transcript,) = (tmp_path / "data" / "calls").glob(f"*/{TRANSCRIPT_DATA}")
    entries = json.loads(transcript.read_text())["entries"]
    assert entries[0]["heard"] == "Hi."
    assert entries[1]["text"] == SAID
    assert entries[2]["heard"].startswith("kind")


async def test_weights_that_are_missing(weights: Path, tmp_path: Path) -> None:
    """Nothing is started, and the command that fetches them is named."""
    shutil.rmtree(GEMMA.folder)
    async with serving(tmp_path, weights) as served:
        with pytest.raises(AssertionError):
            await served.until("/voice\n")
        assert await served.process.wait() == 1
        assert served.said.startswith("The profile cpu needs gemma-3-1b, and")
        assert "client-caller models pull cpu" in served.said


@pytest.mark.parametrize("moment", ["Starting tts", "Trying the language model"])
async def test_a_stage_of_ones_own(weights: Path, tmp_path: Path, moment: str) -> None:
    """A stage whose address is set otherwise has no server started for it; SIGTERM while the others start, or are being
    tried, leaves nothing either."""
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes questions, and never answers
        more = {"CLIENT_CALLER_LLM_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1"}
        async with serving(tmp_path, weights, more) as served:
            await served.until(moment)
            assert await served.end() == 1
            assert served.servers == []
            assert "Starting llm" not in served.said
            assert "Traceback" not in served.said


async def test_the_servers_alone(weights: Path, tmp_path: Path) -> None:
    """`models up-cpu` says where they are once all are ready, and one Ctrl-C leaves nothing."""
    port = _free_ports()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN.removeprefix("; "), "models", "up-cpu", "--first-port", str(port)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    served = Served(process, weights)
    async with asyncio.timeout(120):
        await served.until("Then: client-caller check")
        assert f'base_url = "ws://127.0.0.1:{port + 2}"' in served.said
        assert len(served.servers) == 3
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert (process.returncode, served.servers) == (0, [])


async def test_check_starts_them_too(weights: Path, tmp_path: Path) -> None:
    """Each stage is tried on its real server, and none is left. (Hearing only connects: what this voice says is no
    speech, as check says.)"""
    (tmp_path / "agent.py").write_text(AGENT)
    arguments = ["check", "agent.py:agent", "--profile", "cpu", "--insecure-local"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MOVED.format(port=_free_ports()) + RUN, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        cwd=tmp_path,
    )
    served = Served(process, weights)
    async with asyncio.timeout(120):
        said, _ = await process.communicate()
    assert served.servers == []
    for part in (b"llm is ready after", b"first audio", b"connects", b"first token"):
        assert part in said, said.decode()
