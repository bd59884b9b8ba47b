"""The latency ledger: where the time went between the caller's last sound and the agent's first.

All times are milliseconds on the call's clock, taken from the events and commands of its journal. A turn here is an
answer of the language model to something the caller said; greetings, fillers and prompts answer nobody and are left
out.

Things happen side by side: a reply is started, even synthesised, while it is not yet sure that the caller has finished.
So a stage has a span, when it really ran, and a share, by how much it moved the first sound. The shares are those of
the critical path, followed back from the first sound over what each milestone waited for; they sum to the
voice-to-voice latency to the millisecond, and a stage that was hidden behind another has a share of 0.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from client_caller.conversation.commands import (
    CancelReply,
    Command,
    FinishTranscript,
    Hold,
    Pause,
    Release,
    Resume,
    Speak,
    StartReply,
)
from client_caller.conversation.echo import callers_own
from client_caller.conversation.events import (
    ClauseAudioStarted,
    DigitPressed,
    Event,
    FinalTranscript,
    PartialTranscript,
    PlaybackStarted,
    ReplyText,
    SpeechProbability,
    TranscriptFinished,
    WordAcknowledged,
)
from client_caller.conversation.policy import Policy
from client_caller.conversation.turn import CallerTurn

Number = TypeVar("Number", int, float)


class Milestone(Enum):
    """The moments of a turn, in the order in which they come when nothing is done ahead of time.

    The value names the stage that ends with it.
    """

    SPEECH_END = "speech"
    """The end of the caller's last window of speech: acoustic, not when we knew."""
    SILENCE_KNOWN = "silence detected"
    TRANSCRIPT_ASKED = "transcript asked for"
    TRANSCRIPT_FINAL = "transcript final"
    TURN_OVER = "turn over"
    REPLY_STARTED = "reply started"
    FIRST_TOKEN = "first token"
    FIRST_CLAUSE = "first clause"
    FIRST_AUDIO = "first audio"
    FIRST_FRAME = "first frame sent"


