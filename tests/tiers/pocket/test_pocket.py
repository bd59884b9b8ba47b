"""`client-caller models serve pocket`: tiny weights by the package's own loading code, in a process of its own."""

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

pytest.importorskip("pocket_tts")

from client_caller.cli.main import app
from client_caller.engines.openai_tts import OpenAiSpeech
from client_caller.engines.protocols import CallContext
from client_caller.models.pocket.voice import PocketVoice, WeightsError
from client_caller.models.weights import POCKET

COMMAND = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "serve", "pocket"]
FRAME = 1920
"""Samples: 80 ms at 24 kHz."""
TEXT = "One two three."


@pytest.fixture(scope="module")
def voice(pocket_directory: Path) -> PocketVoice:
    return PocketVoice(pocket_directory)


@pytest.fixture(scope="module")
def address(pocket_directory: Path) -> Iterator[str]:
    """Of a server that is ended by Ctrl-C, cleanly."""
    with subprocess.Popen(
        [*COMMAND, "--weights", str(pocket_directory), "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        said = ""
        while not (ready := re.search(r"^Ready: (http://127\.0\.0\.1:\d+), voices alba$", said, re.MULTILINE)):
            line = server.stdout.readline()
            assert line, said
            said += line
        yield ready[1]
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0


def test_it_speaks(voice: PocketVoice) -> None:
    """Whole frames at 24 kHz, in more than one piece, that are not silence; a voice is as before when it has spoken."""
    pieces = list(voice.speak("alba", TEXT, threading.Event()))
    assert (voice.sample_rate, voice.voices) == (24_000, ["alba"])
    assert len(pieces) > 1
    assert all(len(piece) % (FRAME * 2) == 0 for piece in pieces)
    assert max(b"".join(pieces)) > 0
    again = list(voice.speak("alba", TEXT, threading.Event()))
    assert len(b"".join(again)) == len(b"".join(pieces))


def test_it_stops(voice: PocketVoice) -> None:
    """Soon after being told to, however long the text."""
    stop = threading.Event()
    pieces = voice.speak("alba", TEXT * 50, stop)
    heard = len(next(pieces))
    stop.set()
    heard += len(b"".join(pieces))
    assert heard < len(b"".join(voice.speak("alba", TEXT * 50, threading.Event()))) / 2


def test_it_keeps_what_was_said_to_itself(voice: PocketVoice, caplog: pytest.LogCaptureFixture) -> None:
    """The package warns of long sentences by quoting them; no log gets that."""
    with caplog.at_level(logging.WARNING):
        list(voice.speak("alba", "Confidential " * 8, threading.Event()))
    assert caplog.text == ""


async def test_our_driver_hears_it(address: str) -> None:
    """What the server sends is what `engines.openai_tts` takes: the same sound as by plain HTTP, at 8 kHz."""
    body = {"model": "pocket", "voice": "alba", "input": TEXT, "response_format": "pcm"}
    async with httpx.AsyncClient(timeout=30) as client:
        plain = await client.post(f"{address}/v1/audio/speech", json=body)
        assert plain.headers["content-type"] == "audio/pcm;rate=24000"
        assert (await client.get(f"{address}/healthz")).json() == {"status": "ok", "voices": ["alba"]}
    speech = OpenAiSpeech(base_url=f"{address}/v1", model="pocket", voice="alba")
    heard = b"".join([piece.mulaw async for piece in speech.speak(CallContext("call"), TEXT)])
    await speech.close()
    assert len(heard) == len(plain.content) / 2 / 3 > 4000


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json", "voices/alba.safetensors"])
def test_what_is_missing_is_said(pocket_directory: Path, tmp_path: Path, missing: str) -> None:
    """In words that say how to get it, with exit code 1."""
    folder = tmp_path / "pocket"
    shutil.copytree(pocket_directory, folder)
    (folder / missing).unlink()
    done = CliRunner().invoke(app, ["models", "serve", "pocket", "--weights", str(folder), "--port", "0"])
    assert done.exit_code == 1
    assert "There is no" in done.output
    assert "client-caller models pull cpu" in done.output


def test_weights_of_another_model_are_refused(pocket_directory: Path, tmp_path: Path) -> None:
    """Without the configuration that belongs to them, tiny weights are none of the English model's."""
    folder = tmp_path / "pocket"
    shutil.copytree(pocket_directory, folder)
    os.unlink(folder / "config.yaml")
    with pytest.raises(WeightsError, match="does not belong together"):
        PocketVoice(folder)


def test_pull_fetches_what_this_release_speaks_with() -> None:
    """The pinned files are those that the package itself would fetch for its English model and this voice."""
    from pocket_tts.utils.config import CONFIGS_DIR, load_config
    from pocket_tts.utils.utils import get_predefined_voice

    config = load_config(CONFIGS_DIR / "english.yaml")
    ours = {name: f"hf://{file.repository}/{file.path}@{file.revision}" for name, file in POCKET.files.items()}
    assert ours == {
        "model.safetensors": config.weights_path_without_voice_cloning,
        "tokenizer.json": config.flow_lm.lookup_table.tokenizer_path,
        "voices/alba.safetensors": get_predefined_voice("english", "alba"),
    }
