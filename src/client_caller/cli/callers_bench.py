"""Calls of difficult callers to one agent, on the virtual clock, and the evidence that each leaves."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from client_caller.agents.script_file import load_script
from client_caller.agents.scripted import ScriptedModel
from client_caller.audio.g711 import SAMPLE_RATE, SILENCE
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.replay import history_of
from client_caller.calls.store import JOURNAL, Store
from client_caller.conversation.history import Entry
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import Engines, TextToSpeech
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.session import CallSession
from client_caller.server.sessions import Sessions
from client_caller.simulator import difficult, tones
from client_caller.simulator.difficult import DifficultCaller
from client_caller.simulator.difficult_party import Clip, DifficultParty, rehearse
from client_caller.simulator.engines import EchoStt
from client_caller.simulator.impairments import Impairments
from client_caller.simulator.in_process import InProcessLine, Shell
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.pass_rules import Evidence, broken_law, title
from client_caller.simulator.phone import Phone
from client_caller.simulator.readable_speech import ReadableVoice
from client_caller.simulator.telling_model import TellingModel
from client_caller.simulator.virtual_time import run_virtual
from client_caller.simulator.wiretap import Wiretap, judge
from client_caller.telephony.leg import Leg

AGENT = Path(difficult.__file__).with_name("difficult_agent.yaml")
"""Its script."""
FIRST_TOKEN, WORDS_A_SECOND = 0.15, 60.0
"""Of the agent's model: those of `bench latency`."""
FOUND = "table"
"""What its tool is asked for."""
BACK_AFTER = 2.0
"""Seconds from a lost connection to the next one."""
LAWS = "its history is what was heard, and it ends"
"""The rule that every caller has, beside their own."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that does not hold, and what speaks against it."""

    rule: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One caller's call."""

    name: str
    about: str
    seconds: float
    """How long the call was."""
    rules: int
    failure: Failure | None
    """The first rule that does not hold."""


@dataclass(frozen=True, slots=True)
class CallersBench:
    """One call of each caller, one after the other, each in a world of its own.

    So whoever calls alone finds the same as among others, to the sample.
    """

    callers: Sequence[DifficultCaller]
    model: Path
    """The voice activity model's file."""
    folder: Path
    """Where each call leaves its journal, in a folder of the caller's name."""
    tell: Callable[[Verdict], None]

    def run(self) -> list[Verdict]:
        """The same callers get the same verdicts. Raises `EngineError` without the `[demo]` extra."""
        return [self._verdict(who) for who in self.callers]

    def _verdict(self, who: DifficultCaller) -> Verdict:
        # What eSpeak NG says depends a little on what it said before: both voices begin anew.
        callers, agents = Espeak(who.voice, who.pace), Espeak()
        evidence = run_virtual(self._call(who, callers, agents), busy=lambda: callers.busy or agents.busy)
        verdict = Verdict(
            name=who.name,
            about=who.about,
            seconds=round(len(evidence.played) / SAMPLE_RATE, 2),
            rules=len(who.passes) + 1,
            failure=_failure(who, evidence),
        )
        self.tell(verdict)
        return verdict

    async def _call(self, who: DifficultCaller, callers_voice: TextToSpeech, voice: TextToSpeech) -> Evidence:
        script = load_script(AGENT)
        async with AsyncExitStack() as stack:
            store = Store(f"sqlite:///{self.folder / 'calls.sqlite3'}")
            stack.callback(store.close)
            stack.push_async_callback(callers_voice.close)
            model = ScriptedModel(script, first_token=FIRST_TOKEN, words_per_second=WORDS_A_SECOND)
            engines = Engines(EchoStt(confidence=who.confidence), TellingModel(model, FOUND), ReadableVoice(voice))
            stack.push_async_callback(engines.close)
            heartbeat = Heartbeat(VoiceBatch(self.model))
            beating = asyncio.create_task(heartbeat.run())
            stack.callback(beating.cancel)
            sessions = Sessions(
                agent=script.agent(),
                engines=engines,
                heartbeat=heartbeat,
                store=store,
                calls=self.folder,
                recording="off",
            )
            call = _DifficultCall(who, await rehearse(who, callers_voice))
            return await call.run(sessions, self.folder / who.name / JOURNAL)


def _failure(who: DifficultCaller, evidence: Evidence) -> Failure | None:
    against = broken_law(evidence)
    if against is not None:
        return Failure(LAWS, against)
    found = ((rule, rule.against(evidence)) for rule in who.passes)
    return next((Failure(title(rule), against) for rule, against in found if against is not None), None)


class _DifficultCall:
    """One caller's call, over one connection or, where the caller is connected anew, several."""

    def __init__(self, who: DifficultCaller, clips: Sequence[Clip]) -> None:
        self._who = who
        self._party = DifficultParty(who, clips, self._press)
        self._phone: Phone | None = None
        self._played = bytearray()
        self._proven: list[str] = []

    def _press(self, key: str) -> None:
        """The caller presses a key of the telephone in hand."""
        assert self._phone is not None, "keys are pressed in a call"
        self._phone.press(key)

    async def run(self, sessions: Sessions, journal: Path) -> Evidence:
        """The whole call. Raises what went wrong with the caller or the line, never with a rule."""
        how, reason = await self._connect(sessions, "MZ1", self._who.line, ())
        if how == "lost" and self._who.calls_back:
            await asyncio.sleep(BACK_AFTER)
            _, reason = await self._connect(sessions, "MZ2", replace(self._who.line, lost_at=None), history_of(journal))
        return Evidence(
            uttered=tuple(self._party.uttered),
            played=bytes(self._played),
            agents_words=tones.read(bytes(self._played)),
            proven=tuple(self._proven),
            history=history_of(journal),
            reason=reason,
            overlong=self._party.overlong,
        )

    async def _connect(
        self, sessions: Sessions, stream: str, impairments: Impairments, earlier: tuple[Entry, ...]
    ) -> tuple[str, str]:
        """One connection; how the line ended (`Phone.talk`), and why the call did."""
        call = Call(self._who.name, f"CA-{self._who.name}")
        opened: list[tuple[CallSession, Wiretap]] = []

        def open_session(leg: Leg) -> Shell:
            tap = Wiretap(leg)
            opened.append((sessions.open(call, tap, earlier), tap))
            return tap.attach(opened[0][0])

        before = self._party.lived
        line = InProcessLine(self._party, StreamIdentity(call.provider_id, stream), open_session, impairments)
        self._phone = line.phone
        how = await line.talk()
        session, tap = opened[0]
        reason = await session.ended()
        lived = self._party.lived - before
        self._played += line.phone.far_end.played[:lived].ljust(lived, SILENCE)
        self._proven += judge(line.phone.far_end, tap, ()).expected
        return how, reason
