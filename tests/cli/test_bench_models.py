"""The laws of `bench models`: how soon servers tell what they heard, and how soon they answer.

Here the servers are doubles behind real sockets; tests/tiers has the real ones, on tiny weights.
"""

import asyncio
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console
from typer.testing import CliRunner, Result

from client_caller.audio.g711 import SAMPLE_RATE, SILENCE
from client_caller.cli import bench_hearing, bench_llm, bench_whisper, hearing_bench, llm_bench
from client_caller.cli.hearing_bench import files
from client_caller.cli.hearing_figures import Figures, Notes, Recording, Shown, Told, Word
from client_caller.cli.llm_bench import Load
from client_caller.cli.main import app
from client_caller.cli.spread import Spread
from client_caller.cli.together import together
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import EngineError
from client_caller.engines.realtime_stt import RealtimeStt
from client_caller.engines.realtime_wire import RealtimeTranscription
from client_caller.simulator import tones
from client_caller.simulator.clips import UnreadableRecording, load
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply
from client_caller.simulator.doubles.realtime_stt import Behaviour, RealtimeDouble

SPOKEN = SILENCE * 800 + tones.spell("one", 1200) + tones.spell("two", 1200) + SILENCE * 400
RECORDING = Recording(SPOKEN, 800, 3200)


async def bench(*arguments: str) -> Result:
    """The command, in a thread of its own: the double lives in this one's loop."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["bench", "models", *arguments])


def nowhere() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def shown(table: object) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


# ---------------------------------------------------------------- figures


def test_percentiles_are_times_that_were_measured() -> None:
    """By nearest rank, whatever the order; of nothing there are none."""
    assert Spread.of([30.0, 10.0, 20.0, 40.0]) == Spread(4, 20.0, 40.0, 40.0)
    assert Spread.of([]) is None


def test_how_late_words_are() -> None:
    """From a word's end in the call's audio to the first message with so many words; what never came is no time."""
    notes = Notes()
    told = Told("transcription.done", text=" a b c", words=[Word(1.2), Word(1.6), Word(None)])
    messages = [Shown(0.1, 0, 0), Shown(0.3, 0, 1), Shown(0.9, 1, 2)]
    notes.take(Recording(b"", 800, 6400), SAMPLE_RATE, messages, told)
    figures = notes.figures(calls=1, recordings=1)
    assert figures.words == 3
    assert notes.first_guess == pytest.approx([200])
    assert notes.guessed == pytest.approx([100, 300])
    assert notes.certain == pytest.approx([700])
    assert (figures.after_speech, figures.sent_late) == (None, None)


def test_the_tables_show_what_was_measured() -> None:
    """A figure that a server gave no means for has no row, and no cell."""
    spread = Spread(7, 12.4, 80.0, 99.0)
    heard = Figures(4, 6, 36, spread, None, None, spread, spread, spread)
    table = shown(bench_hearing.table(heard))
    assert "4 calls, 6 recordings each, 36 words" in table
    assert table.count("12") == 4
    assert "certain" not in table
    table = shown(bench_llm.table("m", [Load(2, spread, None, spread, spread, Spread(2, 33.3, 40, 40))]))
    assert table.count("12 / 80") == 3
    assert " 33 " in table


async def test_work_at_once_ends_together() -> None:
    """The first error is raised as it is, and nothing goes on behind it."""
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def failing() -> None:
        await asyncio.sleep(0)
        raise EngineError("llm", "no")

    with pytest.raises(EngineError):
        await together([forever(), failing()])
    assert ended.is_set()


@pytest.mark.parametrize("text", ["", "0,1", "one", "1,,2"])
def test_numbers_of_calls(text: str) -> None:
    """What is no list of them is said to be none, before anything is measured."""
    done = CliRunner().invoke(app, ["bench", "models", "llm", "--model", "m", "--calls", text])
    assert done.exit_code == 2
    assert "1,2,4,8" in done.output


# ---------------------------------------------------------------- hearing


async def measure(base_url: str, recordings: Sequence[Recording], calls: int) -> tuple[Figures, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    figures = await hearing_bench.measure(
        RealtimeStt(base_url=base_url),
        lambda: RealtimeTranscription("m", "en", ()),
        recordings,
        calls,
        lambda done, total: told.append((done, total)),
    )
    return figures, told


@pytest.mark.parametrize("vllm", [False, True], ids=["ours", "vllm"])
async def test_every_call_plays_every_recording(vllm: bool) -> None:
    """Two calls with two recordings each: their words, one figure for each, and the audio whole at the server; vLLM's
    tells no word times, so there is nothing to say of single words."""
    double = RealtimeDouble()
    double.behaviours.extend([Behaviour(vllm=vllm)] * 2)
    other = Recording(SPOKEN + SILENCE * 160, 800, 3200)
    async with double.serving() as url:
        figures, told = await measure(url, [RECORDING, other], 2)
    assert (figures.calls, figures.recordings, figures.words) == (2, 2, 8)
    assert told == [(done, 4) for done in range(1, 5)]
    for spread in (figures.first_guess, figures.after_speech, figures.after_request):
        assert spread is not None
        assert spread.count == 4
    assert (figures.guessed is None) == (figures.certain is None) == vllm
    assert all(len(connection.audio) == len(SPOKEN + other.mulaw) for connection in double.connections)
    assert {connection.update["language"] for connection in double.connections} == {"en"}


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(deaf=True), "no final words within"),
        (Behaviour(break_after=0.1), "broke the connection"),
        (Behaviour(send_first=['{"type":"error","error":"The model `m` does not exist"}']), "`m` does not exist"),
        (Behaviour(refuse=503), "all the calls that it can bear"),
    ],
)
async def test_a_server_that_fails(behaviour: Behaviour, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is said in words, with what it said itself."""
    monkeypatch.setattr(hearing_bench, "PATIENCE", 0.2)
    double = RealtimeDouble()
    double.behaviours.append(behaviour)
    async with double.serving() as url:
        with pytest.raises(EngineError, match=reason):
            await measure(url, [RECORDING], 1)


