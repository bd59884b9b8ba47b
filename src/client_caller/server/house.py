"""The whole server around one agent: from its parts to the last call's end."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.audio.turn_model import TurnModel
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.store import RecordingMode, Store
from client_caller.engines.protocols import Engines
from client_caller.observe.metrics import DROPPED_AUDIO, LOOP_LAG
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.readiness import get_ready
from client_caller.runtime.turn_judges import TurnJudges
from client_caller.server.app import create_app
from client_caller.server.run import serve
from client_caller.server.security import Gate
from client_caller.server.sessions import Sessions, StoredPast, new_call_id
from client_caller.server.switchboard import Switchboard
from client_caller.server.voice import Apology
from client_caller.telephony.tokens import StreamTokens

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how a server answers."""

    gate: Gate
    sock: socket.socket
    """From `server.run.listen`."""
    calls: Path
    """The folder in which each call gets its own."""
    recording: RecordingMode
    speech_model: Path
    """Of voice activity detection (`models.cache.find`)."""
    turn_model: Path | None = None
    """Of the turn model; None: turns end by their words and by silence."""
    max_calls: int
    metrics_token: str | None = None
    """None: there is no `/metrics`."""


async def answer_calls(
    agent: Agent,
    engines: Engines,
    store: Store,
    place: Place,
    *,
    started: Callable[[], None] = lambda: None,
    progress: Callable[[str], None] = lambda line: None,
) -> None:
    """Answer calls until a signal has come and those on the line are over; then close `engines` and `store`.

    Each engine is used once before the first request is answered; `progress` is given a line for each, and `started` is
    told once requests are answered. Raises `EngineError` where an engine does not work: an agent that can't speak
    should not answer.
    """
    voices = VoiceBatch(place.speech_model)
    heartbeat = Heartbeat(voices, watch=BeatWatch(voices))
    beating = asyncio.create_task(heartbeat.run())
    beating.add_done_callback(_report)
    judges = TurnJudges(TurnModel(place.turn_model).judge) if place.turn_model is not None else None
    board = Switchboard(max_calls=place.max_calls, tokens=StreamTokens(time.monotonic), new_id=new_call_id)
    try:
        sessions = Sessions(
            agent=agent,
            engines=engines,
            heartbeat=heartbeat,
            judges=judges,
            spare=await get_ready(agent, engines, progress),
            store=store,
            calls=place.calls,
            recording=place.recording,
        )
        app = create_app(
            gate=place.gate,
            board=board,
            open_session=sessions.open,
            past=StoredPast(store),
            apology=Apology(agent.phrases.trouble_goodbye, agent.language),
            ready=lambda: not beating.done(),
            metrics_token=place.metrics_token,
        )
        await serve(app, board, place.sock, drain_limit=agent.policy.max_call / 1000, started=started)
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        if judges is not None:
            judges.close()
        await engines.close()
        await asyncio.to_thread(store.close)


class BeatWatch:
    """Puts into the metrics, with every beat of the heart, how late it was and what could not be heard in time."""

    def __init__(self, voices: VoiceBatch) -> None:
        self._voices = voices
        self._dropped = 0

    def __call__(self, late: float) -> None:
        LOOP_LAG.observe(max(0.0, late))
        if self._voices.dropped != self._dropped:
            DROPPED_AUDIO.labels("voices").inc((self._voices.dropped - self._dropped) / SAMPLE_RATE)
            self._dropped = self._voices.dropped


def _report(beating: asyncio.Task[None]) -> None:
    """Without its heartbeat a server hears nothing: `/readyz` says so from now on, and this says why."""
    if not beating.cancelled() and (error := beating.exception()):
        log.critical("the heartbeat stopped; this process can answer no more calls", exc_info=error)
