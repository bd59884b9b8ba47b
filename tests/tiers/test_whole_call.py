"""Whole calls in real time with the three self-hosted servers, each a real process on tiny weights."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from typing import Any

import pytest
import soundfile

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.journal import read
from client_caller.calls.keeper import RECORDING, TRANSCRIPT_DATA, CallKeeper
from client_caller.calls.replay import replay
from client_caller.calls.store import JOURNAL, Store, database_in
from client_caller.conversation.events import ReplyText
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry
from client_caller.conversation.policy import Phrases, Policy
from client_caller.engines.csm_tts import CsmSpeech
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import Engines
from client_caller.engines.realtime_stt import RealtimeStt
from client_caller.runtime.ear import PAUSES
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.readiness import get_ready
from client_caller.runtime.session import CallSession
from client_caller.simulator.caller import Caller, Part
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.telephony.leg import Leg

for package in ("ctranslate2", "faster_whisper", "tokenizers", "torch", "transformers", "xllamacpp"):
    pytest.importorskip(package)

SERVE = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "models", "serve"]
LLAMA = Path(__file__).parents[1] / "engines" / "llama_server.py"
READY = re.compile(r"(?:Ready: )?((?:ws|http)://127\.0\.0\.1:\d+)(?:, voice ada)?")
START_PATIENCE = 50
"""Seconds for a server to start, PyTorch and all."""
THREE_SENTENCES = 'root ::= s " " s " " s\ns ::= w " " w " " w "."\nw ::= [a-z] [a-z] [a-z]?'
"""What the random model has to write, about nine seconds of speech: else it would write random bytes."""
QUIET = 700
"""Milliseconds after which the caller takes it that the agent has finished."""
FIRST, SECOND = "ah er ah", "er ah er"
"""What the caller says: the loudest words of the toy caller, for the softer ones may sink in a pause."""
SORRY, GOODBYE = "Sorry. Again please.", "Sorry. Goodbye."
PHRASES = Phrases(greeting="Hi.", trouble=SORRY, trouble_goodbye=GOODBYE, not_understood="", still_there=())
EAR_PAUSES = int(1000 * max(PAUSES))
"""Milliseconds between two tries to open speech to text."""


@dataclass
class _Running:
    process: subprocess.Popen[str]
    address: str
    drain: Thread
    """Reads what the server writes, which would stop it once the pipe is full."""


class Servers:
    """Processes by name. One that was killed is started anew, where it was, when it is asked for again."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self._commands = commands
        self._running: dict[str, _Running] = {}
        self._ports: dict[str, str] = {}

    def address(self, name: str) -> str:
        """Where the server listens, now that it can serve."""
        if name not in self._running:
            self._running[name] = self._start(name)
            self._ports[name] = self._running[name].address.rpartition(":")[2]
        return self._running[name].address

    def kill(self, name: str) -> None:
        """Without a warning; it is gone when this returns."""
        running = self._running.pop(name)
        running.process.kill()
        running.drain.join()
        running.process.communicate()

    def close(self) -> None:
        for name in list(self._running):
            self.kill(name)

    def _start(self, name: str) -> _Running:
        process = subprocess.Popen(
            [*self._commands[name], "--port", self._ports.get(name, "0")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # llama.cpp's log comes from threads of its own, in the middle of the line with the address.
            stderr=subprocess.DEVNULL if name == "llm" else subprocess.STDOUT,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},  # the work is tiny: more threads would only wait for each other
        )
        assert process.stdout is not None
        said = []
        deadline = Timer(START_PATIENCE, process.kill)
        deadline.start()
        for line in process.stdout:
            said.append(line)
            if ready := READY.fullmatch(line.strip()):
                deadline.cancel()
                drain = Thread(target=deque, args=(process.stdout, 0), daemon=True)
                drain.start()
                return _Running(process, ready[1], drain)
        deadline.cancel()
        process.communicate()
        pytest.fail(f"{name} did not start:\n{''.join(said)}")


