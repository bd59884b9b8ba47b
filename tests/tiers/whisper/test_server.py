"""The server as people start it, in a process of its own: a toy Whisper behind it, the real driver before it."""

import asyncio
import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner
from websockets.asyncio.client import connect

from client_caller.audio import g711
from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.cli.main import app
from client_caller.engines.protocols import Final, Finished, Partial
from client_caller.models.hearing.words import text_of
from client_caller.models.whisper.backend import Window

from ..telephoned import COMMAND, call, quiet, served


@pytest.fixture(scope="module")
def server(toy: Any) -> Iterator[str]:
    """Its address."""
    options = ["--threads", "1", "--offline", "--slowest", "60"]
    with served("whisper", "--model", str(toy.model), *options) as address:
        yield address


async def test_words_from_the_telephone(toy: Any, server: str) -> None:
    """Guesses while the audio comes, all words at the end, and how sure it is."""
    results = await call(server, quiet(0.5) + toy.say("mm ee oo"), toy.say("er ah") + quiet(0.2))
    *guesses, final, _ = results
    assert isinstance(final, Final)
    assert final.text == "mm ee oo er ah"
    assert final.confidence is not None
    assert 0.5 < final.confidence <= 1
    assert guesses
    assert all(isinstance(guess, Partial) for guess in guesses)


async def test_calls_at_once_do_not_mix(toy: Any, server: str) -> None:
    """Each gets its own words, in its own language, as it would alone; "auto" finds the language out."""
    said = [("ah ee oo", "en", "en"), ("eh au", "de", "de"), ("oo er mm", "en", "en"), ("au eh au", "de", "auto")]
    calls = (
        call(server, quiet(0.3) + toy.say(text, spoken) + quiet(0.2), language=language)
        for text, spoken, language in said
    )
    heard = await asyncio.gather(*calls)
    finals = [[result.text for result in results if isinstance(result, Final)] for results in heard]
    assert finals == [[text] for text, _, _ in said]


async def test_silence_and_noise_produce_no_words(toy: Any, whisper: Any, server: str) -> None:
    """Though the model itself makes words of them, as the real one does: nothing of them reaches it."""
    noise = np.random.default_rng(3).normal(0, 0.02, 2 * SAMPLE_RATE).astype(np.float32)
    made_up = whisper.transcribe([Window(np.repeat(noise, 2), "en"), Window(np.zeros(32_000, np.float32), "en")])
    assert all(text_of(hypothesis.words) for hypothesis in made_up)
    for audio in (quiet(2.0), g711.encode_float(noise)):
        assert await call(server, audio) == [Finished(1)]
    results = await call(server, quiet(2.0) + g711.encode_float(noise) + quiet(1.0) + toy.say("ee oo") + quiet(0.2))
    assert [result.text for result in results if isinstance(result, Final)] == ["ee oo"]


async def test_what_was_told_as_certain_stays(toy: Any, server: str) -> None:
    """The deltas of a turn, whose audio comes word by word, are the beginning of its final words."""
    async with connect(f"{server}/v1/realtime") as socket, asyncio.timeout(60):
        await socket.recv()
        await socket.send('{"type":"session.update","input_audio_format":"g711_ulaw","language":"en"}')
        told = ""
        for word in ("oo", "ah", "mm"):
            mulaw = toy.say(word) + quiet(0.2)
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": _base64(mulaw)}))
            told += json.loads(await socket.recv())["delta"]
        await socket.send('{"type":"input_audio_buffer.commit","final":true}')
        while (event := json.loads(await socket.recv()))["type"] != "transcription.done":
            told += event["delta"]
    assert event["text"] == "oo ah mm"
    assert told.strip() in ("oo", "oo ah", "oo ah mm")
    assert [word["word"] for word in event["words"]] == ["oo", "ah", "mm"]


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    """One line that names the missing file; no traceback."""
    done = subprocess.run(
        [*COMMAND, "whisper", "--port", "0", "--model", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "has no config.json, model.bin, tokenizer.json, vocabulary.json. Convert" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken(toy: Any, server: str) -> None:
    """The address and the way out."""
    port = server.rpartition(":")[2]
    done = subprocess.run(
        [*COMMAND, "whisper", "--model", str(toy.model), "--port", port], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"Can't listen at 127.0.0.1:{port}" in done.stderr


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_how_soon_its_words_come(toy: Any, server: str, silero_path: Path, tmp_path: Path) -> None:
    """`bench models hearing` finds all words of two calls, each with its time, and final words behind the speech."""
    for text in ("mm ee oo", "ah er"):
        soundfile.write(tmp_path / f"{text}.wav", g711.decode(toy.say(text)), SAMPLE_RATE)
    options = ["--audio", str(tmp_path), "--url", server, "--calls", "2", "--json"]
    done = CliRunner().invoke(app, ["bench", "models", "hearing", *options])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert (figures["recordings"], figures["words"]) == (2, 10)
    assert figures["certain"]["count"] == figures["guessed"]["count"] == 10
    assert figures["guessed"]["p50"] <= figures["certain"]["p50"]
    assert figures["after_speech"]["count"] == figures["after_request"]["count"] == 4
    assert figures["after_speech"]["p50"] > 96, "the question itself comes that late"
