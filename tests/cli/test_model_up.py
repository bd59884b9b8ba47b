"""`client-caller models up` as a person runs it: a real process, and three small servers in the models' place."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = """#!{python}
import http.server, os, signal, sys

me = os.path.basename(sys.argv[0])
journal = os.path.join(os.path.dirname(sys.argv[0]), "journal")
arguments = sys.argv[1:]


def note(what):
    with open(journal, "a") as file:
        file.write(f"{{me}} {{what}}\\n")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        right = self.path == ("/health" if me == "vllm" else "/healthz")
        self.send_response(200 if right else 404)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def end(*arguments):
    note("ends")
    os._exit(0)


signal.signal(signal.SIGTERM, end)
note("starts")
print("quiet" if os.environ.get("VLLM_NO_USAGE_STATS") else "ready soon", flush=True)
port = int(arguments[arguments.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


class House:
    """The programs, a voice and a place to listen at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("vllm", "csm", "whisper", "nemotron"):
            program = folder / name
            program.write_text(SERVER.format(python=sys.executable))
            program.chmod(0o755)
        (folder / "weights").mkdir()
        (folder / "ada.toml").touch()

    @contextmanager
    def up(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        options = [f"--{name}={self.folder / name}" for name in ("vllm", "csm", "whisper", "nemotron")]
        options += ["--csm-weights", str(self.folder / "weights"), "--voice", str(self.folder / "ada.toml")]
        options += ["--gpu", "h200", "--first-port", str(_three_free_ports())]
        command = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "up"]
        environ = {**os.environ, "COLUMNS": "200"}
        with subprocess.Popen(
            [*command, *options, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=30)

    @property
    def notes(self) -> list[str]:
        return (self.folder / "journal").read_text().splitlines()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_up_and_down(house: House) -> None:
    """In order up, with the settings to paste; one Ctrl-C down, cleanly, with nothing left."""
    with house.up() as process:
        assert process.stderr is not None
        told = ""
        while "client-caller check" not in told:
            line = process.stderr.readline()
            assert line, told
            told += line
        assert house.notes == ["csm starts", "whisper starts", "vllm starts"]
        assert 'engine = "csm"' in told
        assert "llm is ready after" in told
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopping llm, stt, tts" in rest
    assert sorted(house.notes[3:]) == ["csm ends", "vllm ends", "whisper ends"]
    assert set(out.splitlines()) == {"tts | ready soon", "stt | ready soon", "llm | quiet"}


def test_nemotron_hears_in_whispers_place(house: House) -> None:
    """By its own program, where its weights are named."""
    with house.up("--stt", "nemotron", "--nemotron-weights", str(house.folder / "weights")) as process:
        assert process.stderr is not None
        while "client-caller check" not in (line := process.stderr.readline()):
            assert line
        assert house.notes == ["csm starts", "nemotron starts", "vllm starts"]


def test_a_program_that_is_not_there(house: House) -> None:
    """It is named, what had been started is stopped, and the exit code is 1."""
    (house.folder / "vllm").unlink()
    with house.up() as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "vllm can't be run (No such file" in told
    assert house.notes[:2] == ["csm starts", "whisper starts"]
    assert sorted(house.notes[2:]) == ["csm ends", "whisper ends"]


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [(["--stt", "nemotron"], "--nemotron-weights go together", 2), (["--gpu", "small=20"], "need 37.1 GB", 1)],
)
def test_what_can_not_be_served(house: House, arguments: list[str], said: str, code: int) -> None:
    """It is refused before anything is started."""
    with house.up(*arguments) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert said in told
    assert not (house.folder / "journal").exists()


def _three_free_ports() -> int:
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = int(first.getsockname()[1])
        try:
            for offset in range(3):
                socket.create_server(("127.0.0.1", port + offset)).close()
        except OSError:
            continue
        return port


def test_without_a_gpu_weights_are_fetched_first(tmp_path: Path) -> None:
    """`models up-cpu` names the command that fetches what is missing, and starts nothing."""
    command = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "up-cpu"]
    environ = {**os.environ, "CLIENT_CALLER_MODELS": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    assert (done.returncode, done.stdout) == (1, "")
    assert "client-caller models pull cpu" in done.stderr
    assert done.stderr.count("\n") == 1
