"""Calls with many interruptions on the virtual clock, each history compared with what was really heard."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.replay import history_of
from client_caller.calls.store import JOURNAL, Store
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext, Engines
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.server.sessions import Sessions
from client_caller.simulator.caller import Caller, labelled
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.impairments import Impairments
from client_caller.simulator.in_process import InProcessLine, Shell
from client_caller.simulator.interrupter import WORDS, interrupt, long_answer
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.simulator.wiretap import Judgement, Wiretap, judge
from client_caller.telephony.leg import Leg

CALLER_VOICE = "en-us+m3"
"""An eSpeak NG variant; the caller has to sound like speech to the voice activity detection."""
GREETING = "Good morning, this is the line that likes to talk. What would you like to hear about today, dear caller?"


@dataclass(frozen=True, slots=True)
class HeardBench:
    """So many calls over one kind of line, all at once in one process."""

    calls: int
    interruptions: int
    seed: int
    line: Impairments
    model: Path
    """The voice activity model's file."""
    folder: Path
    """Where the calls leave their journals."""

    def run(self) -> list[Judgement]:
        """The same seed gives the same judgements. Raises `EngineError` without the `[demo]` extra."""
        espeak = Espeak(voice=CALLER_VOICE)
        return run_virtual(self._run(espeak), busy=lambda: espeak.busy)

    async def _run(self, espeak: Espeak) -> list[Judgement]:
        try:
            clip = b"".join([speech.mulaw async for speech in espeak.speak(CallContext("bench"), WORDS)])
        finally:
            await espeak.close()
        heartbeat = Heartbeat(VoiceBatch(self.model))
        store = Store(f"sqlite:///{self.folder / 'calls.sqlite3'}")
        sessions = Sessions(
            agent=Agent("Talk.", greeting=GREETING),
            engines=Engines(EchoStt(), CannedModel(long_answer), ToneSpeech()),
            heartbeat=heartbeat,
            store=store,
            calls=self.folder,
            recording="off",
        )
        beating = asyncio.create_task(heartbeat.run())
        try:
            clip = labelled(clip, WORDS)
            return await asyncio.gather(*(self._call(number, clip, sessions) for number in range(self.calls)))
        finally:
            beating.cancel()
            store.close()

    async def _call(self, number: int, clip: bytes, sessions: Sessions) -> Judgement:
        random = Random(f"{self.seed}/{number}")
        call = Call(id=f"heard-{number}", provider_id=f"CA{number}")
        caller = Caller()
        caller.play(interrupt(caller, clip, self.interruptions, random))
        # Callers do not all call in the same millisecond.
        await asyncio.sleep(random.uniform(0, 1))
        call_line = _TappedLine(call, caller, sessions, replace(self.line, seed=self.seed * 1000 + number))
        await call_line.talk()
        return judge(call_line.far_end, call_line.tap, history_of(self.folder / call.id / JOURNAL))


class _TappedLine:
    """A line into a session, with a judge on it."""

    def __init__(self, call: Call, caller: Caller, sessions: Sessions, impairments: Impairments) -> None:
        self._call = call
        self._sessions = sessions
        self._line = InProcessLine(caller, StreamIdentity(call.provider_id, "MZ" + call.id), self._open, impairments)
        self.far_end = self._line.phone.far_end

    def _open(self, leg: Leg) -> Shell:
        self.tap = Wiretap(leg)
        self._session = self._sessions.open(self._call, self.tap, ())
        return self.tap.attach(self._session)

    async def talk(self) -> None:
        await self._line.talk()
        await self._session.ended()
