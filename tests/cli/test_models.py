"""The laws of `client-caller models`."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli.main import app
from client_caller.models.manifest import MODELS, SILERO_VAD
from client_caller.models.weights import CPU, WeightsMissing, need

from ..models.hub_server import HubServer, served


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    return tmp_path


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip has nowhere to go."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def test_list_names_every_model_its_source_and_the_folder(cache: Path) -> None:
    """Name, licence, size and package of each, and where they are kept, on one line that can be copied."""
    result = CliRunner().invoke(app, ["models", "list"])
    assert result.exit_code == 0
    for model in MODELS.values():
        assert all(part in result.stdout for part in (model.name, model.licence, model.requirement))
    assert f"Kept in {cache}\n" in result.stdout


def test_check_tells_what_is_right_missing_and_damaged(cache: Path, silero_path: Path) -> None:
    """One line for each file; success only if all are right; the remedy on the error stream."""
    result = CliRunner().invoke(app, ["models", "check"])
    assert result.exit_code == 1
    assert f"silero-vad: missing ({cache / SILERO_VAD.file})\n" in result.stdout
    assert "client-caller models pull" in result.stderr

    shutil.copy(silero_path, cache)
    result = CliRunner().invoke(app, ["models", "check", "silero-vad"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "silero-vad: present" in result.stdout

    (cache / SILERO_VAD.file).write_bytes(b"something else")
    result = CliRunner().invoke(app, ["models", "check", "silero-vad"])
    assert result.exit_code == 1
    assert "silero-vad: damaged" in result.stdout


@pytest.mark.usefixtures("offline")
def test_pull_offline_says_why_and_fails_once_for_each(cache: Path, silero_path: Path) -> None:
    """A model that is here is fine without a network; the others are each explained, on one line."""
    shutil.copy(silero_path, cache)
    result = CliRunner().invoke(app, ["models", "pull"])
    assert result.exit_code == 1
    assert result.stdout == f"silero-vad: present ({cache / SILERO_VAD.file})\n"
    lines = result.stderr.splitlines()
    assert len(lines) == len(MODELS) - 1
    assert lines[0].startswith("smart-turn-3.2-cpu.onnx: pip could not fetch pipecat-ai==1.14.0")


@pytest.mark.parametrize("command", ["pull", "check"])
def test_an_unknown_name_is_answered_with_the_known_ones(cache: Path, command: str) -> None:
    """Nothing is fetched, and the message lists what there is."""
    result = CliRunner().invoke(app, ["models", command, "silero-vad", "silero"])
    assert result.exit_code == 2
    assert "'silero'" in result.stderr
    assert all(name in result.stderr for name in MODELS)
    assert list(cache.iterdir()) == []


def test_pull_works_as_installed_and_without_a_terminal(cache: Path) -> None:
    """The real command fetches the real file, and leaves one plain line in a log."""
    command = Path(sys.executable).with_name("client-caller")
    done = subprocess.run([command, "models", "pull", "silero-vad"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"silero-vad: present ({cache / SILERO_VAD.file})\n"
    assert (cache / SILERO_VAD.file).stat().st_size == SILERO_VAD.size


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """Has all files of the profile cpu, of which the models are large."""
    made = HubServer()
    for weights in CPU:
        for file in weights.files.values():
            content = file.path.encode() * (10_000 if "model" in file.path or "gguf" in file.path else 1)
            made.files[f"{file.repository}/{file.revision}/{file.path}"] = content
    with served(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield made


@pytest.fixture
def needed(cache: Path, silero_path: Path, smart_turn_path: Path) -> None:
    """What every call needs is here."""
    for path in (silero_path, smart_turn_path):
        shutil.copy(path, cache)


@pytest.mark.usefixtures("needed")
def test_pull_cpu_fetches_all_that_the_profile_needs(cache: Path, hub: HubServer) -> None:
    """Every file by its name in its folder, and the licence of each set with the place to read it; what is here is not
    asked for again."""
    with pytest.raises(WeightsMissing, match=r"needs whisper-base.en, gemma-3-1b, pocket-tts.*models pull cpu"):
        need()
    result = CliRunner().invoke(app, ["models", "pull", "cpu"])
    assert (result.exit_code, result.stderr) == (0, "")
    need()
    for weights in CPU:
        assert f"{weights.name}: present ({cache / 'cpu' / weights.name})" in result.stdout
        assert f"licence: {weights.licence}, {weights.terms}" in result.stdout
        for name, file in weights.files.items():
            content = (cache / "cpu" / weights.name / name).read_bytes()
            assert content == hub.files[f"{file.repository}/{file.revision}/{file.path}"]
    asked = list(hub.requests)
    assert CliRunner().invoke(app, ["models", "pull", "cpu"]).exit_code == 0
    assert hub.requests == asked


@pytest.mark.usefixtures("needed")
def test_ctrl_c_leaves_what_came(cache: Path, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the middle of a large file, pull ends with a word on how to go on, and then does go on there."""
    hub.hold_after = 100_000
    command = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "pull", "cpu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as pulling:
        assert hub.sent.wait(30)
        while not any(part.stat().st_size for part in cache.rglob("*.part")):
            assert pulling.poll() is None
        pulling.send_signal(signal.SIGINT)
        hub.go_on.set()
        _, complaint = pulling.communicate(timeout=30)
    assert pulling.returncode == 1
    assert complaint.startswith("Stopped.")
    assert "Traceback" not in complaint
    assert CliRunner().invoke(app, ["models", "pull", "cpu"]).exit_code == 0
    need()
    assert max(first for _, first in hub.requests) > 0, "it began anew"


@pytest.mark.usefixtures("needed")
def test_pull_cpu_offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says why and what to do, and exit code 1."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    result = CliRunner().invoke(app, ["models", "pull", "cpu"])
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "can't be reached" in result.stderr
    assert "Traceback" not in result.output