async def test_recordings_are_played_up_to_the_question(silero_path: Path, audio: Path) -> None:
    """A file of the shared set, from the command to JSON: final words are asked for soon after the last of the speech,
    which is well before the file's own end and one second of silence."""
    recording = audio / "utt" / "u18_yes.flac"
    double = RealtimeDouble()
    async with double.serving() as url:
        done = await bench("hearing", "--audio", str(recording), "--url", url, "--calls", "2", "--json")
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert (figures["calls"], figures["recordings"]) == (2, 1)
    assert figures["after_speech"]["count"] == 2
    assert "Python" in figures["machine"]
    length = len(load(recording)) + 1.2 * SAMPLE_RATE
    for connection in double.connections:
        (asked,) = connection.committed_at
        assert 0.4 * SAMPLE_RATE < asked < length


async def test_recordings_that_are_of_no_use(silero_path: Path, tmp_path: Path) -> None:
    """Silence, and a folder without any; in folders only recordings count, wherever they lie."""
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(8000), 8000)
    done = await bench("hearing", "--audio", str(silent))
    assert (done.exit_code, "Nobody speaks in" in done.output) == (1, True)
    folder = tmp_path / "b"
    folder.mkdir()
    with pytest.raises(UnreadableRecording, match="There is no recording"):
        files([folder])
    (folder / "manifest.json").touch()
    (folder / "x.FLAC").touch()
    assert files([folder, silent]) == [folder / "x.FLAC", silent]


async def test_no_server_that_hears(silero_path: Path, audio: Path) -> None:
    """The commands that start one are named."""
    url = f"ws://127.0.0.1:{nowhere()}"
    done = await bench("hearing", "--audio", str(audio / "utt" / "u18_yes.flac"), "--url", url)
    assert done.exit_code == 1
    assert "client-caller models serve whisper" in done.output


# ---------------------------------------------------------------- the language model


