"""The server on a real socket: a real driver, real speech and real voice activity, a recogniser that counts seconds."""

import asyncio
import base64
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from client_caller.audio import g711
from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.audio.resample import resample
from client_caller.engines.protocols import CallContext, EngineError, Final, Finished, SttResult, SttStream
from client_caller.engines.realtime_stt import RealtimeStt
from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.server import Ears, configure, create_app
from client_caller.models.hearing.words import Word
from client_caller.models.whisper.backend import Hypothesis, Window
from client_caller.models.whisper.recogniser import Whisper


class Counter:
    """Hears a word in each 0.3 s: "w0 w1 …"."""

    seconds = 30.0
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.windows: list[Window] = []
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def transcribe(self, windows: Sequence[Window]) -> list[Hypothesis]:
        assert self.gate.wait(10)
        if self.broken:
            raise RuntimeError("out of memory")
        self.windows += windows
        return [self._heard(window) for window in windows]

    def _heard(self, window: Window) -> Hypothesis:
        words = [Word(f"w{i}", i * 0.3, i * 0.3 + 0.3, 0.75) for i in range(int(len(window.samples) / 16_000 / 0.3))]
        return Hypothesis(tuple(words), "en", 0.0, -0.1)


@asynccontextmanager
async def serving(backend: Counter, silero: Path, clock: Callable[[], float] = lambda: 0.0) -> AsyncIterator[str]:
    """Serve while the block runs; gives host and port. Whoever connects before it is ready waits in the socket."""
    whisper = Whisper(backend, Batcher(backend.transcribe, gather=0.0, clock=clock))
    app = create_app(whisper, Ears(silero), model="counter", slowest=1.0)
    server = uvicorn.Server(configure(app))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        task = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            yield f"127.0.0.1:{sock.getsockname()[1]}"
        finally:
            backend.gate.set()
            server.should_exit = True
            await task


@pytest.fixture
def backend() -> Counter:
    return Counter()


@pytest.fixture
async def place(backend: Counter, silero_path: Path) -> AsyncIterator[str]:
    async with serving(backend, silero_path) as place:
        yield place


