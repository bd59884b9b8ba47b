"""The laws of replay."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from client_caller.calls.journal import Journal, JournalError, read
from client_caller.calls.replay import history_of, replay, views_in
from client_caller.conversation.events import CallStarted
from client_caller.conversation.history import AgentSaid, CallerSaid, ToolUsed

PlayCall = Callable[..., Path]


def test_a_call_decides_again_as_it_did(play_call: PlayCall) -> None:
    """A whole call with barge-in, backchannel and tool: every command comes out again, at the same event."""
    journal = play_call() / "journal.jsonl"
    result = replay(journal)
    assert result.difference is None
    assert result.events == sum(len(segment.steps) for segment in read(journal)) > 600
    assert result.commands == sum(len(step.commands) for segment in read(journal) for step in segment.steps) >= 20


def test_the_first_difference_is_shown_with_what_led_to_it(play_call: PlayCall) -> None:
    """Another command in the journal than is given now: the event and both sides are shown."""
    journal = play_call() / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"command":"Speak","reply":1', '"command":"Speak","reply":9', 1))
    difference = replay(journal).difference
    assert difference is not None
    assert isinstance(difference.step.event, CallStarted)
    shown = str(difference)
    assert "line 2, 0.000 s: CallStarted(at=0, earlier=())" in shown
    assert "the call:  Speak(reply=9, clause=0, text='Hello, how can I help you?')" in shown
    assert "replayed:  Speak(reply=1, clause=0, text='Hello, how can I help you?')" in shown
    assert "The call was made with" not in shown


def test_a_difference_in_mid_call_names_the_steps_before_and_the_version(play_call: PlayCall) -> None:
    """Commands that are missing are shown against `nothing`; another version is named."""
    journal = play_call() / "journal.jsonl"
    lines = journal.read_text().replace('"client_caller":"', '"client_caller":"0.0.').splitlines(keepends=True)
    gone = next(number for number, line in enumerate(lines) if "FinishTranscript" in line)
    journal.write_text("".join(lines[:gone] + lines[gone + 2 :]))
    result = replay(journal)
    shown = str(result.difference)
    assert result.events < 200
    assert "the call:  nothing" in shown
    assert "replayed:  FinishTranscript(request=1), JudgeTurn(request=1, since=" in shown
    assert "WordAcknowledged" in shown
    assert shown.count("\n  line") == 7
    assert "The call was made with client-caller 0.0." in shown


def test_history_is_what_was_said_and_heard(play_call: PlayCall) -> None:
    """The entries that the conversation had are those that its journal gives."""
    entries = history_of(play_call() / "journal.jsonl")
    cut = entries[3]
    assert [type(entry).__name__ for entry in entries] == [
        *("AgentSaid", "CallerSaid", "CallerSaid", "AgentSaid", "CallerSaid"),
        *("ToolUsed", "AgentSaid", "CallerSaid", "AgentSaid"),
    ]
    assert isinstance(cut, AgentSaid)
    assert cut.cut
    assert cut.unheard
    assert isinstance(entries[2], CallerSaid)
    assert entries[2].backchannel
    assert isinstance(entries[5], ToolUsed)


def test_a_killed_call_has_a_history_up_to_its_last_line(play_call: PlayCall) -> None:
    """What was heard of a reply in mid-sentence is there, and was cut; the torn last line does not matter."""
    journal = play_call(killed=True, until=8000) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-7])
    reply = history_of(journal)[-1]
    assert isinstance(reply, AgentSaid)
    assert reply.cut
    assert reply.heard.startswith("The large box costs")
    assert reply.unheard
    assert replay(journal).difference is None


def test_a_resumed_call_is_one_call(play_call: PlayCall) -> None:
    """Killed and resumed twice: one history on one clock, one journal that replays, and a floor that goes on."""
    journal = play_call(killed=True, until=8000) / "journal.jsonl"
    for later in (20.0, 40.0):
        earlier = history_of(journal)
        play_call(until=9000, earlier=earlier, later=later, killed=True, script=[(5000, 6000, "Are you there again?")])
        entries = history_of(journal)
        assert entries[: len(earlier)] == earlier
        added = entries[len(earlier) :]
        assert [type(entry).__name__ for entry in added] == ["AgentSaid", "CallerSaid", "AgentSaid"]
        assert isinstance(added[1], CallerSaid)
        assert added[1].started == 5000 + later * 1000 - 8
    assert replay(journal).difference is None
    views = views_in(read(journal))
    times = [at for at, _ in views]
    assert times == sorted(times)
    assert times[-1] > 40_000
    assert [at // 1000 for at, view in views if view == "IDLE"] == [0, 7, 28, 48]


def test_a_connection_that_died_at_once_loses_nothing(play_call: PlayCall) -> None:
    """A segment without any event leaves the history as it was."""
    folder = play_call(killed=True, until=8000)
    before = history_of(folder / "journal.jsonl")
    Journal(folder / "journal.jsonl", read(folder / "journal.jsonl")[0].header).close()
    assert len(read(folder / "journal.jsonl")) == 2
    assert history_of(folder / "journal.jsonl") == before


def test_the_floor_is_followed(play_call: PlayCall) -> None:
    """A call is idle, greets, holds its interruption and ends idle; no view follows itself."""
    views = views_in(read(play_call() / "journal.jsonl"))
    names = [view for _, view in views]
    assert names[:4] == ["IDLE", "PROCESSING", "SPEAKING", "LISTENING"]
    assert names[-1] == "IDLE"
    assert "INTERRUPTED" in names
    assert all(one != other for one, other in pairwise(names))


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """No journal, no replay."""
    (tmp_path / "journal.jsonl").write_bytes(b"nonsense\n")
    with pytest.raises(JournalError):
        replay(tmp_path / "journal.jsonl")
    with pytest.raises(FileNotFoundError):
        history_of(tmp_path / "nothing.jsonl")
