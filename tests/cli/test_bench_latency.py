"""The laws of `bench latency`: it runs, its figures fit together, and a known delay reads true."""

import asyncio
import io
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median

import pytest
from rich.console import Console
from typer.testing import CliRunner

from client_caller.cli import bench_latency, latency_bench
from client_caller.cli.bench_latency import show, summary
from client_caller.cli.latency_bench import LONG_ENOUGH, Figures
from client_caller.cli.latency_figures import Answer, Disturbance, answers
from client_caller.cli.latency_target import Delays, NotMeasured, target
from client_caller.cli.main import app
from client_caller.simulator import examiner
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.examiner import Examiner
from client_caller.simulator.provider import Provider
from client_caller.simulator.utterances import Repertoire, recorded


@pytest.fixture
def brief(audio: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody says more than has to be heard: a call takes as long as its words."""
    whole = recorded(audio)
    short = sorted(whole.sentences, key=lambda one: len(one.clip))
    sentences = tuple(one for one in short if one.ends - one.begins >= LONG_ENOUGH)[:2]
    monkeypatch.setattr(bench_latency, "recorded", lambda folder: Repertoire(sentences, whole.backchannels[:1]))
    monkeypatch.setattr(latency_bench, "SHORT_REPLY", "Yes of course, fine.")
    monkeypatch.setattr(latency_bench, "LONG_REPLY", "Yes of course, that is fine. What else can I do?")
    monkeypatch.setattr(examiner, "CUT_IN", (400, 600))
    return audio


def test_the_figures_fit_together(silero_path: Path, brief: Path) -> None:
    """Two questions, a backchannel and an interruption to a real server, in real time: each question is answered, the
    ledger's shares sum to its own figure, the two differ by what the ears took for the end of speech, and no answer
    comes before the silence that the policy asks for, or before the model could give it.
    """
    arguments = ["bench", "latency", "--turns", "2", "--interruptions", "1", "--audio", str(brief), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert len(figures["answers"]) >= 2
    for answer in figures["answers"]:
        assert answer["ledger"] is not None
        assert sum(answer["shares"].values()) == answer["ledger"]
        assert answer["wire"] >= answer["speech_end"] + answer["shares"]["turn over"]
        assert answer["wire"] >= 1000 * (figures["delays"]["first_token"] + figures["delays"]["first_byte"])
        if answer["punctual"]:
            assert answer["wire"] - answer["ledger"] == pytest.approx(answer["speech_end"], abs=20)
    (interruption,) = figures["interruptions"]
    assert interruption["cut"]
    assert 0 < interruption["clear"] <= interruption["silent"], "softer first, then silent"
    assert len(figures["backchannels"]) == 1
    assert "Python" in figures["machine"]


@asynccontextmanager
async def answering_after(delay: int) -> AsyncIterator[str]:
    """A server in a process of its own that answers so many milliseconds after the last voiced sample."""
    program = Path(__file__).with_name("known_delay_server.py")
    process = await asyncio.create_subprocess_exec(sys.executable, str(program), str(delay), stdout=PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/voice"
    finally:
        process.terminate()
        await process.communicate()


async def test_a_known_delay_reads_true_to_10_ms(audio: Path) -> None:
    """Measured by everything that measures the agent: caller, wire and figures; with a person's voice.

    The median is what has to be true: single readings are not, on a machine that runs other tests beside this one.
    """
    utterance = next(one for one in recorded(audio).sentences if one.name == "u02_mountain_view")
    async with answering_after(150) as url:
        caller = Examiner(KnownWords(), lambda said: None, Random(1))
        record = await Provider(url).call(caller.ask([utterance] * 3))
    read = [one.wire for one in answers(caller.said, record.streams[0], NoLedger()) if one.wire is not None]
    assert len(read) >= 3
    assert median(read) == pytest.approx(150, abs=10)


class NoLedger:
    """Of a server that knows nothing of it."""

    def turn(self, first_sound: int) -> None:
        return None

    def cut(self, begins: int, ends: int) -> bool:
        return False


ANSWER = Answer(
    utterance="a question",
    wire=345.0,
    spoke_over=False,
    late=1.0,
    punctual=True,
    ledger=300,
    speech_end=44.0,
    reached={"turn over": 340.0},
    shares={"turn over": 300},
    clause_complete=None,
)


def disturbance(clear: float | None, *, cut: bool) -> Disturbance:
    silent = 3000.0 if clear is None else clear - 10
    return Disturbance("words", length=900, clear=clear, silent=silent, cut=cut, late=1, punctual=True)


def test_what_is_not_believed_is_not_counted() -> None:
    """Turns that our own lateness spoilt, and those without an answer, are shown, and left out of every figure."""
    figures = Figures(
        (ANSWER, replace(ANSWER, wire=999.0, punctual=False), replace(ANSWER, wire=None, spoke_over=True)),
        (disturbance(410, cut=True), disturbance(None, cut=False)),
        (disturbance(410, cut=True), disturbance(410, cut=False), disturbance(None, cut=False)),
    )
    assert summary(figures) == [
        "Voice to voice at the wire: P50 345, P95 345, max 345 ms in 1 turns.",
        "Left out: 1 turns in which our own frames were late.",
        "In 1 turns the agent spoke too early, or not at all.",
        "Barge-in: yielded 1 of 2 times; to clear P50 410, P95 410, max 410 ms, "
        "to silence P50 400, P95 400, max 400 ms.",
        "Backchannels: 1 of 3 cut the reply off, 1 disturbed it.",
    ]
    console = Console(record=True, width=100, file=io.StringIO())
    show(figures, "some machine", console)
    shown = console.export_text()
    assert "spoke over" in shown
    assert "left out" in shown
    assert shown.rstrip().endswith("some machine")


async def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's own words are what the person sees."""
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    with pytest.raises(NotMeasured, match="client-caller models pull"):
        async with target(tmp_path, Delays()):
            pass


def test_a_folder_without_recordings_is_one_line(tmp_path: Path, silero_path: Path) -> None:
    """What can't be measured with is refused before anything is started."""
    result = CliRunner().invoke(app, ["bench", "latency", "--audio", str(tmp_path)])
    assert result.exit_code == 1
    assert "manifest.json" in result.output
