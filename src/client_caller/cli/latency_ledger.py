"""A call's journal, read for what the server itself knows of each answer's latency, on the clock of the wire."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from client_caller.calls.journal import Step, read
from client_caller.conversation.commands import Speak
from client_caller.conversation.events import PlaybackStarted, ReplyText
from client_caller.observe.latency import Ledger, Milestone, TurnLatency

_SAME = 100
"""Milliseconds within which a first frame sent and a first sample heard are the same."""


@dataclass(frozen=True, slots=True)
class LedgerTurn:
    """One answer as the server saw it; milliseconds on the clock of the wire."""

    speech_end: int
    first_frame: int
    reached: dict[str, int]
    """When each milestone was reached, by the name of its stage; clipped to the time from `speech_end` on."""
    shares: dict[str, int]
    """By how much each stage moved the first sound."""
    clause_complete: int | None
    """When the last word of the first clause had come from the language model."""

    @property
    def voice_to_voice(self) -> int:
        return self.first_frame - self.speech_end


class LedgerView:
    """All answers of one call."""

    def __init__(self, journal: Path, greeting: int) -> None:
        """`greeting`: when its first sound was heard at the wire, in milliseconds; it ties the two clocks together.

        Raises `JournalError` and `OSError`.
        """
        segment = read(journal)[-1]
        ledger = Ledger(segment.header.policy)
        for step in segment.steps:
            ledger.note(step.event, step.commands)
        sounds = [step.event.at for step in segment.steps if isinstance(step.event, PlaybackStarted)]
        self._ahead = greeting - sounds[0] if sounds else 0
        self._turns = [self._turn(turn, segment.steps) for turn in ledger.turns]
        self._taken = [barge_in.speech_began + self._ahead for barge_in in ledger.barge_ins]

    def turn(self, first_sound: int) -> LedgerTurn | None:
        """The answer that was first heard at this time; None if the ledger has none."""
        return next((turn for turn in self._turns if abs(turn.first_frame - first_sound) <= _SAME), None)

    def cut(self, begins: int, ends: int) -> bool:
        """Whether speech between these times took the floor: the reply that it lay over was not resumed."""
        return any(begins - _SAME <= began <= ends + _SAME for began in self._taken)

    def _turn(self, turn: TurnLatency, steps: Sequence[Step]) -> LedgerTurn:
        clause = _clause_complete(turn.reply, steps)
        return LedgerTurn(
            speech_end=turn.speech_end + self._ahead,
            first_frame=turn.first_frame + self._ahead,
            reached={stage.milestone.value: stage.ended + self._ahead for stage in turn.stages},
            shares={stage.milestone.value: stage.share for stage in turn.stages},
            clause_complete=None if clause is None else clause + self._ahead,
        )


STAGES = tuple(milestone.value for milestone in Milestone if milestone is not Milestone.SPEECH_END)
"""The names in `LedgerTurn.reached` and `shares`, in order."""


def _clause_complete(reply: int, steps: Sequence[Step]) -> int | None:
    """A comma is seen to end a clause only when the next word comes; the clause was complete before that."""
    first = next(
        (one.text for step in steps for one in step.commands if isinstance(one, Speak) and one.reply == reply), None
    )
    if first is None:
        return None
    said = ""
    for step in steps:
        if isinstance(step.event, ReplyText) and step.event.reply == reply:
            said += step.event.text
            if said.lstrip().startswith(first):
                return step.event.at
    return None
