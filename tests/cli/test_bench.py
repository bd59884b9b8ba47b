"""The laws of the benchmarks: what they print is what was measured, and a broken promise is an exit code."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import bench
from client_caller.cli.bench_heard import HeardBench
from client_caller.cli.main import app
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.wiretap import Judgement


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
