"""One call: from its audio, and from where in it somebody speaks, to the words as they come.

Nemotron gets stretches of speech. A stretch begins a little before somebody speaks and has a stream of its own; its
audio goes to the model chunk by chunk, pauses included, and each chunk's words are told. A stretch ends when its final
words are asked for, or with a long pause: then the chunk that is begun is filled up with silence, and what it says is
the end. So final words take one run of the model, whatever was said before.

No clock and no await. Positions are samples at 8 kHz from the start of the call.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from client_caller.audio.resample import Doubler
from client_caller.models.hearing.events import Final, Guess
from client_caller.models.hearing.gate import BEFORE, LEAD, LONG_PAUSE, Gate, Tape
from client_caller.models.hearing.recogniser import CLOCK, SAMPLE_RATE, Floats, Tell
from client_caller.models.hearing.words import Word, text_of
from client_caller.models.nemotron.chunks import Chunk, Cutter, Sizes, Stream, Token
from client_caller.models.nemotron.spelling import Spelling

Submit = Callable[[Chunk], "asyncio.Future[tuple[Token, ...]]"]


@dataclass(slots=True)
class _Stretch:
    """Some speech."""

    stream: Stream
    cutter: Cutter
    spelling: Spelling
    speech_end: int


@dataclass(slots=True)
class _Work:
    """A chunk that is to be heard."""

    chunk: Chunk
    stretch: _Stretch


class Session:
    """One call; implements `Listener`. The model has one chunk of it at a time; the others wait here."""

    def __init__(self, submit: Submit, tell: Tell, *, rate: int, sizes: Sizes, language: str) -> None:
        """`rate`: samples a second of the audio, 8,000 or 16,000. `language`: the one that the model knows."""
        self._submit = submit
        self._tell = tell
        self._sizes = sizes
        self._language = language
        self._doubler = Doubler() if rate == CLOCK else None
        self._tape = Tape(SAMPLE_RATE)
        self._gate = Gate()
        self._stretch: _Stretch | None = None
        self._work: deque[_Work | None] = deque()
        """What is to be done in this order: chunks, and requests for final words (None)."""
        self._doing: _Work | None = None
        self._answer: asyncio.Future[tuple[Token, ...]] | None = None
        self._settled: list[Word] = []

    def feed(self, samples: Floats) -> None:
        self._tape.feed(samples if self._doubler is None else self._doubler.feed(samples))

    @property
    def backlog(self) -> float:
        waiting = sum(len(work.chunk.samples) for work in self._work if work is not None)
        return self._tape.seconds + waiting / SAMPLE_RATE

    def voice(self, samples_through: int, probability: float) -> None:
        new = self._gate.hear(probability)
        if new and self._stretch is None:
            self._stretch = self._begun(max(self._tape.begin, samples_through - new - BEFORE))
        stretch = self._stretch
        if stretch is None:
            self._tape.forget(samples_through - LEAD)
            return
        if new:
            stretch.speech_end = samples_through
        for samples in stretch.cutter.push(self._tape.part(self._tape.begin, samples_through)):
            self._work.append(_Work(Chunk(stretch.stream, samples), stretch))
        self._tape.forget(samples_through)
        if samples_through - stretch.speech_end >= LONG_PAUSE:
            self._end(stretch)
        self._go_on()

    def finish(self) -> None:
        if self._stretch is not None:
            self._end(self._stretch)
        self._work.append(None)
        self._go_on()

    def close(self) -> None:
        if self._answer is not None:
            self._answer.cancel()
        self._work.clear()
        self._doing = self._answer = self._stretch = None

    def _begun(self, begin: int) -> _Stretch:
        self._tape.forget(begin)
        spelling = Spelling(begin / CLOCK, self._sizes.frame)
        return _Stretch(Stream(), Cutter(self._sizes), spelling, begin)

    def _end(self, stretch: _Stretch) -> None:
        self._work.append(_Work(Chunk(stretch.stream, stretch.cutter.end(), final=True), stretch))
        self._stretch = None

    def _go_on(self) -> None:
        while self._work and self._answer is None:
            work = self._work.popleft()
            if work is None:
                self._tell(Final(tuple(self._settled), self._language))
                self._settled = []
            else:
                self._doing, self._answer = work, self._submit(work.chunk)
                self._answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[tuple[Token, ...]]") -> None:
        if answer is not self._answer or self._doing is None:
            return  # the call is over
        work, self._doing, self._answer = self._doing, None, None
        if (error := answer.exception()) is not None:
            self._tell(error)
            return
        self._take(work, answer.result())
        self._go_on()

    def _take(self, work: _Work, tokens: tuple[Token, ...]) -> None:
        spelling = work.stretch.spelling
        certain = spelling.take(tokens)
        if work.chunk.final:
            certain += spelling.end()
            self._settled += spelling.certain
        if (tokens or certain) and None not in self._work:
            self._tell(Guess(_behind(certain), _behind(spelling.unstable)))


def _behind(words: tuple[Word, ...]) -> str:
    return f" {text_of(words)}" if words else ""
