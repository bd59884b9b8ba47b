"""The server of Pocket TTS over real sockets: who is let in, who waits, and who makes room. The voice is a double that
speaks when it is told to, so that each test decides who is where; the real one is tested in tests/tiers/pocket."""

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn

from client_caller.engines.openai_tts import OpenAiSpeech
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.models.pocket.desk import Desk
from client_caller.models.pocket.server import configure, make_app

PIECE = bytes(3840)
"""80 ms of silence."""


class Prompter:
    """A voice that makes two pieces of each text, each when `cue` is given; nothing can be said of "trouble"."""

    sample_rate = 24_000
    voices = ("alba", "bea")

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.said: list[tuple[str, str]] = []
        self.stopped: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._cues = threading.Semaphore(0)

    def cue(self, pieces: int = 1) -> None:
        self._cues.release(pieces)

    def speak(self, voice: str, text: str, stop: threading.Event) -> Iterator[bytes]:
        self.said.append((voice, text))
        self.begun.release()
        if text == "trouble":
            raise RuntimeError("no weights for this")
        for _ in range(2):
            while not self._cues.acquire(timeout=0.01):
                if stop.is_set():
                    self.stopped.put(text)
                    return
            yield PIECE


@pytest.fixture
def voice() -> Prompter:
    return Prompter()


@pytest.fixture
async def client(voice: Prompter) -> AsyncIterator[httpx.AsyncClient]:
    """Of a server with one voice, for which one request may wait."""
    server = uvicorn.Server(configure(make_app(Desk([voice], waiting=1))))
    server.config.port = 0
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn tells nobody when it has started
        await asyncio.sleep(0.002)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    await serving


def asked(text: str, voice: str = "alba") -> dict[str, str]:
    return {"model": "pocket", "voice": voice, "input": text, "response_format": "pcm"}


async def metric(client: httpx.AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"client_caller_pocket_{name} ")).split()[1])


async def test_sound_comes_as_it_is_made(client: httpx.AsyncClient, voice: Prompter) -> None:
    """The first piece is heard before the last one exists, with its rate in the content type."""
    async with client.stream("POST", "/v1/audio/speech", json=asked("One.", "bea")) as answer:
        assert answer.headers["content-type"] == "audio/pcm;rate=24000"
        pieces = answer.aiter_bytes()
        voice.cue()
        assert await anext(pieces) == PIECE
        voice.cue()
        assert b"".join([piece async for piece in pieces]) == PIECE
    assert voice.said == [("bea", "One.")]


async def test_one_speaks_one_waits_and_one_is_told_to_come_again(client: httpx.AsyncClient, voice: Prompter) -> None:
    """503 with Retry-After for the one too many; who waited is spoken for next, and then there is room again."""
    first = asyncio.create_task(client.post("/v1/audio/speech", json=asked("One.")))
    await asyncio.to_thread(voice.begun.acquire)
    second = asyncio.create_task(client.post("/v1/audio/speech", json=asked("Two.")))
    while await metric(client, "waiting") < 1:
        pass
    refused_before = await metric(client, "refused_total")
    third = await client.post("/v1/audio/speech", json=asked("Three."))
    assert (third.status_code, third.headers["retry-after"]) == (503, "2")
    assert "no room" in third.json()["error"]["message"]
    assert await metric(client, "refused_total") == refused_before + 1
    assert await metric(client, "speaking") == 1
    voice.cue(4)
    assert [(await task).content for task in (first, second)] == [PIECE * 2] * 2
    voice.cue(2)
    assert (await client.post("/v1/audio/speech", json=asked("Four."))).content == PIECE * 2
    assert [text for _, text in voice.said] == ["One.", "Two.", "Four."]


async def test_who_stops_listening_silences_the_voice(client: httpx.AsyncClient, voice: Prompter) -> None:
    """In the middle of its sound or still in the queue, a request that is given up holds nothing any longer."""
    async with client.stream("POST", "/v1/audio/speech", json=asked("One.")) as answer:
        pieces = answer.aiter_bytes()  # held: httpx hangs up when nobody holds it
        voice.cue()
        await anext(pieces)
        waiting = asyncio.create_task(client.post("/v1/audio/speech", json=asked("Two.")))
        while await metric(client, "waiting") < 1:
            pass
        waiting.cancel()
        while await metric(client, "waiting"):
            pass
    assert await asyncio.to_thread(voice.stopped.get, timeout=10) == "One."
    voice.cue(2)
    assert (await client.post("/v1/audio/speech", json=asked("Three."))).content == PIECE * 2
    assert [text for _, text in voice.said] == ["One.", "Three."]


@pytest.mark.parametrize(
    ("text", "voice_name", "status", "reason"),
    [
        ("One.", "carl", 404, "There is no voice 'carl' here; there are: alba, bea."),
        (" … ", "alba", 400, "There is nothing to say in this text."),
    ],
)
async def test_what_can_not_be_spoken_is_said(
    client: httpx.AsyncClient, text: str, voice_name: str, status: int, reason: str
) -> None:
    """In the form in which OpenAI's clients look for it; another format than PCM is refused too."""
    answer = await client.post("/v1/audio/speech", json=asked(text, voice_name))
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, reason)
    other = await client.post("/v1/audio/speech", json=asked("One.") | {"response_format": "mp3"})
    assert other.status_code == 422


async def test_a_voice_that_breaks_is_not_healthy(
    client: httpx.AsyncClient, voice: Prompter, caplog: pytest.LogCaptureFixture
) -> None:
    """The request ends with an error and not as if all had been said, a supervisor sees it, no text is logged; when a
    text can be spoken again all is well."""
    assert (await client.get("/healthz")).json() == {"status": "ok", "voices": ["alba", "bea"]}
    speech = OpenAiSpeech(base_url=f"{client.base_url}/v1", model="pocket", voice="alba")
    with pytest.raises(EngineError):
        _ = [piece async for piece in speech.speak(CallContext("call"), "trouble")]
    broken = await client.get("/healthz")
    assert (broken.status_code, broken.json()["status"]) == (503, "broken")
    voice.cue(2)
    assert [piece async for piece in speech.speak(CallContext("call"), "One.")]
    assert (await client.get("/healthz")).status_code == 200
    await speech.close()
    assert "the voice broke" in caplog.text
    assert "trouble" not in caplog.text
