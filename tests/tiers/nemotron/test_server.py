"""The server as people start it, in a process of its own: tiny weights behind it, the real driver before it."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.protocols import EngineError, Final, Finished, Partial

from ..telephoned import COMMAND, call, finals, quiet, served


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[str]:
    """Its address."""
    options = ["--device", "cpu", "--chunk", "160", "--batch", "4", "--slowest", "60"]
    with served("nemotron", "--weights", str(directory), *options) as address:
        yield address


@pytest.fixture(scope="module")
def said(shared_audio: Callable[[str], bytes]) -> list[bytes]:
    """Three callers, with a pause at the end of each."""
    return [shared_audio(f"utt/{name}.flac") + quiet(0.3) for name in ("u18_yes", "u01_book_a_room", "u06_two_people")]


async def test_words_from_the_telephone(server: str, said: list[bytes]) -> None:
    """Words while the audio comes, all of them at the end, and how sure it is of them."""
    *guesses, final, _ = await call(server, quiet(0.5) + said[1], said[2])
    assert isinstance(final, Final)
    assert final.text
    assert final.confidence is not None
    assert 0 < final.confidence <= 1
    assert guesses
    assert all(isinstance(guess, Partial) for guess in guesses)


async def test_calls_at_once_do_not_mix(server: str, said: list[bytes]) -> None:
    """Each gets the words that it gets alone."""
    alone = [finals(await call(server, mulaw)) for mulaw in said]
    together = await asyncio.gather(*(call(server, mulaw) for mulaw in said))
    assert [finals(results) for results in together] == alone
    assert all(alone)
    assert len({texts[0] for texts in alone}) == len(said)


async def test_silence_and_noise_produce_no_words(server: str, said: list[bytes]) -> None:
    """None of it reaches the model; and what is said afterwards is heard as if it had not been."""
    noise = g711.encode_float(np.random.default_rng(3).normal(0, 0.02, 2 * SAMPLE_RATE).astype(np.float32))
    for audio in (quiet(2.0), noise):
        assert await call(server, audio) == [Finished(1)]
    assert finals(await call(server, quiet(2.0) + noise + quiet(1.0) + said[0]))


async def test_calls_that_are_over_are_gone(server: str, said: list[bytes]) -> None:
    """The server counts none of them, and has not failed."""
    await call(server, said[0])
    async with asyncio.timeout(20), httpx.AsyncClient(trust_env=False) as http:
        address = server.replace("ws://", "http://")
        while (state := (await http.get(f"{address}/healthz")).json())["calls"]:
            pass
    assert state["status"] == "ok"


async def test_a_language_that_it_does_not_know(server: str, said: list[bytes]) -> None:
    """The call's driver is told which it knows."""
    with pytest.raises(EngineError, match="it knows en"):
        await call(server, said[0], language="de")


def test_weights_that_cannot_be_used(tmp_path: Path) -> None:
    """One line that names what is wrong; no traceback."""
    command = [*COMMAND, "nemotron", "--port", "0", "--device", "cpu", "--weights", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "There is no config.json, tokenizer.json, model.safetensors in" in done.stderr
    assert "Traceback" not in done.stderr
