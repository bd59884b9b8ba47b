"""The laws of the journal."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client_caller.calls.call import Call
from client_caller.calls.journal import Journal, JournalError, Step, first_header, read
from client_caller.calls.lines import Header, command_line, event_line, header_line, parse
from client_caller.conversation.commands import Command, EndCall, Speak, StartRecording, StartReply
from client_caller.conversation.events import (
    CallEnded,
    CallStarted,
    Event,
    FinalTranscript,
    LineQuality,
    PartialTranscript,
    SpeechProbability,
    TimePassed,
    TurnJudged,
    WordAcknowledged,
    WordSent,
)
from client_caller.conversation.history import AgentSaid, CallerSaid, ToolUsed
from client_caller.conversation.policy import Phrases, Policy

HEADER = Header(
    client_caller="1.2.3",
    began=1_790_000_000_000,
    call=Call("call-1", "CA1", caller="+15550001", callee="+15550002"),
    policy=Policy(barge_in=333),
    phrases=Phrases(greeting=None, fillers=("Hm.",)),
)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
entries = st.tuples(
    st.builds(CallerSaid, st.integers(0, 9), st.integers(0, 9), text, st.booleans()),
    st.builds(AgentSaid, st.integers(0, 9), st.integers(0, 9), text, text, st.booleans()),
    st.builds(ToolUsed, st.integers(0, 9), text, text, text, text, st.booleans()),
)
events: st.SearchStrategy[Event] = st.one_of(
    *(
        st.from_type(kind)
        for kind in Event.__args__
        if kind not in {CallStarted, SpeechProbability, LineQuality, TurnJudged, PartialTranscript, FinalTranscript}
    ),
    st.builds(CallStarted, st.integers(0, 2**40), entries),
    st.builds(
        SpeechProbability,
        st.integers(0, 2**40),
        st.integers(0, 2**40),
        st.floats(0, 1),
        st.none() | st.floats(-100, 0),
        st.floats(0, 1),
    ),
    st.builds(LineQuality, st.integers(0, 2**40), st.booleans(), *[st.floats(-100, 0)] * 2, st.floats(0, 1)),
    st.builds(TurnJudged, st.integers(0, 2**40), st.integers(0, 99), st.floats(0, 1)),
    st.builds(FinalTranscript, st.integers(0, 2**40), text, st.none() | st.floats(0, 1)),
    st.builds(PartialTranscript, st.integers(0, 2**40), text),
)
commands: st.SearchStrategy[Command] = st.one_of(*(st.from_type(kind) for kind in Command.__args__))
steps = st.lists(st.tuples(events, st.lists(commands, max_size=3).map(tuple)), max_size=20)
st.register_type_strategy(str, text)
st.register_type_strategy(int, st.integers(0, 2**40))


def journal_of(path: Path, *written: tuple[Event, tuple[Command, ...]], header: Header = HEADER) -> Path:
    journal = Journal(path, header)
    for event, asked in written:
        journal.write(event, asked)
    journal.close()
    return path


@given(events, commands)
def test_a_line_says_what_was_written(event: Event, command: Command) -> None:
    """Every event and command, with any text, comes back equal, each on one line."""
    for line, thing in ((event_line(event), event), (command_line(7, command), command)):
        assert line.endswith(b"}\n")
        assert line.count(b"\n") == 1
        assert parse(line) == thing


def test_the_lines_look_as_documented() -> None:
    """Time first, then the kind, then the fields."""
    assert event_line(SpeechProbability(1234, 1230, 0.5, -23.4)) == (
        b'{"at":1234,"event":"SpeechProbability","audio_end":1230,"probability":0.5,"level":-23.4,"echo":0.0}\n'
    )
    assert event_line(TimePassed(5)) == b'{"at":5,"event":"TimePassed"}\n'
    assert command_line(5, StartRecording()) == b'{"at":5,"command":"StartRecording"}\n'
    assert (
        command_line(5, Speak(1, 2, "Hi, you")) == b'{"at":5,"command":"Speak","reply":1,"clause":2,"text":"Hi, you"}\n'
    )


@given(st.lists(steps, min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_what_is_read_is_what_was_written(
    tmp_path: Path, connections: list[list[tuple[Event, tuple[Command, ...]]]]
) -> None:
    """Each connection of a call is a segment with its header; events keep their commands."""
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    for written in connections:
        journal_of(path, *written)
    segments = read(path)
    assert [segment.header for segment in segments] == [HEADER] * len(connections)
    assert [[(step.event, step.commands) for step in segment.steps] for segment in segments] == connections
    assert first_header(path) == HEADER


def test_every_cut_leaves_a_readable_journal(tmp_path: Path) -> None:
    """Cut at any byte, a journal reads as whole steps from its beginning, and can be gone on with."""
    path = journal_of(
        tmp_path / "whole.jsonl",
        (
            CallStarted(0),
            (
                Speak(
                    0,
                    0,
                    'a "event":" trap, \\n',
                ),
                StartReply(1),
            ),
        ),
        (FinalTranscript(900, "yes"), (EndCall("x"),)),
        (CallEnded(950, "caller_hung_up"), ()),
    )
    whole = path.read_bytes()
    steps = [(step.event, step.commands) for step in read(path)[0].steps]
    for size in range(len(header_line(HEADER)), len(whole)):
        cut = tmp_path / "cut.jsonl"
        cut.write_bytes(whole[:size])
        at_line_end = whole[:size].endswith(b"\n")
        found = [(step.event, step.commands) for step in read(cut)[0].steps]
        if not at_line_end:
            assert found == steps[: len(found)]
        journal_of(cut, (TimePassed(1), ()))
        assert [(step.event, step.commands) for step in read(cut)[0].steps] == found
        assert read(cut)[1].steps[0].event == TimePassed(1)


@pytest.mark.parametrize(
    ("broken", "line", "reason"),
    [
        (b'{"at":1,"event":"Nonsense"}\n', 2, "Nonsense"),
        (b'{"at":1,"event":"TimePassed"}\n{"at":"x","event":"TimePassed"}\n', 3, "int"),
        (b'{"at":1,"event":"CallEnded"}\n', 2, "reason"),
        (b'{"at":1,"event":"CallStarted","earlier":[{"entry":"Nobody"}]}\n', 2, "Nobody"),
        (b'{"at":1,"command":"Hold","reply":1}\n', 2, "without an event"),
        (b"not json\n", 2, "malformed"),
        (b'{"what":1}\n', 2, "unknown kind"),
        (b'{"header":{"format":99}}\n', 2, "99"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, broken: bytes, line: int, reason: str) -> None:
    """Anything but a cut-off end is an error that names the line and the reason."""
    path = journal_of(tmp_path / "journal.jsonl")
    path.write_bytes(path.read_bytes() + broken)
    with pytest.raises(JournalError, match=rf"line {line}: .*{reason}"):
        read(path)


def test_a_journal_without_a_header_is_refused(tmp_path: Path) -> None:
    """Events before any header, an empty file and a missing one each say so."""
    path = tmp_path / "journal.jsonl"
    assert first_header(path) is None
    path.write_bytes(b"")
    assert first_header(path) is None
    with pytest.raises(JournalError, match="no whole header"):
        read(path)
    path.write_bytes(b'{"at":1,"event":"TimePassed"}\n')
    with pytest.raises(JournalError, match="line 1: a journal must begin"):
        read(path)
    with pytest.raises(JournalError, match="line 1: not a header"):
        first_header(path)
    path.write_bytes(b"{}x\n")
    with pytest.raises(JournalError, match="line 1"):
        first_header(path)


def test_a_later_format_is_refused_with_both_numbers(tmp_path: Path) -> None:
    """A journal of another format names it, the version that wrote it, and what this version reads."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(header_line(msgspec.structs.replace(HEADER, format=2)))
    with pytest.raises(JournalError, match=r"format 2, written by client-caller 1\.2\.3; this version reads format 1"):
        read(path)