@pytest.fixture(scope="module")
def servers(
    toy: Any, csm_directory: Path, voice_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Servers]:
    whisper = ["--model", str(toy.model), "--threads", "1", "--offline", "--slowest", "60"]
    csm = ["--weights", str(csm_directory), "--voice", str(voice_directory / "ada.toml")]
    made = Servers(
        {
            "stt": [*SERVE, "whisper", *whisper],
            "llm": [sys.executable, str(LLAMA), str(tmp_path_factory.mktemp("llama"))],
            "tts": [*SERVE, "csm", *csm, "--slots", "2", "--max-step", "60000"],
        }
    )
    yield made
    made.close()


@dataclass
class Past:
    """A call that is over."""

    reason: str
    history: tuple[Entry, ...]
    far_end: FarEnd
    folder: Path

    @property
    def caller_said(self) -> list[str]:
        return [entry.text for entry in self.history if isinstance(entry, CallerSaid)]

    @property
    def agent_said(self) -> list[AgentSaid]:
        return [entry for entry in self.history if isinstance(entry, AgentSaid)]


class Stage:
    """Where a call is made: all that `client-caller serve` has, but its sockets to the telephone network."""

    def __init__(self, servers: Servers, silero: Path, folder: Path) -> None:
        self._servers = servers
        self._silero = silero
        self._folder = folder

    async def play(self, caller: Caller, part: Part, outage: int = 60_000) -> Past:
        """One call, until everything of it is freed; `outage`: how long speech to text may be away, milliseconds."""
        engines = Engines(
            RealtimeStt(base_url=self._servers.address("stt")),
            OpenAiModel(
                base_url=f"{self._servers.address('llm')}/v1",
                model="tiny",
                temperature=0.0,
                extra_body={"grammar": THREE_SENTENCES},
            ),
            CsmSpeech(base_url=self._servers.address("tts")),
        )
        store = Store(database_in(self._folder))
        heartbeat = Heartbeat(VoiceBatch(self._silero))
        beating = asyncio.create_task(heartbeat.run())
        agent = Agent("Be kind.", phrases=PHRASES, hang_up=False, policy=Policy(outage=outage))
        call = Call("call", "CA1")
        keeper = CallKeeper(self._folder / "call", call, agent.policy, agent.phrases, "on", store)
        sessions: list[CallSession] = []
        spare = await get_ready(agent, engines)

        def shell(leg: Leg) -> CallSession:
            sessions.append(
                CallSession(
                    call=call, agent=agent, engines=engines, leg=leg, keeper=keeper, heartbeat=heartbeat, spare=spare
                )
            )
            return sessions[0]

        line = InProcessLine(caller.play(part), StreamIdentity("CA1", "MZ1"), shell)
        try:
            async with asyncio.timeout(60):
                await line.talk()
                reason = await sessions[0].ended()
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await engines.close()
            store.close()
        return Past(reason, sessions[0].conversation.history, line.phone.far_end, keeper.folder)


@pytest.fixture
def stage(servers: Servers, silero_path: Path, tmp_path: Path) -> Stage:
    return Stage(servers, silero_path, tmp_path)


async def test_a_call_with_a_barge_in(toy: Any, stage: Stage) -> None:
    """What the caller says comes in as text and the agent's text goes out as sound; where the caller cuts in, the
    history has the words that were really played."""
    caller = Caller()

    def impatient() -> Part:
        yield from caller.until_agent_finished(QUIET)
        yield from caller.say(toy.say(FIRST))
        yield from caller.until_agent_talks(4000)  # into the second sentence
        yield from caller.say(toy.say(SECOND))
        yield from caller.until_agent_talks(2000)

    past = await stage.play(caller, impatient())
    assert past.reason == "caller_hung_up"
    assert past.caller_said == [FIRST, SECOND]
    greeting, cut, _ = past.agent_said
    assert greeting.heard == "Hi."
    assert cut.cut
    assert 3 <= len(cut.heard.split()) < 9, "it was to be cut off in the middle"
    check_heard(past)
    check_kept(past)


