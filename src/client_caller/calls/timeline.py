"""A call's journal on one time axis: who held the floor, every word of the agent, every turn's latency.

All times are milliseconds on the clock of the call's first connection.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from client_caller.calls.journal import Segment, Step
from client_caller.calls.replay import history_in, views_in
from client_caller.calls.transcript import in_order
from client_caller.conversation.clauses import words_of
from client_caller.conversation.commands import EndCall, Speak, StartRecording
from client_caller.conversation.events import CallEnded, LineQuality, PlaybackStarted, WordAcknowledged, WordSent
from client_caller.conversation.history import AgentSaid, Entry
from client_caller.conversation.state import View
from client_caller.observe.latency import BargeIn, Ledger, TurnLatency


@dataclass(frozen=True, slots=True)
class Band:
    """Who held the floor for a while."""

    started: int
    ended: int
    view: View


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the agent."""

    text: str
    at: int | None
    """When the far end acknowledged it, or else when it went out; None if it never did."""
    heard: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    length: int
    entries: tuple[Entry, ...]
    """In the order in which they began."""
    words: dict[int, tuple[Word, ...]]
    """The words of each reply, by the `started` of its `AgentSaid`."""
    bands: tuple[Band, ...]
    turns: tuple[tuple[int, TurnLatency], ...]
    """Each with the zero of its connection's clock, to which its own times refer."""
    barge_ins: tuple[tuple[int, BargeIn], ...]
    """Likewise."""
    reason: str | None
    """Why the call ended; None if its journal just stops."""
    recorded_from: int | None
    """When recording was consented to."""
    bad_line: int
    """For how long the caller's line was bad."""


@dataclass(slots=True)
class _Spoken:
    """What the journal tells of one reply's words."""

    clauses: dict[int, str] = field(default_factory=dict)
    times: dict[tuple[int, int], int] = field(default_factory=dict)
    """By clause and word."""

    def words(self, said: AgentSaid) -> tuple[Word, ...]:
        """The words of the history, which knows what was heard, with the times of the journal."""
        heard, unheard = said.heard.split(), said.unheard.split()
        places = [
            (clause, word) for clause in sorted(self.clauses) for word, _ in enumerate(words_of(self.clauses[clause]))
        ]
        times = [self.times.get(place) for place in places]
        texts = [*heard, *unheard]
        times += [None] * (len(texts) - len(times))
        return tuple(Word(text, times[i], i < len(heard)) for i, text in enumerate(texts))


def timeline(segments: Sequence[Segment]) -> Timeline:
    """Everything that a report shows of a journal; runs it again, some 40 ms for each minute of the call."""
    entries = tuple(in_order(history_in(segments)))
    spoken: dict[int, _Spoken] = {}
    turns: list[tuple[int, TurnLatency]] = []
    barge_ins: list[tuple[int, BargeIn]] = []
    for segment in segments:
        offset = segment.header.offset
        spoken |= {offset + began: reply for began, reply in _spoken_in(segment).items()}
        ledger = Ledger(segment.header.policy)
        for step in segment.steps:
            ledger.note(step.event, step.commands)
        turns += [(offset, turn) for turn in ledger.turns]
        barge_ins += [(offset, barge_in) for barge_in in ledger.barge_ins]
    length = max(
        (segment.header.offset + step.event.at for segment in segments for step in segment.steps[-1:]), default=0
    )
    return Timeline(
        length,
        entries,
        {
            entry.started: spoken.get(entry.started, _Spoken()).words(entry)
            for entry in entries
            if isinstance(entry, AgentSaid)
        },
        _bands(segments),
        tuple(turns),
        tuple(barge_ins),
        _reason(segments[-1].steps),
        _recorded_from(segments),
        sum(_bad_line(segment.steps) for segment in segments),
    )


def _spoken_in(segment: Segment) -> dict[int, _Spoken]:
    """The replies of one connection, by when their first sound went out, on its own clock."""
    replies: dict[int, _Spoken] = {}
    began: dict[int, _Spoken] = {}
    for step in segment.steps:
        for command in step.commands:
            if isinstance(command, Speak):
                replies.setdefault(command.reply, _Spoken()).clauses[command.clause] = command.text
        match step.event:
            case PlaybackStarted(at=at, reply=number):
                began[at] = replies.setdefault(number, _Spoken())
            case (
                WordSent(at=at, reply=number, clause=clause, word=word)
                | WordAcknowledged(at=at, reply=number, clause=clause, word=word)
            ):
                moment = at + segment.header.offset
                replies.setdefault(number, _Spoken()).times[clause, word] = moment
    return began


def _bands(segments: Sequence[Segment]) -> tuple[Band, ...]:
    changes = pairwise(views_in(segments))
    return tuple(Band(at, until, view) for (at, view), (until, _) in changes if view != "IDLE" and until > at)


def _reason(steps: Sequence[Step]) -> str | None:
    for step in reversed(steps):
        for command in step.commands:
            if isinstance(command, EndCall):
                return command.reason
        if isinstance(step.event, CallEnded):
            return step.event.reason
    return None


def _recorded_from(segments: Sequence[Segment]) -> int | None:
    return next(
        (
            segment.header.offset + step.event.at
            for segment in segments
            for step in segment.steps
            for command in step.commands
            if isinstance(command, StartRecording)
        ),
        None,
    )


def _bad_line(steps: Sequence[Step]) -> int:
    total, since = 0, None
    for step in steps:
        if isinstance(step.event, LineQuality):
            total += step.event.at - since if since is not None else 0
            since = step.event.at if step.event.bad else None
    return total + (steps[-1].event.at - since if since is not None else 0)
