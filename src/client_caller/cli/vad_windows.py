"""Recordings in windows of 32 ms: what the ears of a call make of each, and what the labels say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.labelled_audio import Recording
from client_caller.conversation.policy import Policy
from client_caller.conversation.state import TurnState
from client_caller.conversation.turn import CallerTurn

SECONDS = WINDOW / g711.SAMPLE_RATE
MILLISECONDS = WINDOW * 1000 // g711.SAMPLE_RATE

Windows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Frames:
    """Windows counted: `true_speech` is speech heard as such, `false_speech` is other audio taken for it."""

    true_speech: int = 0
    missed_speech: int = 0
    false_speech: int = 0
    true_other: int = 0

    def __add__(self, other: "Frames") -> "Frames":
        return Frames(
            self.true_speech + other.true_speech,
            self.missed_speech + other.missed_speech,
            self.false_speech + other.false_speech,
            self.true_other + other.true_other,
        )

    @property
    def f1(self) -> float | None:
        """Twice the true speech, over that and both errors; None where nobody speaks."""
        if not self.true_speech + self.missed_speech:
            return None
        return 2 * self.true_speech / (2 * self.true_speech + self.missed_speech + self.false_speech)

    @property
    def missed(self) -> float | None:
        """The share of speech that was not heard."""
        spoken = self.true_speech + self.missed_speech
        return self.missed_speech / spoken if spoken else None

    @property
    def false_alarm(self) -> float:
        """The share of other audio taken for speech."""
        return self.false_speech / max(1, self.true_other + self.false_speech)


def scores(batch: VoiceBatch, calls: Sequence[bytes]) -> list[list[float]]:
    """The probability of speech in each window of several calls that run side by side."""
    voices = [batch.join() for _ in calls]
    found: dict[int, list[float]] = {id(voice): [] for voice in voices}
    for start in range(0, max(map(len, calls)), WINDOW):
        for voice, call in zip(voices, calls, strict=True):
            voice.feed(call[start : start + WINDOW])
        for heard in batch.run():
            found[id(heard.voice)].append(heard.probability)
    for voice in voices:
        voice.leave()
    return [found[id(voice)] for voice in voices]


def spoken(probabilities: Sequence[float]) -> Windows:
    """Which windows the caller's turn counts as speech, in the end: those that made it sure included."""
    policy, turn = Policy(), CallerTurn()
    speech = np.zeros(len(probabilities), bool)
    for window, probability in enumerate(probabilities):
        voiced = turn.voiced
        turn.listen((window + 1) * MILLISECONDS, probability, policy)
        speech[window + 1 - (turn.voiced - voiced) // MILLISECONDS : window + 1] = True
    return speech


def noticed(probabilities: Sequence[float]) -> list[int]:
    """After which windows the turn is one of somebody who speaks: what a call can act on."""
    policy, turn = Policy(), CallerTurn()
    found = []
    for window, probability in enumerate(probabilities):
        turn.listen((window + 1) * MILLISECONDS, probability, policy)
        if turn.state is TurnState.SPEAKING:
            found.append(window)
    return found


def judge(one: Recording, probabilities: Sequence[float]) -> Frames:
    """Count one recording's windows against its labels, each by its middle."""
    middles = (np.arange(len(probabilities)) + 0.5) * SECONDS
    speech, counted = np.zeros(len(middles), bool), np.ones(len(middles), bool)
    for start, end in one.speech:
        speech |= (start <= middles) & (middles < end)
    for start, end in one.ignored:
        counted &= (middles < start - SECONDS / 2) | (end + SECONDS / 2 <= middles)
    heard = spoken(probabilities)
    pairs = ((speech, heard), (speech, ~heard), (~speech, heard), (~speech, ~heard))
    return Frames(*(int((truth & decision & counted).sum()) for truth, decision in pairs))
