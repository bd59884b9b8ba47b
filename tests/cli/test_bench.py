"""The laws of the benchmarks: what they print is what was measured, and a broken promise is an exit code."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import bench, bench_density
from client_caller.cli.bench_density import Density, DensityBench, word_lengths
from client_caller.cli.bench_heard import HeardBench
from client_caller.cli.loop_watch import LoopWatch, measure
from client_caller.cli.main import app
from client_caller.engines.protocols import CallContext
from client_caller.simulator.engines import ToneSpeech
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.simulator.wiretap import Judgement
from client_caller.telephony.twilio_stream import TwilioStream


def test_the_same_seed_gives_the_same_calls(silero_path: Path, tmp_path: Path) -> None:
    """Two runs of the same bench take the same decisions word for word; another seed cuts in elsewhere."""
    line = Impairments(delay=0.03, jitter=0.02)
    first, again, other = (
        HeardBench(2, 2, seed, line, silero_path, tmp_path / str(run)).run() for run, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert first != other
    assert all(one.exact and one.interruptions >= 2 for one in (*first, *other))


def test_heard_prints_the_one_figure(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line gets a row, and the last line says in how many calls the history was right."""
    monkeypatch.setattr(bench, "LINES", {"perfect": PERFECT})
    result = CliRunner().invoke(app, ["bench", "heard", "--calls", "2", "--interruptions", "1"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "History equals heard text, word for word: 2 of 2 calls."


RIGHT = Judgement(3, ("one", "two"), 1, ("one",), ("one",))
WRONG = Judgement(3, ("one", "two"), 0, ("one", "two"), ("one",))
UNINTERRUPTED = Judgement(0, ("one",), 0, ("one",), ("one",))


@pytest.mark.parametrize(
    ("judgement", "code", "says"),
    [
        (RIGHT, 0, "2 of 2 calls"),
        (WRONG, 1, "0 of 2 calls"),
        (UNINTERRUPTED, 1, "In 2 calls the agent was interrupted less than 3 times."),
    ],
)
def test_a_difference_is_an_exit_code(
    silero_path: Path, monkeypatch: pytest.MonkeyPatch, judgement: Judgement, code: int, says: str
) -> None:
    """A history that differs fails the run, and so do calls that were not interrupted as often as asked."""
    monkeypatch.setattr(bench, "LINES", {"one": PERFECT, "two": PERFECT})
    monkeypatch.setattr(HeardBench, "run", lambda self: [judgement])
    result = CliRunner().invoke(app, ["bench", "heard", "--interruptions", "3"])
    assert result.exit_code == code
    assert says in result.output


def test_a_missing_model_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the voice activity model nothing is measured; the error names the command that fetches it."""
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    result = CliRunner().invoke(app, ["bench", "heard"])
    assert result.exit_code == 1
    assert "client-caller models pull" in result.output


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
