"""The figures of `bench models hearing`, from what was played and what a server told of it.

All times are on the audio's own clock: a word is late by the time from its end, by the word times that our own servers
tell with the final words, to the first message that has it. No word is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.cli.spread import Spread


@dataclass(frozen=True, slots=True)
class Recording:
    """What is played of it, up to where a conversation asks for the final words."""

    mulaw: bytes
    begins: int
    """The first voiced sample."""
    ends: int
    """Behind the last voiced sample."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds; None where the server gave nothing to measure by."""

    calls: int
    recordings: int
    words: int
    """In all final transcripts."""
    first_guess: Spread | None
    """From the beginning of speech to the first message with words."""
    guessed: Spread | None
    """From a word's end to the first message that has as many words."""
    certain: Spread | None
    """The same, of words that are not taken back."""
    after_speech: Spread | None
    """From the end of speech to the final words."""
    after_request: Spread | None
    """From the request for final words to them."""
    sent_late: Spread | None
    """By how much our own frames left too late: a busy machine is no slow server."""


class Word(msgspec.Struct):
    end: float | None = None
    """Seconds of the call's audio."""


class Told(msgspec.Struct):
    """What our servers and vLLM's say of words (`engines.realtime_wire`)."""

    type: str
    delta: str = ""
    unstable: str = ""
    text: str = ""
    words: list[Word] = []


@dataclass(frozen=True, slots=True)
class Shown:
    """The words that were there after one message."""

    at: float
    """Seconds since the recording's first sample was spoken."""
    certain: int
    every: int
    """Those included that may still change."""


@dataclass(slots=True)
class Notes:
    """What is measured, over all calls; milliseconds."""

    words: int = 0
    first_guess: list[float] = field(default_factory=list)
    guessed: list[float] = field(default_factory=list)
    certain: list[float] = field(default_factory=list)
    after_speech: list[float] = field(default_factory=list)
    after_request: list[float] = field(default_factory=list)
    sent_late: list[float] = field(default_factory=list)

    def take(self, recording: Recording, played: int, shown: Sequence[Shown], told: Told) -> None:
        """The words of one recording, before which `played` samples of the call had been heard."""
        self.words += len(told.text.split())
        first = next((one.at for one in shown if one.every), None)
        if first is not None:
            self.first_guess.append((first - recording.begins / SAMPLE_RATE) * 1000)
        for number, word in enumerate(told.words):
            if word.end is None:
                continue
            ended = word.end - played / SAMPLE_RATE
            guessed = next((one.at for one in shown if one.every > number), None)
            certain = next((one.at for one in shown if one.certain > number), None)
            if guessed is not None:
                self.guessed.append((guessed - ended) * 1000)
            if certain is not None:
                self.certain.append((certain - ended) * 1000)

    def figures(self, calls: int, recordings: int) -> Figures:
        columns = (
            self.first_guess,
            self.guessed,
            self.certain,
            self.after_speech,
            self.after_request,
            self.sent_late,
        )
        return Figures(calls, recordings, self.words, *map(Spread.of, columns))
