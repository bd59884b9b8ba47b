"""The benchmark of what transcripts cost."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from typer.testing import CliRunner

from client_caller.audio import g711
from client_caller.cli.main import app

for package in ("faster_whisper", "torch", "transformers"):
    pytest.importorskip(package)

QUICK = ["bench", "models", "whisper", "--threads", "1", "--runs", "1"]


@pytest.fixture
def recording(toy: Any, tmp_path: Path) -> Path:
    """The toy's caller, for longer than the toy hears at once."""
    path = tmp_path / "caller.wav"
    soundfile.write(path, g711.decode(toy.say(" ".join(["ah", "ee", "oo"] * 5))), g711.SAMPLE_RATE)
    return path


def test_random_weights_are_measured() -> None:
    """One row for each number of calls, with wall and CPU of guesses and final words; JSON for machines."""
    done = CliRunner().invoke(app, [*QUICK, "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert [batch["calls"] for batch in figures["batches"]] == [1, 2, 4, 8, 16]
    for batch in figures["batches"]:
        for kind in ("guess", "short_guess", "final"):
            assert batch[kind]["wall"] > 0
            assert batch[kind]["cpu"] > 0
    assert (figures["seconds"], figures["compute_type"]) == (3.0, "int8")
    assert figures["model"] == "random weights, tiny"
    assert "Python" in figures["machine"]


def test_real_weights_are_measured(toy: Any, recording: Path) -> None:
    """On a recording, of which as much is taken as the model hears at once; as a table."""
    options = ["--model", str(toy.model), "--audio", str(recording), "--calls", "1,3"]
    done = CliRunner().invoke(app, [*QUICK, *options], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    assert "on 4.0 s of speech" in done.stdout
    rows = [line.split("│")[1].strip() for line in done.stdout.splitlines() if "│" in line]
    assert rows == ["1", "3"]


@pytest.mark.parametrize("spoilt", ["model", "audio", "device"])
def test_what_is_wrong_is_said(toy: Any, recording: Path, spoilt: str) -> None:
    """A name, a file or a device that there is not: one sentence and exit code 1."""
    options = {"model": str(toy.model), "audio": str(recording), "device": "cpu"}
    options[spoilt] = {"model": "./nowhere", "audio": "./nowhere.wav", "device": "warp"}[spoilt]
    done = CliRunner().invoke(app, [*QUICK, *(part for name in options for part in (f"--{name}", options[name]))])
    assert done.exit_code == 1
    said = {"model": "There is no directory ./nowhere", "audio": "There is no file", "device": "Check --device warp"}
    assert said[spoilt] in done.output
