"""The journal: every event and every command of a call with its time, one JSON line each.

A journal is one or more segments, each beginning with a header line: a call that loses its connection and is resumed
goes on in the same file with a new segment, whose clock starts at zero again. An event's commands follow its line.
`calls.replay` reads it back into the same decisions.

Size: some 105 bytes for each of the 31 windows of a second, so about 12 MB an hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from client_caller.calls.lines import Header, command_line, event_line, header_line, parse
from client_caller.calls.private_file import PrivateFile
from client_caller.conversation.commands import Command
from client_caller.conversation.events import Event, PartialTranscript, ReplyText, SpeechProbability, WordSent

_HELD_BACK = 96
"""Milliseconds for which what may wait is held back for one write: three windows. Anything else is written at once,
with what waits, so a `kill -9` loses at most this much of the past."""
_MAY_WAIT = (SpeechProbability, PartialTranscript, ReplyText, WordSent)
"""Comes many times a second. If it asks for anything to be done, it does not wait."""
_TAIL = 1 << 20
"""Bytes looked at for the last whole step: more than any step is long."""


class JournalError(Exception):
    """A journal can't be read. `str(error)` names the file, the line and the reason."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event and what the conversation asked for because of it."""

    line: int
    """Of the event, from 1."""
    event: Event
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """One connection of a call."""

    header: Header
    steps: tuple[Step, ...]


class Journal:
    """The writing side. Nothing here raises into the call: see `PrivateFile`; `failure` tells why it stopped."""

    def __init__(self, path: Path, header: Header) -> None:
        """Begin a segment at the end of `path`, after its last whole step."""
        self._file = PrivateFile(path)
        self._held = bytearray()
        self._held_since = 0
        start = max(0, self._file.size - _TAIL)
        self._file.cut(start + _whole(self._file.read(_TAIL, start)))
        self._file.append(header_line(header))

    @property
    def failure(self) -> str | None:
        return self._file.failure

    def write(self, event: Event, commands: Sequence[Command]) -> None:
        """Write an event and its commands, together."""
        if self.failure is not None:
            return
        if not self._held:
            self._held_since = event.at
        try:
            self._held += event_line(event)
            for command in commands:
                self._held += command_line(event.at, command)
        except UnicodeError:
            self._file.give_up("an engine gave text that is not Unicode")
            return
        waits = not commands and isinstance(event, _MAY_WAIT)
        if not waits or event.at - self._held_since >= _HELD_BACK:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.append(self._held)
        self._held.clear()

    def close(self) -> None:
        self.flush()
        self._file.close()


def read(path: Path) -> tuple[Segment, ...]:
    """The segments of a journal. A last step that was cut off is as if it never happened.

    Raises `JournalError` for anything else that is wrong, and `OSError`.
    """
    segments: list[tuple[Header, list[Step]]] = []
    journal = path.read_bytes()
    for number, line in enumerate(journal[: _whole(journal)].splitlines(), start=1):
        try:
            _take(segments, number, parse(line))
        except ValueError as error:
            raise JournalError(f"{path}, line {number}: {error}") from None
    if not segments:
        raise JournalError(f"{path} holds no call: it has no whole header line.")
    return tuple(Segment(header, tuple(steps)) for header, steps in segments)


def first_header(path: Path) -> Header | None:
    """The header of a journal's first segment; None if the file is missing or has no whole line.

    Raises `JournalError`.
    """
    try:
        with path.open("rb") as file:
            line = file.readline()
    except FileNotFoundError:
        return None
    if not line.endswith(b"\n"):
        return None
    try:
        header = parse(line)
    except ValueError as error:
        raise JournalError(f"{path}, line 1: {error}") from None
    if not isinstance(header, Header):
        raise JournalError(f"{path}, line 1: not a header")
    return header


def _take(segments: list[tuple[Header, list[Step]]], number: int, thing: Header | Event | Command) -> None:
    if isinstance(thing, Header):
        segments.append((thing, []))
        return
    if not segments:
        raise ValueError("a journal must begin with a header")
    steps = segments[-1][1]
    if isinstance(thing, Event):
        steps.append(Step(number, thing, ()))
        return
    if not steps:
        raise ValueError("a command without an event before it")
    last = steps[-1]
    steps[-1] = Step(last.line, last.event, (*last.commands, thing))


def _whole(journal: bytes) -> int:
    """How many bytes of a journal hold whole steps: all, or if its last line is cut off, all before the last event.

    An event may have lost some of its commands then. No text can be taken for a key: quotes in JSON strings are
    escaped.
    """
    lines = journal.rfind(b"\n") + 1
    event = journal.rfind(b',"event":"', 0, lines)
    if lines == len(journal) or event < journal.rfind(b'{"header":', 0, lines):
        return lines
    return journal.rfind(b"\n", 0, event) + 1