@pytest.mark.parametrize("victim", ["stt", "llm", "tts"])
async def test_a_server_that_is_started_anew_keeps_the_call(
    toy: Any, stage: Stage, servers: Servers, victim: str
) -> None:
    """Killed in the middle of a call, and there again some seconds later: the next turn is heard and answered."""
    caller = Caller()

    def patient() -> Part:
        yield from caller.until_agent_finished(QUIET)
        servers.kill(victim)
        starting = Thread(target=servers.address, args=(victim,))
        starting.start()
        while starting.is_alive():
            yield from caller.silence(100)
        yield from caller.silence(EAR_PAUSES)
        yield from caller.say(toy.say(FIRST))
        yield from caller.until_agent_talks(2000)

    past = await stage.play(caller, patient())
    assert past.reason == "caller_hung_up"
    assert past.caller_said == [FIRST]
    greeting, answer = past.agent_said
    assert greeting.heard == "Hi."
    assert answer.heard
    assert answer.heard not in (SORRY, GOODBYE)
    check_heard(past)
    check_kept(past)


@pytest.mark.parametrize(
    ("victim", "told"),
    [("stt", [GOODBYE]), ("llm", [SORRY, SORRY, GOODBYE]), ("tts", [SORRY, SORRY, GOODBYE])],
)
async def test_a_server_that_is_killed_for_good(
    toy: Any, stage: Stage, servers: Servers, victim: str, told: list[str]
) -> None:
    """The agent says so, which needs no voice, and then ends the call itself; what was said until then is kept."""
    caller = Caller()

    def unlucky() -> Part:
        yield from caller.until_agent_finished(QUIET)
        yield from caller.say(toy.say(FIRST))
        yield from caller.until_agent_talks(100)
        servers.kill(victim)
        while True:
            yield from caller.until_agent_finished(QUIET)
            yield from caller.say(toy.say(SECOND))

    past = await stage.play(caller, unlucky(), outage=3000)
    assert past.reason == "engine_failed"
    assert past.caller_said[0] == FIRST
    greeting, _, *rest = past.agent_said
    assert greeting.heard == "Hi."
    assert [said.heard for said in rest] == told
    check_heard(past)
    check_kept(past)


def check_heard(past: Past) -> None:
    """The words that count as heard are those whose marks the far end returned because it had played them, and they
    are the beginning of what the agent had to say."""
    words = (name.split(".")[:3] for name, _ in past.far_end.returned)
    played = {tuple(word) for word in words if word[2] != "-1"}
    assert sum(len(said.heard.split()) for said in past.agent_said) == len(played)
    written: dict[int, str] = {}
    for step in read(past.folder / JOURNAL)[0].steps:
        if isinstance(step.event, ReplyText):
            written[step.event.reply] = written.get(step.event.reply, "") + step.event.text
    for said in past.agent_said:
        assert any(text.startswith(said.heard) for text in ("Hi.", SORRY, GOODBYE, *written.values()))


def check_kept(past: Past) -> None:
    """The transcript is the history, the recording has sound wherever somebody spoke, and the journal replays."""
    transcript = json.loads((past.folder / TRANSCRIPT_DATA).read_text())["entries"]
    sound, rate = soundfile.read(past.folder / RECORDING)
    for entry, written in zip(past.history, transcript, strict=True):
        assert isinstance(entry, CallerSaid | AgentSaid)
        agent = isinstance(entry, AgentSaid)
        assert written["heard" if agent else "text"] == (entry.heard if isinstance(entry, AgentSaid) else entry.text)
        assert abs(sound[entry.started * rate // 1000 : entry.ended * rate // 1000, int(agent)]).max() > 0.01
    assert replay(past.folder / JOURNAL).difference is None