def test_what_is_frequent_waits_and_not_for_long(tmp_path: Path) -> None:
    """Up to three windows wait for one write, with words that ask for nothing; the rest takes everything with it."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, HEADER)
    seen = []
    for at in range(0, 320, 32):
        journal.write(SpeechProbability(at, at, 0.1), ())
        seen.append(len(read(path)[0].steps))
    assert max(index + 1 - count for index, count in enumerate(seen)) == 3
    journal.write(SpeechProbability(330, 330, 0.1), (EndCall("x"),))
    assert len(read(path)[0].steps) == 11
    journal.write(SpeechProbability(340, 340, 0.1), ())
    journal.write(FinalTranscript(341, "a"), ())
    assert len(read(path)[0].steps) == 13
    journal.write(WordSent(342, 1, 0, 0), ())
    journal.write(PartialTranscript(342, "b"), ())
    assert len(read(path)[0].steps) == 13
    journal.write(WordAcknowledged(343, 1, 0, 0), ())
    assert len(read(path)[0].steps) == 16
    journal.write(SpeechProbability(344, 340, 0.1), ())
    journal.flush()
    assert len(read(path)[0].steps) == 17


def test_a_full_disk_stops_the_journal_and_not_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The failure is logged once, nothing raises, and what is left are whole steps."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, HEADER)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 1000, hard))
    try:
        for at in range(100):
            journal.write(TimePassed(at), (EndCall("full"),))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    journal.write(TimePassed(100), ())
    journal.close()
    assert journal.failure
    assert len([record for record in caplog.records if "no longer written" in record.message]) == 1
    steps = read(path)[0].steps
    assert 5 < len(steps) < 100
    assert steps == tuple(Step(2 + 2 * at, TimePassed(at), (EndCall("full"),)) for at in range(len(steps)))


def test_a_missing_folder_and_broken_text_do_not_reach_the_call(tmp_path: Path) -> None:
    """A journal that can't be opened, or is given half a surrogate pair, is marked and goes quiet."""
    nowhere = Journal(tmp_path / "missing" / "journal.jsonl", HEADER)
    nowhere.write(TimePassed(1), ())
    nowhere.close()
    assert nowhere.failure == "No such file or directory"
    broken = Journal(tmp_path / "journal.jsonl", HEADER)
    broken.write(TimePassed(1), ())
    broken.write(FinalTranscript(2, "\ud800"), ())
    broken.write(TimePassed(3), ())
    broken.close()
    assert broken.failure == "an engine gave text that is not Unicode"
    assert [step.event for step in read(tmp_path / "journal.jsonl")[0].steps] == [TimePassed(1)]


_KILLED = """
import pathlib, sys
from client_caller.calls.journal import Journal
from client_caller.calls.lines import parse
from client_caller.conversation.events import SpeechProbability
journal = Journal(pathlib.Path(sys.argv[1]), parse(sys.stdin.buffer.readline()))
at = 0
for line in sys.stdin:
    at += 32
    journal.write(SpeechProbability(at, at, 0.5), ())
    print(at, flush=True)
"""


def test_a_killed_process_loses_at_most_a_tenth_of_a_second(tmp_path: Path) -> None:
    """After `kill -9` all but the last three windows are there."""
    path = tmp_path / "journal.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(header_line(HEADER))
        said = 0
        for _ in range(50):
            process.stdin.write(b"\n")
            process.stdin.flush()
            said = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert read(path)[0].steps[-1].event.at >= said - 96
