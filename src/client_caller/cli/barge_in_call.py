"""One sound in the middle of the agent's words, on the virtual clock, and what the far end's ear heard of it."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

from client_caller.agents.agent import Agent
from client_caller.audio import g711
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.conversation.commands import CancelReply, Command
from client_caller.conversation.events import CallEnded, Event, PartialTranscript
from client_caller.conversation.history import Entry
from client_caller.engines.protocols import Engines
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.session import CallSession
from client_caller.simulator import tones
from client_caller.simulator.caller import Caller, Part
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.leg import Leg

GREETING = " ".join(f"{' '.join(f's{sentence}w{word}' for word in range(8))}." for sentence in range(8))
"""Over 15 seconds, no word twice; spoken without pauses, so that every silence is one of the agent's making."""
EARLIEST, LATEST = 1000, 4000
"""How long the agent has talked when the sound comes, milliseconds."""
PARTIAL_AFTER = 100 * 8
"""Samples from a word's end until speech to text tells of it."""
AFTERWARDS = 2500
"""Milliseconds that the caller stays on the line behind the sound."""
_SOFT = 10 ** (-12 / 20)
_GAP = 60 * 8
"""Samples without a loud one after which the agent has become soft: longer than any mark between two words."""


@dataclass(frozen=True, slots=True)
class Sound:
    mulaw: bytes
    begins: int
    """Its first voiced sample."""
    words: tuple[tuple[int, str], ...]
    """What speech to text makes of it: the sample where each word ends, and the word."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What came of it. Milliseconds from the sound's first voiced sample, at the far end's ear."""

    yielded: bool
    ducked: float | None
    """The agent was at least 12 dB down, or silent; None if it never was."""
    silent: float | None
    """Its last sound before it was cut off; None if it was not."""
    pause: float
    """The longest silence in its words, milliseconds."""
    lost: int
    """Words of which the caller did not hear the end, before the last that they heard."""
    to_stop: float | None
    """From the first partial transcript to silence, if it was cut off."""


def disturb(model: Path, plays: Sequence[tuple[Sound, Random]]) -> list[Disturbance]:
    """Each sound in a call of its own, all at once. The same ones give the same."""

    async def run() -> list[Disturbance]:
        heartbeat = Heartbeat(VoiceBatch(model))
        beating = asyncio.create_task(heartbeat.run())
        try:
            calls = [_DisturbedCall(number, *play, heartbeat) for number, play in enumerate(plays)]
            return await asyncio.gather(*(call.run() for call in calls))
        finally:
            beating.cancel()

    return run_virtual(run())


class _Notes:
    """A keeper that remembers nothing but when the greeting was cut off, and when words came."""

    def __init__(self) -> None:
        self.cut: int | None = None
        self.words: int | None = None

    def note(self, event: Event, commands: Sequence[Command]) -> None:
        if isinstance(event, PartialTranscript) and self.words is None:
            self.words = event.at
        if CancelReply(1) in commands and not isinstance(event, CallEnded):
            self.cut = event.at

    def hear(self, mulaw: bytes, at_sample: int) -> None: ...
    def play(self, mulaw: bytes, at_sample: int) -> None: ...
    def start_recording(self, at: int) -> None: ...

    def close(self, reason: str, history: tuple[Entry, ...]) -> "Future[None]":
        done: Future[None] = Future()
        done.set_result(None)
        return done


class _DisturbedCall:
    """A caller who lets the agent talk, makes a sound, and waits. A `phone.Party`. Make it in the loop."""

    def __init__(self, number: int, sound: Sound, random: Random, heartbeat: Heartbeat) -> None:
        self._sound = sound
        self._moment = random.randrange(EARLIEST, LATEST)
        self._words = KnownWords()
        self._notes = _Notes()
        self._heartbeat = heartbeat
        self._number = number
        self._caller = Caller()
        self._caller.play(self._part())
        self._lived = 0
        self._begins = 0
        """Where the sound begins, in samples of the call."""

    def live(self, heard: bytes) -> bytes | None:
        said = self._caller.live(heard)
        self._lived += g711.FRAME
        return said

    def _part(self) -> Part:
        yield from self._caller.until_agent_talks(self._moment)
        self._begins = self._lived + self._sound.begins
        for end, word in self._sound.words:
            self._words.expect(self._lived + end + PARTIAL_AFTER, word)
        yield from self._caller.say(self._sound.mulaw)
        yield from self._caller.silence(AFTERWARDS)

    async def run(self) -> Disturbance:
        line = InProcessLine(self, StreamIdentity(f"CA{self._number}", f"MZ{self._number}"), self._open)
        await line.talk()
        await self._session.ended()
        return self._heard(bytes(line.phone.far_end.played))

    def _open(self, leg: Leg) -> CallSession:
        stt, llm, tts = EchoStt(reader=lambda: self._words), CannedModel(lambda _: "Yes."), ToneSpeech(pause=0.0)
        self._session = CallSession(
            call=Call(f"barge-in-{self._number}", f"CA{self._number}"),
            agent=Agent("Talk.", greeting=GREETING),
            engines=Engines(stt, llm, tts),
            leg=leg,
            keeper=self._notes,
            heartbeat=self._heartbeat,
        )
        return self._session

    def _heard(self, played: bytes) -> Disturbance:
        begins, cut = self._begins, self._notes.cut
        level = np.abs(g711.decode(played).astype(np.int32))
        until = len(played) if cut is None else cut * 8 + g711.FRAME
        sounds = np.flatnonzero(level[begins:until])
        silent = None if cut is None else (int(sounds[-1]) + 1 if len(sounds) else 0) / 8
        told = self._notes.words
        return Disturbance(
            yielded=cut is not None,
            ducked=_soft(level[begins:], level[:begins].max()),
            silent=silent,
            pause=0.0 if not len(sounds) else float(np.diff(sounds).max(initial=0)) / 8,
            lost=_lost(played[:until]),
            to_stop=None if silent is None or told is None else max(0.0, begins / 8 + silent - told),
        )


def _soft(level: npt.NDArray[np.int32], loudest: int) -> float | None:
    """When the last sound before a stretch that is 12 dB down was heard, milliseconds; None if there is none."""
    loud = np.append(np.flatnonzero(level > loudest * _SOFT), len(level))
    gaps = np.flatnonzero(np.diff(loud, prepend=0) > _GAP)
    if not len(gaps) or (gaps[0] == len(loud) - 1 and len(level) - loud[-2] < _GAP):
        return None
    return float(loud[gaps[0] - 1] + 1) / 8 if gaps[0] else 0.0


def _lost(played: bytes) -> int:
    words = GREETING.split()
    heard = {spelled.word for spelled in tones.read(played)} & set(words)
    last = max((place for place, word in enumerate(words) if word in heard), default=-1)
    return sum(word not in heard for word in words[: last + 1])
