"""What one examined call amounts to, in milliseconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from client_caller.cli.latency_ledger import LedgerTurn
from client_caller.simulator.examiner import Purpose, Said
from client_caller.simulator.network import FarEnd
from client_caller.simulator.wire import falls_silent, first_clear, first_sound

_SAMPLES_A_MS = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question. All from the caller's last voiced sample on, unless said otherwise."""

    utterance: str
    wire: float | None
    """To the agent's first voiced sample; None if it gave no answer, or spoke before the caller had finished."""
    spoke_over: bool
    late: float
    """By how much the latest of our own frames was late meanwhile."""
    punctual: bool
    """They were punctual enough for `wire` to be believed."""
    ledger: int | None
    """What the server's own ledger says, from where its ears had speech end; None if it has no such answer."""
    speech_end: float | None
    """Where its ears had speech end."""
    reached: dict[str, float]
    """When each milestone of the ledger was reached."""
    shares: dict[str, int]
    """By how much each stage of the ledger moved the first sound; they sum to `ledger`."""
    clause_complete: float | None
    """When the last word of the first clause had come from the language model."""

    @property
    def difference(self) -> float | None:
        """What the ledger does not know of: where speech really ended, and the way to the far end."""
        return None if self.wire is None or self.ledger is None else self.wire - self.ledger


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What came of speaking over the agent. All from the caller's first voiced sample on."""

    utterance: str
    length: float
    clear: float | None
    """To the arrival of the first `clear`, with which the agent becomes softer or silent; None if none came."""
    silent: float
    """To the end of the agent's words at the caller's ear, cut off or not."""
    cut: bool
    """The caller took the floor. If not, and a `clear` came, the agent was softer or silent for a while."""
    late: float
    punctual: bool


class View(Protocol):
    """What is known of the server's own ledger: `latency_ledger.LedgerView`."""

    def turn(self, first_sound: int) -> LedgerTurn | None: ...
    def cut(self, begins: int, ends: int) -> bool: ...


def answers(said: Sequence[Said], far_end: FarEnd, view: View) -> Iterator[Answer]:
    """Of every question."""
    played = bytes(far_end.played)
    for one in said:
        if one.purpose == "question":
            spoke_over = first_sound(played, one.begins, one.ends) is not None
            sound = None if spoke_over else first_sound(played, one.ends, one.until)
            turn = None if sound is None else view.turn(sound // _SAMPLES_A_MS)
            yield _answer(one, spoke_over, sound, turn)


def _answer(one: Said, spoke_over: bool, sound: int | None, turn: LedgerTurn | None) -> Answer:
    end = one.ends / _SAMPLES_A_MS
    complete = turn.clause_complete if turn is not None else None
    return Answer(
        utterance=one.name,
        wire=None if sound is None else sound / _SAMPLES_A_MS - end,
        spoke_over=spoke_over,
        late=one.late,
        punctual=one.punctual,
        ledger=None if turn is None else turn.voice_to_voice,
        speech_end=None if turn is None else turn.speech_end - end,
        reached={} if turn is None else {stage: at - end for stage, at in turn.reached.items()},
        shares={} if turn is None else turn.shares,
        clause_complete=None if complete is None else complete - end,
    )


def disturbances(said: Sequence[Said], far_end: FarEnd, view: View, purpose: Purpose) -> Iterator[Disturbance]:
    """Of everything that was said over the agent with this purpose."""
    played = bytes(far_end.played)
    limits = [*(later.begins for later in said[1:]), len(played)]
    for one, limit in zip(said, limits, strict=True):
        if one.purpose == purpose:
            clear = first_clear(far_end.clears, one.begins, limit)
            yield Disturbance(
                utterance=one.name,
                length=(one.ends - one.begins) / _SAMPLES_A_MS,
                clear=None if clear is None else (clear - one.begins) / _SAMPLES_A_MS,
                silent=(falls_silent(played, one.begins) - one.begins) / _SAMPLES_A_MS,
                cut=view.cut(one.begins // _SAMPLES_A_MS, one.ends // _SAMPLES_A_MS),
                late=one.late,
                punctual=one.punctual,
            )
