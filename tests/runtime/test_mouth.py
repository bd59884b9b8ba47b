"""The laws of the mouth: what failed is tried again or was said beforehand, what was heard is never repeated."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from client_caller.engines.protocols import CallContext, EngineError, Speech
from client_caller.runtime import mouth
from client_caller.runtime.mouth import PAUSES, QUICK, Spare
from client_caller.simulator.virtual_time import run_virtual

CLAUSE = (Speech(b"one"), Speech(b"two"))


@dataclass
class Voice:
    """Fails in its first tries: `seconds` after it was asked, and after so many pieces of the clause."""

    failures: int
    seconds: float = 0.0
    pieces: int = 0
    tries: list[float] = field(default_factory=list)
    """When each began."""
    closed: int = 0

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        self.tries.append(asyncio.get_running_loop().time())
        try:
            fails = len(self.tries) <= self.failures
            for speech in CLAUSE[: self.pieces if fails else None]:
                yield speech
            if fails:
                await asyncio.sleep(self.seconds)
                raise EngineError("tts", f"failure {len(self.tries)}")
        finally:
            self.closed += 1

    async def close(self) -> None: ...


def spoken(voice: Voice, pieces: int | None = None, spare: Spare | None = None) -> Sequence[Speech]:
    """What came of one clause, until it ended or failed, or so many pieces were taken."""
    heard: list[Speech] = []

    async def listen() -> None:
        async with aclosing(mouth.speak(voice, CallContext("call"), "One two.", spare or {})) as stream:
            async for speech in stream:
                heard.append(speech)
                if len(heard) == pieces:
                    return

    try:
        run_virtual(listen())
    finally:
        assert voice.closed == len(voice.tries)
    return heard


def test_a_voice_that_comes_back_is_heard() -> None:
    """Once, and from the beginning; the pauses between the tries become longer."""
    voice = Voice(failures=len(PAUSES))
    assert tuple(spoken(voice)) == CLAUSE
    assert voice.tries == pytest.approx([sum(PAUSES[:n]) for n in range(len(PAUSES) + 1)])


def test_a_voice_that_stays_away_is_given_up() -> None:
    """With the reason of the last try."""
    voice = Voice(failures=99)
    with pytest.raises(EngineError, match=f"failure {len(PAUSES) + 1}"):
        spoken(voice)
    assert len(voice.tries) == len(PAUSES) + 1


@pytest.mark.parametrize("spare", [{}, {"One two.": CLAUSE}])
def test_what_was_begun_is_not_repeated(spare: Spare) -> None:
    """The caller may have heard it."""
    voice = Voice(failures=1, pieces=1)
    with pytest.raises(EngineError, match="failure 1"):
        spoken(voice, spare=spare)


@pytest.mark.parametrize("seconds", [0.0, QUICK + 0.1])
def test_what_was_said_beforehand_needs_no_voice(seconds: float) -> None:
    """The voice is asked once, since it may be there; then nobody waits for it."""
    voice = Voice(failures=99, seconds=seconds)
    assert tuple(spoken(voice, spare={"One two.": CLAUSE[::-1]})) == CLAUSE[::-1]
    assert len(voice.tries) == 1
    assert tuple(spoken(Voice(failures=0), spare={"One two.": CLAUSE[::-1]})) == CLAUSE


def test_who_was_waited_for_is_not_waited_for_again() -> None:
    """An engine that needed long to fail would keep the caller waiting many times as long."""
    voice = Voice(failures=1, seconds=QUICK + 0.1)
    with pytest.raises(EngineError, match="failure 1"):
        spoken(voice)


def test_who_takes_no_more_ends_the_work() -> None:
    """Closing it closes the engine's stream."""
    assert spoken(Voice(failures=0), pieces=1) == [CLAUSE[0]]
