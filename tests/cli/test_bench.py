"""The laws of the benchmarks: what they print is what was measured, and a broken promise is an exit code."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import bench_density, density_doubles
from client_caller.cli.bench_density import Density, DensityBench, word_lengths
from client_caller.cli.cores import apart
from client_caller.cli.loop_watch import LATE, LongestWait, LoopWatch, measure
from client_caller.cli.main import app
from client_caller.conversation.history import Message
from client_caller.engines.protocols import CallContext
from client_caller.simulator import chatter, tones
from client_caller.simulator.engines import CannedModel, ToneSpeech
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.twilio_stream import TwilioStream


def test_density_measures_real_calls(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three calls through the real server: each figure is there and possible, as one JSON object."""
    monkeypatch.setattr(bench_density, "SHORT", 1.0)
    monkeypatch.setattr(bench_density, "SETTLE", 0.3)
    monkeypatch.setattr(bench_density, "OPENINGS", 3)
    result = CliRunner().invoke(app, ["bench", "density", "--calls", "3", "--seconds", "2", "--json"])
    assert result.exit_code == 0, result.output
    figures = Density(**json.loads(result.stdout.splitlines()[-1]))
    assert (figures.calls, figures.seconds) == (3, 2)
    assert 0.1 < figures.cpu_ms_per_call_second < 700
    assert 0 < figures.doubles_ms_per_call_second < 700
    assert 0 < figures.callers_busy < 2
    assert 0 < figures.wait_ms < 1000
    assert 0 < figures.opening_wait_ms < 1000
    assert 0 <= figures.late <= figures.beats
    assert figures.own_late >= 0
    assert 20 < figures.beats <= 110
    assert figures.words > 10
    assert 0 <= figures.torn <= figures.words


def test_calls_that_fail_make_no_figures(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server turns callers away, that is the result."""

    async def turned_away(bench: DensityBench) -> Density:
        raise bench_density.Disturbed("A call ended too early: rejected")

    monkeypatch.setattr(DensityBench, "run", turned_away)
    result = CliRunner().invoke(app, ["bench", "density"])
    assert (result.exit_code, "ended too early" in result.output) == (1, True)


def test_late_frames_are_told_by_whose_fault_they_were(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late beat makes one frame late in every call; what the machine held up is told apart and explained."""

    async def measured(bench: DensityBench) -> Density:
        return Density(
            calls=50,
            seconds=60.0,
            cpu_ms_per_call_second=3.0,
            doubles_ms_per_call_second=0.25,
            mb_per_call=0.5,
            mb_kept=2.0,
            mb_growth=0.25,
            beats=3000,
            late=7,
            own_late=2,
            bare_late=1,
            callers_late=1,
            callers_busy=0.5,
            wait_ms=3.0,
            opening_wait_ms=4.5,
            words=9,
            torn=2,
        )

    monkeypatch.setattr(DensityBench, "run", measured)
    output = CliRunner().invoke(app, ["bench", "density"]).output
    assert output.splitlines()[-1] == "Late frames of our own making: 100."
    assert "3.00 ms of CPU per call-second, with the engines' doubles, which take 0.25 by themselves" in output
    assert "50% of a core was what the callers took; 1 of their beats were late" in output
    assert "4.5 ms was the longest that anything waited" in output
    assert "+2.0 MB after the calls had ended; +0.2 MB more" in output
    assert "this machine was too busy" in output


async def test_whose_fault_a_late_beat_is() -> None:
    """Computing between two beats shows in the CPU that the late one is told of; being held up does not."""
    told: list[tuple[float, float]] = []
    watch = LoopWatch(lambda late, cpu: told.append((late, cpu)))
    beating = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    began = time.process_time()
    while time.process_time() - began < 0.08:
        pass
    await asyncio.sleep(0.01)
    computed = list(told)
    time.sleep(0.08)  # noqa: ASYNC251 - the loop is to be held up
    await asyncio.sleep(0.01)
    beating.cancel()
    held_up = told[len(computed) :]
    assert watch.beats == len(told)
    assert watch.late == sum(late > LATE for late, _ in told) >= 2
    assert max(cpu for _, cpu in computed) >= 0.07
    assert max(cpu for _, cpu in held_up) < 0.06


async def test_only_our_own_computing_makes_a_wait() -> None:
    """The longest wait is as long as we computed; that the machine held us up does not count, nor what comes later."""
    longest = LongestWait()
    await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - the loop is to be held up
    await asyncio.sleep(0.01)
    held_up = longest.seconds
    began = time.process_time()
    while time.process_time() - began < 0.08:
        pass
    await asyncio.sleep(0.01)
    longest.stop()
    computed = longest.seconds
    while time.process_time() - began < 0.3:
        pass
    await asyncio.sleep(0.01)
    assert held_up < 0.06 < 0.07 <= longest.seconds == computed


def test_the_doubles_work_as_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every caller's talk is heard to its end and answered, once in each of its rounds."""
    asked: list[int] = []

    def answer(messages: Sequence[Message]) -> str:
        asked.append(len(messages))
        return chatter.answer(messages)

    monkeypatch.setattr(density_doubles, "_MODEL", CannedModel(answer))
    words = b"".join(tones.spell(word, 2000) for word in ("one", "two", "three"))
    assert run_virtual(density_doubles.cost(4, 30.0, words)) > 0
    answered = b"".join(tones.spell(word, ToneSpeech().samples(word)) for word in chatter.answer(()).split())
    rounds = (density_doubles.SETTLE + 30.0) / ((len(words) + len(answered)) / 8000 + chatter.PAUSE / 1000 + 1)
    assert 4 * (rounds - 1) <= len(asked) <= 4 * (rounds + 1)


def test_a_measured_server_has_a_core_to_itself() -> None:
    """We are on none of its cores while it is measured, and where we were before it afterwards."""
    before = os.sched_getaffinity(0)
    if len(before) < 2:
        pytest.skip("this machine has one core")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        with apart(server.pid):
            assert len(os.sched_getaffinity(server.pid)) == 1
            assert os.sched_getaffinity(0) == before - os.sched_getaffinity(server.pid)
        assert os.sched_getaffinity(0) == before
        server.communicate(b"\n")


def test_a_hole_in_a_word_is_seen() -> None:
    """Words that were played without a break have their nominal length; a word whose audio came too late has not."""

    async def words() -> list[bytes]:
        return [speech.mulaw async for speech in ToneSpeech().speak(CallContext("call"), "one two")]

    one, two = run_virtual(words())
    stream = TwilioStream()
    far_end = FarEnd(StreamIdentity("CA1", "MZ1"), opened=0.0)
    for frame in far_end.opening():
        stream.receive(frame)
    far_end.receive(stream.media(one + two[:500]), 0.0)
    far_end.receive(stream.media(two[500:]), (len(one) + 500) / 8000 + 0.1)
    far_end.advance(10.0)
    (played, nominal), (torn, should) = word_lengths(far_end)
    assert played == nominal
    assert torn == should + 800


def test_the_bare_loop_counts_its_beats() -> None:
    """Fifty beats a second, none late in virtual time."""
    watch: LoopWatch = run_virtual(measure(2.01))
    assert (watch.beats, watch.late) == (100, 0)
