"""A whole call in real time: our shell, our driver, our server and engine. Only ears and thoughts are doubles."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from client_caller.agents.agent import Agent  # noqa: E402
from client_caller.audio.silero import Floats  # noqa: E402
from client_caller.audio.voices import VoiceBatch  # noqa: E402
from client_caller.calls.call import Call  # noqa: E402
from client_caller.conversation.commands import Command  # noqa: E402
from client_caller.conversation.events import Event  # noqa: E402
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, Message  # noqa: E402
from client_caller.engines.csm_tts import CsmSpeech  # noqa: E402
from client_caller.engines.protocols import Engines  # noqa: E402
from client_caller.models.csm.loop import Loop  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402
from client_caller.runtime.heartbeat import Heartbeat  # noqa: E402
from client_caller.runtime.session import CallSession  # noqa: E402
from client_caller.simulator import tones  # noqa: E402
from client_caller.simulator.caller import Caller, Part  # noqa: E402
from client_caller.simulator.engines import CannedModel, EchoStt  # noqa: E402
from client_caller.simulator.in_process import InProcessLine  # noqa: E402
from client_caller.simulator.network import StreamIdentity  # noqa: E402


class Loudness:
    """Speech is what is loud: for a caller who speaks in tones."""

    def __init__(self, _: Path) -> None:
        pass

    def run(self, windows: Floats, state: Floats) -> tuple[Floats, Floats]:
        loud = np.sqrt(np.mean(windows**2, axis=1)) > 0.01
        return np.where(loud, 0.95, 0.02).astype(np.float32), state


class Nothing:
    """A keeper that keeps nothing."""

    def note(self, event: Event, commands: Sequence[Command]) -> None: ...
    def hear(self, mulaw: bytes, at_sample: int) -> None: ...
    def play(self, mulaw: bytes, at_sample: int) -> None: ...
    def start_recording(self, at: int) -> None: ...

    def close(self, reason: str, history: tuple[Entry, ...]) -> "Future[None]":
        done: Future[None] = Future()
        done.set_result(None)
        return done


def words(text: str) -> bytes:
    """A caller's words as tones of 300 ms each."""
    return b"".join(tones.spell(word, 2400) + b"\xff" * 320 for word in text.split())


def answer(messages: Sequence[Message]) -> str:
    asked = messages[-1].content
    return "One two. Three four. Five six seven eight." if asked.startswith("count") else "Sorry."


def remembered(loop: Loop, weights: Weights) -> list[str]:
    """What the server's memory of the one call holds, as text."""
    (talker,) = loop._talkers.values()
    said = [weights.tokenizer.decode(list(piece.tokens[1:-1])) for piece in talker._memory._pieces]
    return [text.partition("]")[2] for text in said]  # behind the number of who speaks


async def test_the_voices_memory_is_what_was_heard(
    address: str, loop: Loop, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller asks, cuts the answer off, is answered and hangs up: what the voice then remembers, down to the word at
    which it was cut off, is what the history says was heard; and the server's slot is free again."""
    monkeypatch.setattr("client_caller.audio.voices.Silero", Loudness)
    memory: list[str] = []

    def impatient(caller: Caller) -> Part:
        yield from caller.until_agent_finished(700)
        yield from caller.say(words("count for me"))
        yield from caller.until_agent_talks(6500)  # into the third clause
        yield from caller.say(words("stop that please"))
        caller.ear.listen_anew()
        yield from caller.until_agent_finished(700)
        memory.extend(remembered(loop, weights))

    engines = Engines(EchoStt(), CannedModel(answer), CsmSpeech(base_url=f"http://{address}"))
    heartbeat = Heartbeat(VoiceBatch(Path("unused")))
    beating = asyncio.create_task(heartbeat.run())
    sessions: list[CallSession] = []

    def shell(leg: object) -> CallSession:
        call, agent = Call("call", "CA1"), Agent("Be kind.", greeting="Hi.")
        sessions.append(
            CallSession(call=call, agent=agent, engines=engines, leg=leg, keeper=Nothing(), heartbeat=heartbeat)  # type: ignore[arg-type]
        )
        return sessions[0]

    caller = Caller()
    line = InProcessLine(caller.play(impatient(caller)), StreamIdentity("CA1", "MZ1"), shell)
    async with asyncio.timeout(60):
        await line.talk()
        await sessions[0].ended()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await engines.close()

    history = sessions[0].conversation.history
    (cut,) = [entry for entry in history if isinstance(entry, AgentSaid) and entry.cut]
    assert 4 < len(cut.heard.split()) < 8, "it was to be cut off in the middle of a clause"
    assert [said for entry in history for said in said_in(entry)] == " ".join(memory).split()
    assert loop.calls == 0


def said_in(entry: Entry) -> list[str]:
    """The words of an entry, as far as they were heard."""
    if isinstance(entry, AgentSaid):
        return entry.heard.split()
    return entry.text.split() if isinstance(entry, CallerSaid) else []
