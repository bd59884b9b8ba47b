"""The laws of the demonstration: whole calls on the embedded engines, and everything they leave."""

import json
import os
import re
import signal
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from client_caller.audio import g711
from client_caller.calls.replay import history_of, replay
from client_caller.cli.main import app
from client_caller.conversation.history import AgentSaid, CallerSaid, ToolUsed


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silero_path: Path) -> None:
    """The list of calls is not the user's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def demo(*options: str | Path) -> Result:
    return CliRunner().invoke(app, ["demo", "--fast", *map(str, options)])


def test_the_call_of_the_demonstration(tmp_path: Path) -> None:
    """At least four turns, a real barge-in, a backchannel and a tool; it ends by itself and leaves all its files. Each
    thing said is a line: who, what was heard and not heard, how it came about, how long it took.
    """
    result = demo("--out", tmp_path / "call")
    assert result.exit_code == 0, result.output
    history = history_of(tmp_path / "call" / "journal.jsonl")
    said = [entry for entry in history if isinstance(entry, CallerSaid)]
    replies = [entry for entry in history if isinstance(entry, AgentSaid)]
    assert sum(not entry.backchannel for entry in said) >= 4
    assert sum(entry.backchannel for entry in said) == 1
    assert [bool(entry.heard and entry.unheard) for entry in replies if entry.cut] == [True]
    assert [entry.name for entry in history if isinstance(entry, ToolUsed)] == ["find_table"]
    assert replies[-1].heard.endswith("Goodbye!")
    for name in ("recording.wav", "transcript.txt", "journal.jsonl", "report.html"):
        assert (tmp_path / "call" / name).stat().st_size > 500
        assert str(tmp_path / "call" / name) in result.output
    assert replay(tmp_path / "call" / "journal.jsonl").difference is None

    lines = result.output.splitlines()
    assert lines[0].endswith("agent  Good evening, this is the Olive Tree. How can I help you?")
    assert any(re.match(r"00:\d\d\.\d  caller hello .*evening$", line) for line in lines)
    assert any(line.endswith("[backchannel: the agent goes on]") for line in lines)
    assert any(re.search(r"\[unheard: .*\]  \[after \d+ ms; barge-in: silent \d+ ms after the", line) for line in lines)
    assert re.match(r"\d turns of the caller, 1 barge-in, 1 backchannel\. The call ended: caller_said_good", lines[-2])
    assert re.match(r"Voice to voice: \d+ ms in the median, \d+ ms at most\.", lines[-1])


@pytest.mark.parametrize("name", ["utt/u01_book_a_room.flac", "utt/u18_yes.flac", "calls/call40_caller.flac"])
def test_a_real_recording_calls(audio: Path, tmp_path: Path, name: str) -> None:
    """It runs to a clean end; every stretch of speech above half a second belongs to exactly one turn or backchannel;
    the recording's left channel is the input, sample for sample after G.711.
    """
    result = demo("--caller", audio / name, "--out", tmp_path / "call")
    assert result.exit_code == 0, result.output
    assert "The call ended: caller_hung_up" in result.output

    samples, _ = soundfile.read(audio / name, dtype="int16")
    expected = g711.decode(g711.encode(samples))
    with wave.open(str(tmp_path / "call" / "recording.wav")) as file:
        stereo = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    began = int(np.flatnonzero(stereo[:, 0])[0] - np.flatnonzero(expected)[0])
    assert np.array_equal(stereo[began : began + len(expected), 0], expected)
    assert not stereo[:began, 0].any()

    manifest = json.loads((audio / "manifest.json").read_text())
    (entry,) = [one for one in manifest["files"] if one["file"] == name]
    said = [one for one in history_of(tmp_path / "call" / "journal.jsonl") if isinstance(one, CallerSaid)]
    for start, end in entry["speech"]:
        first, last = start * 1000 + began / 8, end * 1000 + began / 8
        if end - start > 0.5:
            assert sum(one.started <= last and one.ended >= first for one in said) == 1, (start, end)


def test_what_cannot_be_done_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there, a script that is none, a folder in use, a model not fetched: a sentence each."""
    (tmp_path / "bad.yaml").write_text("greeting: [")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "journal.jsonl").write_text("")
    cases = {
        ("--caller", tmp_path / "no.wav"): "give a recording",
        ("--script", tmp_path / "bad.yaml"): "bad.yaml:1: not YAML",
        ("--out", tmp_path / "used"): "choose another folder",
    }
    for options, says in cases.items():
        result = demo(*options)
        assert (result.exit_code, says in result.output) == (1, True), result.output
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    result = demo("--out", tmp_path / "call")
    assert (result.exit_code, "client-caller models pull" in result.output) == (1, True)


def test_control_c_hangs_up_and_still_names_the_files(tmp_path: Path) -> None:
    """In real time, in a process of its own: interrupted in the middle of the greeting, it ends as a hung-up call."""
    program = "from client_caller.cli.main import app; app()"
    command = [sys.executable, "-c", program, "demo", "--out", str(tmp_path / "c")]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "agent" in first, first
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 0
    assert "The call ended: caller_hung_up." in rest
    assert str(tmp_path / "c" / "report.html") in rest
    assert (tmp_path / "c" / "transcript.txt").exists()