async def test_what_the_language_model_is_asked() -> None:
    """Two calls, one round: cold, warmed, cut in and beside; what was cut off was given up, all else read to its end;
    and no two calls' prompts begin alike."""
    double = LlmDouble(first_token=0.01, words_per_second=100)
    told: list[tuple[int, int]] = []
    async with double.serving() as url:
        (load,) = await llm_bench.measure(
            lambda tokens: OpenAiModel(base_url=url, model="m", max_tokens=tokens),
            [2],
            1,
            lambda done, total: told.append((done, total)),
        )
    assert load.calls == 2
    for spread in (load.cold, load.warmed, load.after_cancel, load.beside):
        assert spread is not None
        assert spread.count == 2
    assert load.rate is not None
    assert load.rate.count == 4
    assert told == [(done, 4) for done in range(1, 5)]
    streamed = [request for request in double.requests if request.body.get("stream")]
    cut = [request for request in streamed if request.ending == "aborted"]
    assert len(streamed) == 12
    assert [request.body["max_tokens"] for request in cut] == [llm_bench.LONG_TOKENS] * 2
    warm_ups = [request.body["messages"] for request in double.requests if not request.body.get("stream")]
    assert len(warm_ups) == 3, "one to reach the server, two for the calls that are warmed"
    beginnings = {request.body["messages"][0]["content"][:14] for request in streamed}
    assert len(beginnings) == 8, "the next turn after a cut-in has the beginning of its own call"
    for warm_up in warm_ups[1:]:
        rest = warm_up[-1]["content"]
        assert any(
            request.body["messages"][:-1] == warm_up[:-1] and request.body["messages"][-1]["content"].startswith(rest)
            for request in streamed
        ), "the prompt that was warmed is the one that is asked"


async def test_the_figures_as_json() -> None:
    """With what was asked for, and on which machine."""
    double = LlmDouble(first_token=0.001, words_per_second=1000)
    async with double.serving() as url:
        done = await bench(
            "llm",
            "--model",
            "m",
            "--url",
            url,
            "--calls",
            "1",
            "--rounds",
            "1",
            "--extra-body",
            '{"seed": 7}',
            "--json",
        )
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["model"] == "m"
    assert [load["calls"] for load in figures["loads"]] == [1]
    assert "Python" in figures["machine"]
    assert all(request.body["seed"] == 7 for request in double.requests)


async def test_no_server_that_thinks() -> None:
    """The command that starts one is named."""
    done = await bench("llm", "--model", "m", "--url", f"http://127.0.0.1:{nowhere()}/v1")
    assert done.exit_code == 1
    assert "client-caller models serve gemma" in done.output


async def test_a_model_that_is_not_served() -> None:
    """What the server says of the name, and where to look."""
    double = LlmDouble()
    double.replies.append(Reply(status=404, error={"error": {"message": "The model `n` does not exist."}}))
    async with double.serving() as url:
        done = await bench("llm", "--model", "n", "--url", url)
    assert done.exit_code == 1
    assert "`n` does not exist" in done.output
    assert "Check base_url and model." in done.output
    assert "serve gemma" not in done.output


async def test_extra_body_is_an_object() -> None:
    """Anything else is refused before a server is asked."""
    for text in ("[1]", "ignore_eos"):
        done = await bench("llm", "--model", "m", "--extra-body", text)
        assert done.exit_code == 2
        assert "JSON object" in done.output


async def test_ctrl_c_ends_it() -> None:
    """At once, without a traceback, and the reply under way is given up."""
    double = LlmDouble()
    double.replies.extend([Reply("one"), Reply("one two", stall_after=1)])
    command = [sys.executable, "-c", "from client_caller.cli.main import app; app()", "bench", "models", "llm"]
    async with double.serving() as url, asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(*command, "--model", "m", "--url", url, stderr=PIPE, stdout=PIPE)
        while len(double.requests) < 2:
            double.arrived.clear()
            await double.arrived.wait()
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
        await double.requests[1].over.wait()
    assert process.returncode != 0
    assert b"Traceback" not in said
    assert double.requests[1].ending == "aborted"


# ---------------------------------------------------------------- Whisper


def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named with the command that installs it: Whisper itself, and for random weights PyTorch."""
    missing = {"faster_whisper", "torch"}
    monkeypatch.setattr(bench_whisper, "find_spec", lambda name: None if name in missing else object())
    done = CliRunner().invoke(app, ["bench", "models", "whisper"])
    assert (done.exit_code, "'client-caller[whisper]'" in done.output) == (1, True)
    missing.remove("faster_whisper")
    done = CliRunner().invoke(app, ["bench", "models", "whisper"])
    assert (done.exit_code, "'client-caller[tiers]'" in done.output) == (1, True)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--model", "base.en"], "belong together"),
        (["--audio", "x.wav"], "belong together"),
        (["--model", "base.en", "--audio", "x.wav", "--size", "tiny"], "give one of them"),
    ],
)
def test_real_weights_hear_somebody(options: list[str], reason: str) -> None:
    """They write few words of noise, so a model and a recording come together, and nothing beside them."""
    done = CliRunner().invoke(app, ["bench", "models", "whisper", *options], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert reason in done.output
