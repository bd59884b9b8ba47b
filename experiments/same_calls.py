"""What does a call cost the process that carries it, apart from its socket?

    python experiments/same_calls.py record FILE     # once
    python experiments/same_calls.py replay FILE     # with each version that is to be compared

`client-caller bench density` differs by a fifth from run to run on a machine that has other things to do. Here the same
120 calls are carried again: what came from their lines, and when, is recorded once, and given to the sessions on a
virtual clock. Speech detection, decisions, pacing and journals are real, the engines are the bench's doubles; there is
neither socket nor WebSocket. Printed are milliseconds of CPU per call-second (of the event loop's thread, and of the
others, which hear) and checksums of all that was sent and of all journals: versions that decide alike agree in both.
"""

import asyncio
import gc
import pickle
import random
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.store import JOURNAL, Store, database_in
from client_caller.cli.bench_density import APART
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext, Engines
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.session import CallSession
from client_caller.server.sessions import Sessions
from client_caller.simulator.caller import Caller, labelled
from client_caller.simulator.chatter import WORDS, answer, chat
from client_caller.simulator.demo import CALLER_VOICE
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.leg import Leg

CALLS = 120
RAMP = APART * CALLS + 1.0
"""Seconds until all are in the middle of their talk."""
SECONDS = 10.0
"""That are measured."""

Tape = list[tuple[float, int, str, tuple[Any, ...]]]
"""When, in which call, which method of its session, with what."""


class House:
    """What all calls share."""

    def __init__(self, folder: Path) -> None:
        self.calls = folder / "calls"
        heartbeat = Heartbeat(VoiceBatch(find(SILERO_VAD.name)))
        self.beating = asyncio.create_task(heartbeat.run())
        self._sessions = Sessions(
            agent=Agent("Chat."),
            engines=Engines(EchoStt(), CannedModel(answer), ToneSpeech()),
            heartbeat=heartbeat,
            store=Store(database_in(folder)),
            calls=self.calls,
            recording="off",
        )

    def open(self, number: int, leg: Leg) -> CallSession:
        return self._sessions.open(Call(str(number), f"CA{number}"), leg, ())


class Taped:
    """A session, of which is noted what it is told."""

    def __init__(self, session: CallSession, number: int, tape: Tape) -> None:
        self._session = session
        self._number = number
        self._tape = tape

    def begin(self) -> None:
        self._tell("begin")

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        self._tell("hear", mulaw, timestamp)

    def acknowledge(self, mark: str) -> None:
        self._tell("acknowledge", mark)

    def press(self, digit: str) -> None:
        self._tell("press", digit)

    def lose(self, reason: str) -> None:
        self._tell("lose", reason)

    def _tell(self, deed: str, *what: Any) -> None:
        self._tape.append((asyncio.get_running_loop().time(), self._number, deed, what))
        getattr(self._session, deed)(*what)


class Checksum:
    """A leg that leads nowhere."""

    def __init__(self) -> None:
        self.value = 0

    def send_audio(self, mulaw: bytes) -> None:
        self.value = zlib.crc32(mulaw, self.value)

    def send_mark(self, name: str) -> None:
        self.value = zlib.crc32(name.encode(), self.value)

    def clear(self) -> None:
        self.value = zlib.crc32(b"clear", self.value)

    def hang_up(self, reason: str) -> None:
        self.value = zlib.crc32(reason.encode(), self.value)


async def record(folder: Path, clip: bytes) -> Tape:
    house, tape, source = House(folder), Tape(), random.Random(1)

    async def call(number: int, wait: float) -> None:
        await asyncio.sleep(wait)
        caller = Caller()
        identity = StreamIdentity(f"CA{number}", f"MZ{number}")
        party = caller.play(chat(caller, clip))
        await InProcessLine(party, identity, lambda leg: Taped(house.open(number, leg), number, tape)).talk()

    calls = [asyncio.create_task(call(number, APART * (number + source.random()))) for number in range(CALLS)]
    await asyncio.sleep(RAMP + SECONDS + 1)
    told = list(tape)  # not how they are cut off
    for task in calls:
        task.cancel()
    return told


async def replay(folder: Path, tape: Tape) -> str:
    house, loop = House(folder), asyncio.get_running_loop()
    legs = [Checksum() for _ in range(CALLS)]
    sessions = [house.open(number, leg) for number, leg in enumerate(legs)]
    gc.collect()
    gc.freeze()

    async def tell() -> None:
        for at, number, deed, what in tape:
            if at > loop.time():
                await asyncio.sleep(at - loop.time())
            getattr(sessions[number], deed)(*what)

    telling = asyncio.create_task(tell())
    await asyncio.sleep(RAMP)
    everything, thread = time.process_time(), time.thread_time()
    await asyncio.sleep(SECONDS)
    everything, thread = time.process_time() - everything, time.thread_time() - thread
    await telling
    journals = 0
    for number in range(CALLS):
        _, _, events = (house.calls / str(number) / JOURNAL).read_bytes().partition(b"\n")
        journals = zlib.crc32(events, journals)
    sent = zlib.crc32(repr([leg.value for leg in legs]).encode())
    share = 1000 / CALLS / SECONDS
    return f"{thread * share:.3f} + {(everything - thread) * share:.3f} ms; sent {sent:08x}, journals {journals:08x}"


async def _clip() -> bytes:
    espeak = Espeak(voice=CALLER_VOICE)
    try:
        return labelled(b"".join([speech.mulaw async for speech in espeak.speak(CallContext("clip"), WORDS)]), WORDS)
    finally:
        await espeak.close()


def main() -> None:
    what, file = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        if what == "record":
            file.write_bytes(pickle.dumps(run_virtual(record(Path(folder), asyncio.run(_clip())))))
        else:
            print(run_virtual(replay(Path(folder), pickle.loads(file.read_bytes()))))


if __name__ == "__main__":
    main()