@pytest.fixture
def speech(shared_audio: Callable[[str], bytes]) -> bytes:
    """Somebody says something short, and is quiet."""
    return SILENCE * (SAMPLE_RATE // 2) + shared_audio("utt/u18_yes.flac") + SILENCE * (SAMPLE_RATE // 2)


async def until(events: ClientConnection, kind: str) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            event: dict[str, object] = json.loads(await events.recv())
            if event["type"] == kind:
                return event


async def heard(stream: SttStream) -> list[SttResult]:
    """All results up to the answer of request 1."""
    results: list[SttResult] = []
    async with asyncio.timeout(10):
        async for result in stream:
            results.append(result)
            if result == Finished(1):
                return results
    raise AssertionError(f"the stream ended with {results}")


async def test_a_call_over_the_driver(place: str, backend: Counter, speech: bytes) -> None:
    """Speech in, guesses and final words with their confidence out; silence reaches the recogniser nowhere."""
    engine = RealtimeStt(base_url=f"ws://{place}", finish_patience=10)
    stream = await engine.open(CallContext("call", language="en-GB", hints=("Ann",)))
    for start in range(0, len(speech), FRAME):
        stream.feed(speech[start : start + FRAME])
    stream.finish(1)
    results = await heard(stream)
    await stream.close()
    final = results[-2]
    assert isinstance(final, Final)
    assert final.text.startswith("w0")
    assert final.confidence == 0.75
    assert {(window.language, window.prompt) for window in backend.windows} == {("en", "Ann")}
    assert max(len(window.samples) for window in backend.windows) < 16_000 * (len(speech) / SAMPLE_RATE - 0.5)


async def test_silence_and_noise_produce_no_words(place: str, backend: Counter) -> None:
    """Not one window of them is transcribed, at either rate; final words are empty."""
    noise = np.random.default_rng(1).normal(0, 0.02, 32_000)
    async with connect(f"ws://{place}/v1/realtime") as events:
        for audio in (np.zeros(32_000), noise):
            pcm = (audio * 32767).astype("<i2").tobytes()
            await events.send(json.dumps({"type": "input_audio_buffer.append", "audio": _base64(pcm)}))
        await events.send('{"type":"input_audio_buffer.commit","final":true}')
        done = await until(events, "transcription.done")
    assert (done["text"], done["words"]) == ("", [])
    assert backend.windows == []


async def test_vllms_client(place: str, speech: bytes) -> None:
    """One that knows nothing of ours: 16 kHz, a start, a final commit, and what it reads of the answer."""
    pcm = (resample(g711.decode_float(speech), 8000, 16_000) * 32767).astype("<i2").tobytes()
    async with connect(f"ws://{place}/v1/realtime") as events:
        assert json.loads(await events.recv())["type"] == "session.created"
        await events.send('{"type":"session.update","model":"whisper"}')
        await events.send('{"type":"input_audio_buffer.commit"}')
        for start in range(0, len(pcm), 6400):
            message = {"type": "input_audio_buffer.append", "audio": _base64(pcm[start : start + 6400])}
            await events.send(json.dumps(message))
        await events.send('{"type":"input_audio_buffer.commit","final":true}')
        assert str((await until(events, "transcription.done"))["text"]).startswith("w0")


async def test_what_it_does_not_understand_is_answered(place: str) -> None:
    """An error in words, and the connection goes on; settings that come too late are one."""
    async with connect(f"ws://{place}/v1/realtime") as events:
        for nonsense in ("hello", b"\xff", ""):
            await events.send(nonsense)
            assert (await until(events, "error"))["code"] == "invalid_json"
        await events.send('{"type":"session.update","language":"xx"}')
        assert (await until(events, "error"))["code"] == "unknown_language"
        await events.send('{"type":"input_audio_buffer.commit","final":true}')
        await until(events, "transcription.done")
        await events.send('{"type":"session.update","language":"en"}')
        assert (await until(events, "error"))["code"] == "too_late"


async def test_more_audio_than_can_be_kept(place: str, backend: Counter, speech: bytes) -> None:
    """What comes far faster than it can be transcribed is dropped, and that is said; the rest is heard."""
    backend.gate.clear()
    async with connect(f"ws://{place}/v1/realtime") as events, asyncio.timeout(20):
        await events.send('{"type":"session.update","input_audio_format":"g711_ulaw"}')
        message = json.dumps(
            {"type": "input_audio_buffer.append", "audio": _base64(speech[: SAMPLE_RATE * 3 // 2] * 4)}
        )
        for _ in range(14):
            await events.send(message)
        assert (await until(events, "error"))["code"] == "too_fast"
        backend.gate.set()
        await events.send('{"type":"input_audio_buffer.commit","final":true}')
        assert str((await until(events, "transcription.done"))["text"]).startswith("w0")


async def test_a_recogniser_that_fails(place: str, backend: Counter, speech: bytes) -> None:
    """The caller's driver is told, without the reason, which is for the log; the next call is served."""
    backend.broken = True
    engine = RealtimeStt(base_url=f"ws://{place}")
    stream = await engine.open(CallContext("call"))
    stream.feed(speech)
    stream.finish(1)
    with pytest.raises(EngineError, match="the recogniser failed"):
        await heard(stream)
    await stream.close()
    async with httpx.AsyncClient(base_url=f"http://{place}") as http:
        assert (await http.get("/healthz")).status_code == 503
    backend.broken = False
    async with connect(f"ws://{place}/v1/realtime") as events:
        await until(events, "session.created")


async def test_admission_goes_by_measured_answers(backend: Counter, silero_path: Path, speech: bytes) -> None:
    """While answers are slow and there are calls, another is refused and told when to come back."""
    now = [0.0]

    def clock() -> float:
        now[0] += 2.0
        return now[0]

    async with serving(backend, silero_path, clock) as place, httpx.AsyncClient(base_url=f"http://{place}") as http:
        assert (await http.get("/healthz")).json() == {"status": "ok", "model": "counter", "calls": 0}
        engine = RealtimeStt(base_url=f"ws://{place}", finish_patience=10)
        stream = await engine.open(CallContext("call"))
        stream.feed(speech)
        stream.finish(1)
        await heard(stream)
        with pytest.raises(EngineError, match=r"503, Answers take .* no more calls.*again in 2 s"):
            await engine.open(CallContext("another"))
        assert (await http.get("/healthz")).json() == {"status": "full", "model": "counter", "calls": 1}
        assert "client_caller_hearing_refused_total 1.0" in (await http.get("/metrics")).text
        await stream.close()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
