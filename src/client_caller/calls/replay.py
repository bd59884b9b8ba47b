"""Running a journal again: does the conversation decide as it did, and what was said?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from client_caller import __version__
from client_caller.calls.journal import Segment, Step, read
from client_caller.calls.transcript import joined
from client_caller.conversation.commands import Command
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.events import CallEnded, CallStarted, SpeechProbability
from client_caller.conversation.history import Entry
from client_caller.conversation.state import View

_CONTEXT = 6
"""Steps shown before a difference."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event after which a conversation asked for something else than it did then."""

    step: Step
    """As journalled."""
    replayed: tuple[Command, ...]
    before: tuple[Step, ...]
    """What led up to it, without windows of sound that changed nothing."""
    written_by: str
    """The version of client-caller that wrote the journal."""

    def __str__(self) -> str:
        lines = ["After these:"]
        lines += [f"  {_said(step)}{_asked(step.commands)}" for step in self.before]
        lines += [
            "comes the first difference:",
            f"  {_said(self.step)}",
            f"    the call:  {_listed(self.step.commands)}",
            f"    replayed:  {_listed(self.replayed)}",
        ]
        if self.written_by != __version__:
            lines.append(f"The call was made with client-caller {self.written_by}; this is {__version__}.")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of running a journal again."""

    events: int
    commands: int
    """As journalled, up to the first difference if there is one."""
    difference: Difference | None


def replay(path: Path) -> Replay:
    """Run every segment of a journal again, up to the first difference. Raises `JournalError` and `OSError`."""
    events = commands = 0
    for segment in read(path):
        past: list[Step] = []
        for step, replayed, _ in rerun(segment):
            events += 1
            commands += len(step.commands)
            if replayed != step.commands:
                difference = Difference(step, replayed, tuple(past), segment.header.client_caller)
                return Replay(events, commands, difference)
            if step.commands or not isinstance(step.event, SpeechProbability):
                past = [*past[1 - _CONTEXT :], step]
    return Replay(events, commands, None)


def rerun(segment: Segment) -> Iterator[tuple[Step, tuple[Command, ...], Conversation]]:
    """One segment, step by step: as journalled, what is asked for now, and the conversation as it then stands."""
    conversation = Conversation(segment.header.policy, segment.header.phrases)
    for step in segment.steps:
        yield step, conversation.receive(step.event), conversation


def history_of(path: Path) -> tuple[Entry, ...]:
    """What was said in a call, to resume it or to show it; times are on the clock of its first connection.

    A call whose process was killed ends where its journal does. Takes about 20 ms for each minute of the call: not for
    the event loop. Raises `JournalError` and `OSError`.
    """
    return history_in(read(path))


def history_in(segments: Sequence[Segment]) -> tuple[Entry, ...]:
    """The same, of a journal already read."""
    entries: tuple[Entry, ...] = ()
    for segment in segments:
        conversation = Conversation(segment.header.policy, segment.header.phrases)
        earlier: tuple[Entry, ...] | None = None
        for step in segment.steps:
            conversation.receive(step.event)
            if isinstance(step.event, CallStarted):
                earlier = step.event.earlier
        if earlier is not None:
            conversation.receive(CallEnded(segment.steps[-1].event.at, "connection_lost"))
            entries = joined(earlier, conversation.history, segment.header.offset)
    return entries


def views_in(segments: Sequence[Segment]) -> tuple[tuple[int, View], ...]:
    """Who held the floor: each change of the conversation's view, with its time on the clock of the first connection.

    It begins and ends IDLE, and is IDLE between two connections.
    """
    changes: list[tuple[int, View]] = [(0, "IDLE")]
    for segment in segments:
        at = segment.header.offset
        for step, _, conversation in rerun(segment):
            at = segment.header.offset + step.event.at
            if conversation.view != changes[-1][1]:
                changes.append((at, conversation.view))
        if changes[-1][1] != "IDLE":
            changes.append((at, "IDLE"))
    return tuple(changes)


def _said(step: Step) -> str:
    return f"line {step.line}, {step.event.at / 1000:.3f} s: {step.event}"


def _asked(commands: Sequence[Command]) -> str:
    return f" → {_listed(commands)}" if commands else ""


def _listed(commands: Sequence[Command]) -> str:
    return ", ".join(map(str, commands)) or "nothing"
