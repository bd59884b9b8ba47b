"""The laws of `bench heard`: it prints what was measured, and one word that nobody heard is an exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import bench_heard
from client_caller.cli.cut_judge import Tally
from client_caller.cli.cuts_bench import LINES, CutsBench
from client_caller.cli.heard_bench import HeardBench
from client_caller.cli.main import app
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.wiretap import Judgement


def test_the_same_seed_gives_the_same_calls(silero_path: Path, tmp_path: Path) -> None:
    """Two runs of the same bench take the same decisions word for word; another seed cuts in elsewhere."""
    line = Impairments(delay=0.06, jitter=0.03)
    first, again, other = (
        HeardBench(2, 2, seed, line, silero_path, tmp_path / str(run)).run() for run, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert first != other
    assert all(one.exact and one.interruptions >= 2 for one in (*first, *other))
    in_time, known = (sum(map(len, ones)) for ones in zip(*((one.expected, one.history) for one in first), strict=True))
    assert known > in_time, "what is proven late gets into the history"


def test_heard_prints_the_one_figure(silero_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line gets a row, and the last line says in how many calls the history was right."""
    monkeypatch.setattr(bench_heard, "LINES", {"perfect": PERFECT})
    result = CliRunner().invoke(app, ["bench", "heard", "--calls", "2", "--interruptions", "1", "--cuts", "0"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == "All that was proven, and nothing that was not played: 2 of 2 calls."


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
    monkeypatch.setattr(bench_heard, "LINES", {"one": PERFECT, "two": PERFECT})
    monkeypatch.setattr(HeardBench, "run", lambda self: [judgement])
    result = CliRunner().invoke(app, ["bench", "heard", "--interruptions", "3", "--cuts", "0"])
    assert result.exit_code == code
    assert says in result.output


def test_a_missing_model_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the voice activity model nothing is measured; the error names the command that fetches it."""
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    result = CliRunner().invoke(app, ["bench", "heard"])
    assert result.exit_code == 1
    assert "client-caller models pull" in result.output


def test_cuts_are_shared_out_over_the_lines_and_the_cores() -> None:
    """Every line gets its calls, whoever makes them; what is told adds up."""
    told: list[int] = []
    tallies = CutsBench(300, seed=1).run(told.append)
    assert list(tallies) == [line.name for line in LINES]
    assert sum(told) == sum(of.cuts for of in tallies.values()) >= 300
    assert len(told) == 6
    assert tallies[LINES[0].name].cuts >= 100
    assert all(of.cuts == sum(of.missing.values()) for of in tallies.values())


@pytest.mark.parametrize(
    ("tally", "code"),
    [
        (Tally(9, 40, 0, {0: 4, 1: 4, 3: 1}, on_its_way=6, lost=1), 0),
        (Tally(9, 40, 1, {0: 9}), 1),
        (Tally(9, 40, 0, {0: 8, 1: 1}, unexplained=1), 1),
    ],
)
def test_a_word_too_many_is_an_exit_code(
    silero_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Tally, code: int
) -> None:
    """So is one that is missing without a reason; those whose proof was on its way are counted and allowed."""
    monkeypatch.setattr(bench_heard, "LINES", {"one": PERFECT})
    monkeypatch.setattr(HeardBench, "run", lambda self: [RIGHT])
    monkeypatch.setattr(CutsBench, "run", lambda self, tell: {"a line": tally})
    shown = CliRunner().invoke(app, ["bench", "heard", "--interruptions", "3"])
    assert shown.exit_code == code
    assert shown.output.splitlines()[-1] == f"Words in a history that were not heard: {tally.extra} in 9 cuts."
    found = json.loads(CliRunner().invoke(app, ["bench", "heard", "--interruptions", "3", "--json"]).stdout)
    assert found["cuts"]["a line"]["missing"] == {str(words): cuts for words, cuts in tally.missing.items()}
    assert found["calls"]["one"]["played"] == 2
