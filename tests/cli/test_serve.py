"""`client-caller serve` as a person starts it: a real process, on the embedded engines, called by two simulators."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import soundfile
from streamdouble.api import run_scenario
from streamdouble.scenario import parse
from streamdouble.session import SessionConfig
from typer.testing import CliRunner

from client_caller.calls.store import Store, database_in
from client_caller.cli.main import app
from client_caller.simulator.provider import Provider

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
EMBEDDED = {
    "CLIENT_CALLER_STT_ENGINE": "pocketsphinx",
    "CLIENT_CALLER_LLM_ENGINE": "scripted",
    "CLIENT_CALLER_TTS_ENGINE": "espeak",
}
NOBODYS = {"TWILIO_AUTH_TOKEN": "", "OPENAI_API_KEY": "", "DEEPGRAM_API_KEY": "", "OPENAI_BASE_URL": ""}
SILENCE = b"\xff" * 160


class Served:
    """The server's process, and what it printed until it answered."""

    def __init__(self, process: asyncio.subprocess.Process, printed: str) -> None:
        self.process = process
        self.printed = printed
        found = re.search(r"port (\d+)", printed)
        assert found, printed
        self.port = int(found[1])

    async def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def serving(data: Path, *arguments: str, **environment: str) -> AsyncIterator[Served]:
    own = {"CLIENT_CALLER_CALLS_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from client_caller.cli.main import app; app()", "serve", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **NOBODYS, **EMBEDDED, **own, **environment},
        cwd=data,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            printed = ""
            while "/voice" not in printed:
                line = (await process.stdout.readline()).decode()
                assert line, f"the server ended after printing {printed!r}"
                printed += line
            yield Served(process, printed)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Listener:
    """Says nothing, and hangs up once the agent has been heard for so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._frames = round(seconds / 0.02)

    def live(self, heard: bytes) -> bytes | None:
        self._frames -= heard.strip(b"\xff\x7f") != b""
        return SILENCE if self._frames > 0 else None


async def test_a_signed_call_is_answered(tmp_path: Path, silero_path: Path) -> None:
    """With token and public URL it prints what to paste, answers a signed call with a voice, and keeps the call."""
    public = ("--public-url", "https://calls.example.com")
    async with serving(tmp_path, *public, TWILIO_AUTH_TOKEN=AUTH_TOKEN) as served:
        assert "https://calls.example.com/voice\n" in served.printed
        assert AUTH_TOKEN not in served.printed
        reach = f"http://127.0.0.1:{served.port}"
        caller = Provider("https://calls.example.com/voice", reach=reach, auth_token=AUTH_TOKEN)
        record = await caller.call(Listener(1.0))
        forger = Provider("https://calls.example.com/voice", reach=reach, auth_token="another" * 4, retries=0)
        with pytest.raises(Exception, match="403"):
            await forger.call(Listener(1.0))
        assert await served.end() == 0
    assert (record.how, record.refusals) == ("hung_up", [])
    store = Store(database_in(tmp_path))
    (row,) = store.calls()
    store.close()
    assert (row.provider_id, row.state, row.reason) == (record.call_sid, "ended", "caller_hung_up")


async def test_an_independent_simulator_is_answered(tmp_path: Path, audio: Path, silero_path: Path) -> None:
    """`streamdouble` calls `serve --insecure-local`: a voice and a key that interrupt are made room for."""
    samples, rate = soundfile.read(audio / "utt" / "u14_go_forward.flac", dtype="int16")
    soundfile.write(tmp_path / "voice.wav", samples, rate, subtype="PCM_16")
    steps = [
        {"wait_for": "mark"},
        {"say": "voice.wav"},
        {"expect": "clear"},
        {"wait": 2.0},
        {"dtmf": "5"},
        {"wait": 0.5},
        {"expect": "no_violations"},
    ]
    async with serving(tmp_path, "--insecure-local") as served:
        report = await run_scenario(
            f"ws://127.0.0.1:{served.port}/media",
            parse({"name": "interruption", "steps": steps}, base_dir=tmp_path),
            config=SessionConfig(max_drain_s=0.2),
        )
        assert await served.end() == 0
    assert (report.violations, report.result.failed_expectations, report.exit_code) == ([], [], 0)
    store = Store(database_in(tmp_path))
    assert store.find("last").interruptions == 2
    store.close()


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        ([], {}, ["TWILIO_AUTH_TOKEN", "--public-url", "--insecure-local"]),
        (["--public-url", "https://a.example"], {}, ["TWILIO_AUTH_TOKEN"]),
        ([], {"TWILIO_AUTH_TOKEN": AUTH_TOKEN}, ["--public-url"]),
        (["--insecure-local", "--host", "0.0.0.0"], {}, ["--host 127.0.0.1"]),
        (["--insecure-local", "nowhere:agent"], {}, ["nowhere"]),
        (["--insecure-local", "nowhere.yaml"], {}, ["nowhere.yaml"]),
        (["--insecure-local"], {"CLIENT_CALLER_STT_ENGINE": "deepgram"}, ["DEEPGRAM_API_KEY"]),
        (["--insecure-local"], {"CLIENT_CALLER_MODELS": "empty"}, ["client-caller models pull"]),
        (["--insecure-local"], {"CLIENT_CALLER_SERVER_PRT": "1"}, ["server.port"]),
        (["--insecure-local", "--config", "missing.toml"], {}, ["missing.toml"]),
    ],
)
def test_what_is_missing_is_said(
    arguments: list[str],
    environment: Mapping[str, str],
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    silero_path: Path,
) -> None:
    """Nothing starts, the exit code is 1, and the message names what to do; no traceback, no secret."""
    monkeypatch.chdir(tmp_path)
    here = {"CLIENT_CALLER_CALLS_DATA_DIR": str(tmp_path), "CLIENT_CALLER_SERVER_PORT": "0"}
    for name, value in (NOBODYS | EMBEDDED | here | dict(environment)).items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["serve", *arguments])
    assert result.exit_code == 1
    assert all(part in result.stderr for part in told), result.stderr
    assert AUTH_TOKEN not in result.output
    assert result.stdout == ""


def test_an_engine_that_does_not_work_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silero_path: Path
) -> None:
    """An agent that can't speak does not answer: exit code 1, and one line with the engine and what to do."""
    monkeypatch.chdir(tmp_path)
    nobody = {"CLIENT_CALLER_TTS_ENGINE": "openai", "CLIENT_CALLER_TTS_BASE_URL": "http://127.0.0.1:9/v1"}
    here = {"CLIENT_CALLER_CALLS_DATA_DIR": str(tmp_path), "CLIENT_CALLER_SERVER_PORT": "0"}
    for name, value in (NOBODYS | EMBEDDED | here | nobody).items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["serve", "--insecure-local"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "Trying text to speech …"
    assert result.stderr.startswith("Text to speech does not work")
    assert "http://127.0.0.1:9/v1 can't be reached. Is it running, and is base_url right?\n" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_taken_port_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silero_path: Path) -> None:
    """With the way out."""
    monkeypatch.chdir(tmp_path)
    for name, value in (NOBODYS | EMBEDDED).items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", "--insecure-local", "--port", port])
    assert result.exit_code == 1
    assert "Choose another --port" in result.stderr
