"""Whole calls in virtual time: a simulated telephone, doubles for the engines, and energy in place of Silero."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client_caller.agents.agent import Agent
from client_caller.audio.silero import Floats
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.conversation.commands import Command
from client_caller.conversation.events import Event
from client_caller.conversation.history import AgentSaid, Entry
from client_caller.engines.protocols import Engines
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.session import CallSession
from client_caller.simulator import tones
from client_caller.simulator.caller import Caller, Part
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import StreamIdentity
from client_caller.telephony.leg import Leg


class Loudness:
    """Speech is what is loud: for callers who speak in tones (`simulator.tones`)."""

    def __init__(self, _: Path) -> None:
        pass

    def run(self, windows: Floats, state: Floats) -> tuple[Floats, Floats]:
        loud = np.sqrt(np.mean(windows**2, axis=1)) > 0.01
        return np.where(loud, 0.95, 0.02).astype(np.float32), state


@dataclass
class Notes:
    """A keeper that only remembers."""

    events: list[tuple[Event, Sequence[Command]]] = field(default_factory=list)
    heard: list[tuple[int, bytes]] = field(default_factory=list)
    played: list[tuple[int, bytes]] = field(default_factory=list)
    recording_from: int | None = None
    closed: tuple[str, tuple[Entry, ...]] | None = None

    def note(self, event: Event, commands: Sequence[Command]) -> None:
        self.events.append((event, commands))

    def hear(self, mulaw: bytes, at_sample: int) -> None:
        self.heard.append((at_sample, mulaw))

    def play(self, mulaw: bytes, at_sample: int) -> None:
        self.played.append((at_sample, mulaw))

    def start_recording(self, at: int) -> None:
        self.recording_from = at

    def close(self, reason: str, history: tuple[Entry, ...]) -> Future[None]:
        self.closed = (reason, history)
        done: Future[None] = Future()
        done.set_result(None)
        return done


@dataclass
class Scene:
    """What a test may look at after a call."""

    session: CallSession
    notes: Notes
    line: InProcessLine
    reason: str
    how: str
    tasks_left: int

    @property
    def played_words(self) -> list[str]:
        """The agent's words that the far end really played to their end, read from its samples."""
        return [spelled.word for spelled in tones.read(bytes(self.line.phone.far_end.played))]

    @property
    def heard_words(self) -> list[str]:
        """The agent's words in the history as heard."""
        return [w for e in self.session.conversation.history if isinstance(e, AgentSaid) for w in e.heard.split()]


Play = Callable[[Caller], Part]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> "Stage":
    monkeypatch.setattr("client_caller.audio.voices.Silero", Loudness)
    return Stage()


class Stage:
    """Where a call is played. Use inside `run_virtual`."""

    def __init__(self) -> None:
        self.engines = Engines(EchoStt(), CannedModel(lambda messages: "All right then."), ToneSpeech())
        self.agent = Agent("Be kind.", greeting="Good morning, who is there?")
        self.heartbeat: Heartbeat | None = None
        self.sessions: list[CallSession] = []
        self.notes = Notes()
        """Of the call that was begun last."""

    def model(self, answer: Callable[[Sequence[Any]], str], **timing: float) -> None:
        self.engines = replace(self.engines, llm=CannedModel(answer, **timing))

    async def play(self, play: Play, *, impairments: Impairments = PERFECT, name: str = "1", **more: Any) -> Scene:
        """One call from its first ring until everything of it is freed."""
        owner = self.heartbeat is None
        heartbeat = self.heartbeat or Heartbeat(VoiceBatch(Path("unused")))
        self.heartbeat = heartbeat
        beating = asyncio.get_running_loop().create_task(heartbeat.run()) if owner else None
        notes = self.notes = Notes()

        def shell(leg: Leg) -> CallSession:
            call = Call(f"call-{name}", f"CA{name}")
            given: dict[str, Any] = {"agent": self.agent, "engines": self.engines, **more}
            self.sessions.append(CallSession(call=call, leg=leg, keeper=notes, heartbeat=heartbeat, **given))
            return self.sessions[-1]

        caller = Caller()
        line = InProcessLine(caller.play(play(caller)), StreamIdentity(f"CA{name}", f"MZ{name}"), shell, impairments)
        session = self.sessions[-1]
        how = await line.talk()
        reason = await session.ended()
        if beating is not None:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
        left = len(asyncio.all_tasks()) - 1
        return Scene(session, notes, line, reason, how, left)
