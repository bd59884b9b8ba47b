"""The laws of the benchmarks: what they print is what was measured, and a broken promise is an exit code."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import bench_density
from client_caller.cli.bench_density import Density, DensityBench, word_lengths
from client_caller.cli.loop_watch import LoopWatch, measure
from client_caller.cli.main import app
from client_caller.engines.protocols import CallContext
from client_caller.simulator.engines import ToneSpeech
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.twilio_stream import TwilioStream


def test_density_measures_real_calls(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three calls through the real server: each figure is there and possible, as one JSON object."""
    monkeypatch.setattr(bench_density, "SHORT", 1.0)
    monkeypatch.setattr(bench_density, "RAMP", 0.2)
    result = CliRunner().invoke(app, ["bench", "density", "--calls", "3", "--seconds", "2", "--json"])
    assert result.exit_code == 0, result.output
    figures = Density(**json.loads(result.stdout.splitlines()[-1]))
    assert (figures.calls, figures.seconds) == (3, 2)
    assert 0.1 < figures.cpu_ms_per_call_second < 700
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
            50, 60.0, 3.0, 0.5, 2.0, 0.25, 3000, late=7, own_late=2, bare_late=1, callers_late=1, words=9, torn=2
        )

    monkeypatch.setattr(DensityBench, "run", measured)
    output = CliRunner().invoke(app, ["bench", "density"]).output
    assert output.splitlines()[-1] == "Late frames of our own making: 100."
    assert "+2.0 MB after the calls had ended; +0.2 MB more" in output
    assert "this machine was too busy" in output


async def test_whose_fault_a_late_beat_is() -> None:
    """Computing between two beats shows in the CPU that the late one is told of; being held up does not."""
    told: list[float] = []
    watch = LoopWatch(told.append)
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
    assert watch.late == len(told) >= 2
    assert max(computed) >= 0.07
    assert max(held_up) < 0.06


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
