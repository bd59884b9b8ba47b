"""The laws of keeping a call."""

import json
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from client_caller.calls.call import Call
from client_caller.calls.journal import read
from client_caller.calls.keeper import CallKeeper
from client_caller.calls.replay import history_of
from client_caller.calls.store import Store
from client_caller.conversation.commands import Speak, StartRecording
from client_caller.conversation.events import TimePassed
from client_caller.conversation.policy import Phrases, Policy

PlayCall = Callable[..., Path]


def samples(folder: Path) -> npt.NDArray[np.int16]:
    with wave.open(str(folder / "recording.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)


def loud(channel: npt.NDArray[np.int16], start: int, end: int) -> bool:
    """Whether there is a voice between two moments, in milliseconds."""
    return bool(np.abs(channel[start * 8 : end * 8].astype(int)).max(initial=0) > 2000)


def test_everything_of_a_call_is_kept(play_call: PlayCall, store: Store) -> None:
    """Journal, recording and both transcripts are there, private, and the row has the figures."""
    folder = play_call("call-1")
    assert sorted(path.name for path in folder.iterdir()) == [
        "journal.jsonl",
        "recording.wav",
        "transcript.json",
        "transcript.txt",
    ]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "[not heard: " in (folder / "transcript.txt").read_text()
    assert len(json.loads((folder / "transcript.json").read_bytes())["entries"]) == 9
    row = store.find("call-1")
    assert (row.state, row.reason, row.turns, row.interruptions) == ("ended", "caller_said_goodbye", 3, 1)
    assert row.median_latency is not None
    assert 300 < row.median_latency < 1500
    assert row.ended is not None
    assert timedelta(seconds=18) < row.ended - row.started < timedelta(seconds=22)
    assert row.folder == str(folder)


def test_the_agent_is_recorded_where_it_was_played_and_no_more(play_call: PlayCall) -> None:
    """Both channels lie on the call's clock; what was sent ahead and then cleared is not in the recording."""
    folder = play_call()
    caller, agent = samples(folder).T
    assert loud(caller, 3000, 4600)
    assert not loud(caller, 4700, 6900)
    assert loud(agent, 100, 1600)
    assert loud(agent, 5400, 10_700)
    assert not loud(agent, 10_770, 12_000)


def test_off_leaves_no_audio(play_call: PlayCall, store: Store) -> None:
    """With recording off there is no audio file, not even an empty one."""
    folder = play_call(recording="off")
    assert not (folder / "recording.wav").exists()
    assert store.find("last").consented is None


def test_announced_recording_begins_with_consent(play_call: PlayCall, store: Store) -> None:
    """Nothing before the notice was heard is recorded; the consent's time is in the journal and in the store."""
    folder = play_call(recording="announce")
    (consent,) = (
        step.event.at
        for step in read(folder / "journal.jsonl")[0].steps
        for command in step.commands
        if isinstance(command, StartRecording)
    )
    assert consent > 1000
    row = store.find("last")
    assert row.consented == row.started + timedelta(milliseconds=consent)
    caller, agent = samples(folder).T
    assert not agent[: consent * 8].any()
    assert not caller[: consent * 8].any()
    assert loud(agent, consent, consent + 500)
    assert loud(caller, 3000, 4600)


def test_a_piece_across_the_consent_is_cut(tmp_path: Path, store: Store) -> None:
    """Of a piece that began before the consent only the rest is recorded."""
    keeper = CallKeeper(tmp_path / "c", Call("c", "CA"), Policy(), Phrases(), "announce", store)
    keeper.hear(b"\x10" * 160, 0)
    keeper.start_recording(30)
    keeper.hear(b"\x10" * 160, 160)
    keeper.start_recording(90)
    keeper.hear(b"\x10" * 160, 320)
    keeper.note(TimePassed(60), ())
    keeper.close("caller_hung_up", ()).result(10)
    caller, agent = samples(tmp_path / "c").T
    assert np.flatnonzero(caller).tolist() == list(range(240, 480))
    assert not agent.any()


@pytest.mark.parametrize("mode", ["off", "on"])
def test_only_announced_recording_can_be_consented_to(tmp_path: Path, store: Store, mode: str) -> None:
    """`start_recording` changes nothing where recording is off or on anyway."""
    keeper = CallKeeper(tmp_path / "c", Call("c", "CA"), Policy(), Phrases(), mode, store)  # type: ignore[arg-type]
    keeper.start_recording(30)
    keeper.close("caller_hung_up", ()).result(10)
    assert (tmp_path / "c" / "recording.wav").exists() == (mode == "on")
    assert store.find("c").consented is None


def test_a_resumed_call_goes_on_in_the_same_folder(play_call: PlayCall, store: Store) -> None:
    """After a lost connection: one recording with a gap, one transcript on one clock, one row."""
    folder = play_call(until=8000)
    assert store.find("call-1").state == "broken"
    earlier = history_of(folder / "journal.jsonl")
    play_call(until=12_000, earlier=earlier, later=20.0, script=[(5000, 6000, "Thanks, goodbye.")])
    row = store.find("call-1")
    assert (row.state, row.turns) == ("ended", 2)
    assert row.ended is not None
    assert timedelta(seconds=26) < row.ended - row.started < timedelta(seconds=32)
    caller, agent = samples(folder).T
    assert loud(caller, 3000, 4600)
    assert not loud(caller, 8000, 24_900)
    assert loud(caller, 25_000, 26_000)
    assert loud(agent, 20_050, 21_000)
    text = (folder / "transcript.txt").read_text().splitlines()
    assert text[-2:] == ["00:24.9  Caller  Thanks, goodbye.", "00:26.5  Agent   Goodbye, and thank you."]
    assert json.loads((folder / "transcript.json").read_bytes())["entries"][-1]["started"] > 26_000


def test_a_resumed_call_whose_notice_was_heard_goes_on_being_recorded(play_call: PlayCall, store: Store) -> None:
    """From the first moment of the second connection, under the consent of the first, and with no second notice."""
    folder = play_call(until=6500, recording="announce")
    consented = store.find("call-1").consented
    earlier = history_of(folder / "journal.jsonl")
    script = [(400, 1900, "Is it in stock?"), (6000, 6900, "Thanks, goodbye.")]
    play_call(until=12_000, earlier=earlier, later=20.0, script=script, recording="announce")
    caller, agent = samples(folder).T
    assert loud(caller, 3000, 4600)
    assert loud(caller, 20_400, 20_700)
    assert loud(agent, 20_080, 20_340)
    _, second = read(folder / "journal.jsonl")
    spoken = [command.text for step in second.steps for command in step.commands if isinstance(command, Speak)]
    assert Phrases().recording_notice not in spoken
    assert store.find("call-1").consented == consented


def test_an_unreadable_first_journal_does_not_stop_the_call(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The trouble is logged; the connection is kept as if it were the first."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "journal.jsonl").write_bytes(b"nonsense\n")
    CallKeeper(tmp_path / "c", Call("c", "CA"), Policy(), Phrases(), "off", store).close("x", ()).result(10)
    assert "can't be read" in caplog.text


def test_a_transcript_that_cannot_be_written_is_logged(
    play_call: PlayCall, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of a call does not fail for its transcript."""
    folder = tmp_path / "data" / "calls" / "call-1"
    folder.mkdir(parents=True)
    (folder / "transcript.json").mkdir()
    play_call("call-1")
    assert "could not be written" in caplog.text