_M = Milestone
_WAITS_FOR: Mapping[Milestone, tuple[Milestone, ...]] = {
    _M.SILENCE_KNOWN: (_M.SPEECH_END,),
    _M.TRANSCRIPT_ASKED: (_M.SILENCE_KNOWN,),
    _M.TRANSCRIPT_FINAL: (_M.TRANSCRIPT_ASKED, _M.SILENCE_KNOWN),
    _M.TURN_OVER: (_M.TRANSCRIPT_FINAL, _M.SILENCE_KNOWN),
    _M.REPLY_STARTED: (_M.TURN_OVER, _M.TRANSCRIPT_FINAL, _M.SILENCE_KNOWN),
    _M.FIRST_TOKEN: (_M.REPLY_STARTED,),
    _M.FIRST_CLAUSE: (_M.FIRST_TOKEN, _M.REPLY_STARTED),
    _M.FIRST_AUDIO: (_M.FIRST_CLAUSE, _M.FIRST_TOKEN, _M.REPLY_STARTED),
    _M.FIRST_FRAME: (_M.FIRST_AUDIO, _M.TURN_OVER),
}
"""What may have held a milestone up; the latest of these that came before it did."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The way to one milestone."""

    milestone: Milestone
    began: int
    ended: int
    share: int
    """Milliseconds by which it moved the first sound; 0 for what was hidden behind something slower."""


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """One answer to the caller."""

    reply: int
    speech_end: int
    first_frame: int
    stages: tuple[Stage, ...]
    """In the order of `Milestone`; those that did not occur are left out."""
    ahead: bool
    """The reply was started before the turn was over."""
    first_word_acknowledged: int | None = None
    """When the far end had proven that it played the first word; None if it never did."""

    @property
    def voice_to_voice(self) -> int:
        """From the caller's last sound to the agent's first on the wire; the sum of the shares."""
        return self.first_frame - self.speech_end


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller took the floor."""

    reply: int
    speech_began: int
    yielded: int
    """When the agent was silenced: by the pause that came before the cut, if there was one."""


_CALLER = SpeechProbability | PartialTranscript | FinalTranscript | TranscriptFinished | DigitPressed
"""What comes from the caller, and may take the floor."""


class Ledger:
    """Keeps the turns and barge-ins of one call, fed with everything in the order in which it happened.

    Small enough to run beside a live call: it forgets a reply's milestones once it has been heard or given up.
    """

    def __init__(self, policy: Policy) -> None:
        self.turns: list[TurnLatency] = []
        self.barge_ins: list[BargeIn] = []
        self._policy = policy
        self._caller = CallerTurn()
        self._turn: dict[Milestone, int] = {}
        """What is known of the caller's turn since speech was last heard."""
        self._replies: dict[int, dict[Milestone, int]] = {}
        self._answered = 0
        """The end of the speech that was last answered."""
        self._audible: int | None = None
        self._paused_at: int | None = None

    def note(self, event: Event, commands: Sequence[Command]) -> None:
        """Take in one event and the commands that followed from it."""
        self._note_event(event)
        for command in commands:
            self._note_command(event, command)

    def _note_event(self, event: Event) -> None:
        match event:
            case SpeechProbability():
                self._hear(event)
            case FinalTranscript() | TranscriptFinished():
                self._turn[_M.TRANSCRIPT_FINAL] = event.at
            case ReplyText():
                self._reach(event.reply, _M.FIRST_TOKEN, event.at)
            case ClauseAudioStarted():
                self._reach(event.reply, _M.FIRST_AUDIO, event.at)
            case PlaybackStarted():
                self._sound(event)
            case WordAcknowledged():
                self._acknowledge(event)

    def _note_command(self, event: Event, command: Command) -> None:
        at = event.at
        match command:
            case FinishTranscript():
                self._turn[_M.TRANSCRIPT_ASKED] = at
            case StartReply():
                self._replies.setdefault(command.reply, {}).setdefault(_M.REPLY_STARTED, at)
            case Speak():
                self._reach(command.reply, _M.FIRST_CLAUSE, at)
            case Release() if command.reply in self._replies:
                heard = {**self._turn, _M.SPEECH_END: self._caller.last_speech, _M.TURN_OVER: at}
                self._replies[command.reply].update(heard)
            case Hold() if command.reply in self._replies:
                self._replies[command.reply].pop(_M.TURN_OVER, None)
            case Pause():
                self._paused_at = at
            case Resume():
                self._paused_at = None
            case CancelReply():
                self._replies.pop(command.reply, None)
                self._silence(event, command.reply)

    def _hear(self, event: SpeechProbability) -> None:
        event = callers_own(event, self._policy)
        if not self._caller.listen(event.audio_end, event.probability, self._policy):
            return
        if self._caller.last_speech == event.audio_end:
            self._turn.clear()
        else:
            self._turn.setdefault(_M.SILENCE_KNOWN, event.at)

    def _reach(self, reply: int, milestone: Milestone, at: int) -> None:
        if reply in self._replies:
            self._replies[reply].setdefault(milestone, at)

    def _sound(self, event: PlaybackStarted) -> None:
        self._audible = event.reply
        reached = self._replies.pop(event.reply, {})
        if _M.TURN_OVER in reached and reached[_M.SPEECH_END] > self._answered:
            self.turns.append(_turn(event.reply, {**reached, _M.FIRST_FRAME: event.at}))
            self._answered = reached[_M.SPEECH_END]

    def _acknowledge(self, event: WordAcknowledged) -> None:
        last = self.turns[-1] if self.turns else None
        if last is not None and last.reply == event.reply and last.first_word_acknowledged is None:
            self.turns[-1] = replace(last, first_word_acknowledged=event.at)

    def _silence(self, event: Event, reply: int) -> None:
        if reply != self._audible:
            return
        silent = event.at if self._paused_at is None else self._paused_at
        self._audible = self._paused_at = None
        if isinstance(event, _CALLER):
            began = event.at if isinstance(event, DigitPressed) else self._caller.utterance_started
            self.barge_ins.append(BargeIn(reply, began, silent))


def percentile(values: Sequence[Number], percent: float) -> Number | None:
    """The smallest of `values` that at least this percentage of them does not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def _turn(reply: int, reached: Mapping[Milestone, int]) -> TurnLatency:
    """Clips everything to the time between the last sound and the first, and shares that time out."""
    start, end = reached[_M.SPEECH_END], reached[_M.FIRST_FRAME]
    times = {milestone: min(max(start, reached[milestone]), end) for milestone in Milestone if milestone in reached}
    causes = {milestone: _cause(milestone, times) for milestone in times if milestone is not _M.SPEECH_END}
    critical = set()
    step = _M.FIRST_FRAME
    while step is not _M.SPEECH_END:
        critical.add(step)
        step = causes[step]
    stages = tuple(
        Stage(
            milestone, times[cause], times[milestone], times[milestone] - times[cause] if milestone in critical else 0
        )
        for milestone, cause in causes.items()
    )
    ahead = reached[_M.REPLY_STARTED] < reached[_M.TURN_OVER]
    return TurnLatency(reply, start, end, stages, ahead)


def _cause(milestone: Milestone, times: Mapping[Milestone, int]) -> Milestone:
    """What held a milestone up: the latest it may have waited for, or else the end of speech."""
    before = [cause for cause in _WAITS_FOR[milestone] if cause in times and times[cause] <= times[milestone]]
    return max(before, key=lambda cause: times[cause], default=_M.SPEECH_END)
