"""`client-caller models serve csm`, as a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from client_caller.cli.main import app

pytest.importorskip("torch")

COMMAND = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "serve", "csm"]


def test_it_serves_until_it_is_stopped(csm_directory: Path, voice_file: Path) -> None:
    """It says how far it is and where it listens, speaks, and ends cleanly with Ctrl-C."""
    options = ["--weights", str(csm_directory), "--voice", str(voice_file), "--port", "0", "--slots", "2"]
    with subprocess.Popen(
        [*COMMAND, *options, "--max-step", "60000"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},  # the work is tiny: more threads would only wait for each other
    ) as server:
        assert server.stdout is not None
        said = ""
        while not (ready := re.search(r"^Ready: (http://127\.0\.0\.1:\d+), voice ada$", said, re.MULTILINE)):
            line = server.stdout.readline()
            assert line, said
            said += line
        assert "Loading" in said
        body = {"model": "csm", "voice": "ada", "input": "One.", "response_format": "pcm"}
        answer = httpx.post(f"{ready[1]}/v1/audio/speech", json=body, timeout=60)
        assert answer.status_code == 200
        assert len(answer.content) % (1920 * 2) == 0 < len(answer.content)
        server.send_signal(signal.SIGINT)
        rest = server.stdout.read()
        assert server.wait(30) == 0
    assert rest.strip() == "Stopped."


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("weights", "There is no tokenizer.json in"),
        ("voice", "no complete record of the speaker's consent"),
        ("address", "Can't listen at 192.0.2.1:0"),
    ],
)
def test_what_is_missing_is_said(
    csm_directory: Path, voice_file: Path, tmp_path: Path, spoil: str, reason: str
) -> None:
    """In words, with exit code 1, before anything is loaded."""
    weights = csm_directory
    if spoil == "weights":
        weights = tmp_path / "other"
        weights.mkdir()
        (weights / "config.json").write_text(json.dumps({"model_type": "csm"}))
        (weights / "model.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")
    if spoil == "voice":
        voice_file.write_text(voice_file.read_text().partition("[consent]")[0])
    host = "192.0.2.1" if spoil == "address" else "127.0.0.1"
    options = ["--weights", str(weights), "--voice", str(voice_file), "--host", host, "--port", "0"]
    done = CliRunner().invoke(app, ["models", "serve", "csm", *options])
    assert done.exit_code == 1
    assert reason in done.output
