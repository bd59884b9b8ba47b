"""The whole server in one process: it closes what it was given, and says when it can't hear."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_caller.agents.agent import Agent
from client_caller.audio.voices import BACKLOG, VoiceBatch
from client_caller.calls.store import Store
from client_caller.engines.protocols import CallContext, EngineError, Engines, Speech
from client_caller.observe.metrics import REGISTRY
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.server.house import BeatWatch, Place, answer_calls
from client_caller.server.run import listen
from client_caller.server.security import make_gate
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech


class House:
    """A running server and what it was given."""

    def __init__(self, folder: Path, model: Path, *, mute: bool = False) -> None:
        self.closed: list[str] = []
        self.started = asyncio.Event()
        sock = listen("127.0.0.1", 0)
        self._port = sock.getsockname()[1]
        store = _ClosingStore(self.closed, folder)
        place = Place(
            gate=make_gate(auth_token=None, public_url=None, insecure_local=True, host="127.0.0.1", port=0),
            sock=sock,
            calls=folder / "calls",
            recording="off",
            speech_model=model,
            max_calls=1,
        )
        speech = (_Mute if mute else _ClosingSpeech)(self.closed)
        engines = Engines(EchoStt(), CannedModel(lambda messages: "Yes."), speech)
        self.told: list[str] = []
        self.task = asyncio.create_task(
            answer_calls(
                Agent(""), engines, store, place, started=self._start, progress=lambda line: self.told.append(line)
            )
        )

    def _start(self) -> None:
        self.told.append("started")
        self.started.set()

    async def ready(self) -> tuple[int, Any]:
        await self.started.wait()
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://127.0.0.1:{self._port}/readyz")
            return answer.status_code, answer.json()["state"]

    async def end(self) -> None:
        """As an operator ends it."""
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(self.task, 10)


class _ClosingSpeech(ToneSpeech):
    def __init__(self, closed: list[str]) -> None:
        super().__init__()
        object.__setattr__(self, "_closed", closed)

    async def close(self) -> None:
        self._closed.append("tts")  # type: ignore[attr-defined]


class _Mute(_ClosingSpeech):
    def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        raise EngineError("tts", "The server is not there. Start it.")


class _ClosingStore(Store):
    def __init__(self, closed: list[str], folder: Path) -> None:
        super().__init__(f"sqlite:///{folder / 'calls.sqlite3'}")
        self._closed = closed

    def close(self) -> None:
        super().close()
        self._closed.append("store")


async def test_it_answers_and_closes_what_it_was_given(tmp_path: Path, silero_path: Path) -> None:
    """Ready once started; after the signal engines and store are closed, in this order."""
    house = House(tmp_path, silero_path)
    assert await house.ready() == (200, "ready")
    await house.end()
    assert house.closed == ["tts", "store"]


async def test_no_request_is_answered_before_every_engine_was_used(tmp_path: Path, silero_path: Path) -> None:
    """The first call does not pay for the start of an engine: each is used once before, and the operator sees it."""
    house = House(tmp_path, silero_path)
    await house.ready()
    await house.end()
    assert house.told == [
        "Trying speech to text …",
        "Trying the language model …",
        "Trying text to speech …",
        "started",
    ]


async def test_a_server_with_an_engine_that_does_not_work_never_answers(tmp_path: Path, silero_path: Path) -> None:
    """It ends with the engine's reason, and closes what it was given."""
    house = House(tmp_path, silero_path, mute=True)
    with pytest.raises(EngineError, match=r"^Text to speech does not work.*Start it\.$"):
        await asyncio.wait_for(house.task, 10)
    assert not house.started.is_set()
    assert house.closed == ["tts", "store"]


def test_the_beat_tells_its_lag_and_what_was_not_heard(silero_path: Path) -> None:
    """Lateness is observed at each beat, a drop once; an early beat is not late."""
    voices = VoiceBatch(silero_path)
    watch = BeatWatch(voices)
    before = _count("event_loop_lag_seconds_count"), _count("event_loop_lag_seconds_sum"), _dropped()
    voice = voices.join()
    watch(-0.001)
    voice.feed(b"\xff" * 8 * BACKLOG)
    watch(0.25)
    watch(0.25)
    assert _count("event_loop_lag_seconds_count") == before[0] + 3
    assert _count("event_loop_lag_seconds_sum") == pytest.approx(before[1] + 0.5)
    assert voices.dropped > 0
    assert _dropped() == pytest.approx(before[2] + voices.dropped / 8000)


def _dropped() -> float:
    return _count("dropped_audio_seconds_total", where="voices")


def _count(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"client_caller_{name}", labels) or 0.0


async def test_a_server_without_a_heartbeat_is_not_ready(
    tmp_path: Path, silero_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It can't hear any more: no new calls should be sent to it, and the log says why. It still ends cleanly."""

    async def stop(self: Heartbeat) -> None:
        raise RuntimeError("the model is gone")

    monkeypatch.setattr(Heartbeat, "run", stop)
    house = House(tmp_path, silero_path)
    assert await house.ready() == (503, "not ready")
    await house.end()
    assert house.closed == ["tts", "store"]
    assert "the model is gone" in caplog.text
