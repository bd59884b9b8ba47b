"""The laws of the heartbeat: one absolute schedule for all calls, and every window to the call that it belongs to."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from client_caller.audio.voices import VoiceBatch
from client_caller.runtime.heartbeat import IN_LOOP, PERIOD, Heartbeat
from client_caller.simulator.virtual_time import run_virtual

if TYPE_CHECKING:
    from .conftest import Stage

LOUD = b"\x80\x00" * 128
WINDOW = 256


@dataclass
class Call:
    """Notes each beat's time and each window."""

    beats: list[float] = field(default_factory=list)
    windows: list[tuple[int, float]] = field(default_factory=list)

    def beat(self) -> None:
        self.beats.append(asyncio.get_running_loop().time())

    def voice(self, samples_through: int, probability: float, level: float) -> None:
        self.windows.append((samples_through, probability))


@pytest.mark.parametrize("calls", [1, IN_LOOP, IN_LOOP + 1, 3 * IN_LOOP])
def test_each_call_hears_its_own_windows(stage: "Stage", calls: int) -> None:
    """In the loop or in a thread: every window is judged once, in order, for the call that spoke."""

    async def run() -> list[Call]:
        heartbeat = Heartbeat(VoiceBatch(Path("unused")))
        everyone = [Call() for _ in range(calls)]
        voices = [heartbeat.join(call) for call in everyone]
        beating = asyncio.create_task(heartbeat.run())
        for _ in range(10):
            for number, voice in enumerate(voices):
                voice.feed(LOUD if number % 2 else b"\xff" * WINDOW)
            await asyncio.sleep(0.04)
        await asyncio.sleep(0.2)
        beating.cancel()
        return everyone

    for number, call in enumerate(run_virtual(run())):
        assert [through for through, _ in call.windows] == [WINDOW * (n + 1) for n in range(10)]
        assert all((p > 0.5) == bool(number % 2) for _, p in call.windows)


def test_the_schedule_is_absolute(stage: "Stage") -> None:
    """Beats come every 20 ms of the clock, however long the work in one of them took."""

    async def run() -> Call:
        heartbeat = Heartbeat(VoiceBatch(Path("unused")))
        call = Call()
        heartbeat.join(call)
        beating = asyncio.create_task(heartbeat.run())
        await asyncio.sleep(1.001)
        beating.cancel()
        return call

    beats = run_virtual(run()).beats
    assert beats == pytest.approx([PERIOD * n for n in range(1, 51)])


def test_lateness_is_told_and_not_carried_on(stage: "Stage") -> None:
    """A process that was stopped for a while is told how late it is, and beats on from now instead of catching up."""
    late: list[float] = []

    async def run() -> Call:
        heartbeat = Heartbeat(VoiceBatch(Path("unused")), late.append)
        call = Call()
        heartbeat.join(call)
        beating = asyncio.create_task(heartbeat.run())
        await asyncio.sleep(0.1)
        loop = asyncio.get_running_loop()
        loop._now += 5.0  # type: ignore[attr-defined]  # the machine slept
        await asyncio.sleep(0.1)
        beating.cancel()
        return call

    call = run_virtual(run())
    assert max(late) == pytest.approx(5.0, abs=0.02)
    assert len(call.beats) <= 11


def test_no_call_no_beat(stage: "Stage") -> None:
    """An idle process does not wake up fifty times a second; a call that joins later is heard at once."""

    async def run() -> tuple[int, int]:
        late: list[float] = []
        heartbeat = Heartbeat(VoiceBatch(Path("unused")), late.append)
        beating = asyncio.create_task(heartbeat.run())
        await asyncio.sleep(10)
        idle = len(late)
        voice = heartbeat.join(Call())
        await asyncio.sleep(0.1)
        assert len(heartbeat) == 1
        heartbeat.leave(voice)
        await asyncio.sleep(10)
        beating.cancel()
        return idle, len(late)

    idle, all_in_all = run_virtual(run())
    assert idle == 0
    assert all_in_all <= 6


def test_a_call_that_has_left_hears_nothing_more(stage: "Stage") -> None:
    """A call may end in the middle of a beat: it is told nothing more, and the others hear on."""

    async def run() -> tuple[Call, Call]:
        heartbeat = Heartbeat(VoiceBatch(Path("unused")))
        gone, others = Call(), [Call() for _ in range(IN_LOOP + 4)]
        leaving = heartbeat.join(gone)
        staying = [heartbeat.join(call) for call in others]
        for voice in [leaving, *staying]:
            voice.feed(LOUD)
        beating = asyncio.create_task(heartbeat.run())
        others[0].beat = lambda: heartbeat.leave(leaving)  # type: ignore[method-assign]
        await asyncio.sleep(0.2)
        beating.cancel()
        return gone, others[0]

    gone, stayed = run_virtual(run())
    assert gone.windows == []
    assert len(stayed.windows) == 1
