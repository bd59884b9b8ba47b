"""The laws of a call's time axis."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from client_caller.calls.journal import Step, read
from client_caller.calls.replay import history_of
from client_caller.calls.timeline import Timeline, timeline
from client_caller.conversation.events import LineQuality
from client_caller.conversation.history import AgentSaid

PlayCall = Callable[..., Path]


def timeline_of(folder: Path) -> Timeline:
    return timeline(read(folder / "journal.jsonl"))


def test_every_word_of_the_agent_is_there_with_its_time(play_call: PlayCall) -> None:
    """The words of each reply are those of the history, heard ones first, their times rising within the reply."""
    line = timeline_of(play_call())
    for entry in line.entries:
        if isinstance(entry, AgentSaid):
            words = line.words[entry.started]
            assert " ".join(word.text for word in words if word.heard) == entry.heard
            assert " ".join(word.text for word in words if not word.heard) == entry.unheard
            heard = [word.at for word in words if word.heard]
            times = [at for at in heard if at is not None]
            assert times == sorted(times)
            assert len(times) == len(heard)
            assert all(entry.started <= at <= entry.ended for at in times)
    assert any(not word.heard and word.at is None for reply in line.words.values() for word in reply)


def test_the_floor_never_overlaps(play_call: PlayCall) -> None:
    """Bands follow each other without a gap while the call is on, and one is the interruption."""
    line = timeline_of(play_call())
    assert all(one.ended == other.started for one, other in pairwise(line.bands))
    assert line.bands[0].started == 0
    assert line.bands[-1].ended == line.length
    assert [band.view for band in line.bands].count("INTERRUPTED") == 1


def test_turns_and_barge_ins_are_counted(play_call: PlayCall) -> None:
    """Three answers, one barge-in before which the agent had been silenced, and the reason for the end."""
    line = timeline_of(play_call())
    interrupted = next(band for band in line.bands if band.view == "INTERRUPTED")
    assert len(line.turns) == 3
    (silenced,) = [barge_in.yielded for _, barge_in in line.barge_ins]
    assert silenced <= interrupted.started
    assert line.reason == "caller_said_goodbye"
    assert line.recorded_from is None


def test_the_time_on_a_bad_line_is_counted(play_call: PlayCall) -> None:
    """From each verdict to the next, or to the end of the connection."""
    segment = read(play_call() / "journal.jsonl")[0]
    assert timeline([segment]).bad_line == 0
    end = segment.steps[-1].event.at
    verdicts = ((1000, False), (2000, True), (3500, True), (4000, False), (end - 700, True))
    told = [Step(0, LineQuality(at, bad, -30, -30, 0), ()) for at, bad in verdicts]
    steps = tuple(sorted([*segment.steps, *told], key=lambda step: step.event.at))
    assert timeline([replace(segment, steps=steps)] * 2).bad_line == 2 * (2000 + 700)


def test_a_resumed_call_lies_on_one_axis(play_call: PlayCall) -> None:
    """Between two connections nobody holds the floor; words and turns of the second lie after the gap."""
    folder = play_call(killed=True, until=8000, recording="announce")
    assert timeline_of(folder).reason is None
    earlier = history_of(folder / "journal.jsonl")
    play_call(until=9000, earlier=earlier, later=20.0, script=[(5000, 6000, "Hello?")], recording="announce")
    line = timeline_of(folder)
    gaps = [(one.ended, other.started) for one, other in pairwise(line.bands) if one.ended != other.started]
    assert len(gaps) == 1
    assert gaps[0][1] == 20_000
    assert line.length > 28_000
    last = max(line.words)
    assert last > 25_000
    assert any(word.at is not None and word.at > last for word in line.words[last])
    assert [offset for offset, _ in line.turns] == [0, 20_000]
    assert line.recorded_from is not None
    assert line.recorded_from < 5000
