"""One call: from its audio, and from where in it somebody speaks, to guesses and final words.

Whisper gets stretches of speech and never silence. A stretch begins a little before somebody speaks. While it grows,
its words are guessed at again and again, one guess at a time. At the first sign of a pause it is transcribed for good,
on the chance that the pause is the end: if final words are asked for then, they are there, or under way. If the caller
goes on, that transcript was one more guess. A stretch is closed when its final words are asked for, when the pause
after it has become long, or when Whisper could not hear more of it at once.

No clock and no await: audio, voice activity and answers are told to it. Positions are samples at 8 kHz from its start.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from client_caller.audio.resample import resample
from client_caller.audio.silero import WINDOW as VOICE_WINDOW
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.gate import BEFORE, LEAD, LONG_PAUSE, Gate, Tape
from client_caller.models.hearing.recogniser import CLOCK, SAMPLE_RATE, Floats, Tell
from client_caller.models.hearing.words import Word, text_of
from client_caller.models.whisper.backend import Hypothesis, Window
from client_caller.models.whisper.hallucination import doubt
from client_caller.models.whisper.local_agreement import LocalAgreement
from client_caller.models.whisper.metrics import DOUBTED, SPECULATION

PAUSE = 2 * VOICE_WINDOW
"""Silence at which the final words are worked out: 64 ms, a window before a conversation asks for them."""
TICK = 0.35
"""Seconds of audio between two guesses: less brings no word earlier, for a word is committed by its second guess."""
REST = 1.3
"""Guesses are this many times as far apart as an answer takes: what can't be kept up with is asked for less often."""
MARGIN = 1.0
"""Seconds by which the longest stretch is shorter than what Whisper hears at once."""


@dataclass(slots=True)
class _Job:
    """What the recogniser was asked."""

    answer: "asyncio.Future[Hypothesis]"
    begin: int
    speech_end: int
    """As it was then."""
    final: bool


@dataclass(slots=True)
class _Stretch:
    """Some speech, and what is known of its words."""

    begin: int
    guessed: int
    """What was asked about lies before this position."""
    speech_end: int
    voiced: int = 0
    """Samples in which somebody spoke."""
    agreement: LocalAgreement = field(default_factory=LocalAgreement)
    words: tuple[Word, ...] = ()
    """The final ones."""
    words_of: int | None = None
    """The end of speech for which they were worked out."""

    @property
    def known(self) -> tuple[Word, ...] | None:
        """The final words, if they are there and nothing was said since."""
        return self.words if self.words_of == self.speech_end else None


class Session:
    """One call; implements `Listener`."""

    def __init__(
        self,
        submit: Callable[[Window], "asyncio.Future[Hypothesis]"],
        tell: Tell,
        *,
        rate: int,
        seconds: float,
        wishes: Wishes,
        pace: Callable[[], float],
    ) -> None:
        """`rate`: samples a second of the audio, 8,000 or 16,000. `seconds`: the longest window of the recogniser.
        `pace`: the seconds that an answer takes at present. `tell` gets an exception where the recogniser raised it.
        """
        self._submit = submit
        self._tell = tell
        self._rate = rate
        self._longest = round((seconds - MARGIN) * CLOCK)
        self._auto = wishes.language is None
        self._language = wishes.language
        self._prompt = wishes.prompt
        self._pace = pace
        self._tape = Tape(rate)
        self._gate = Gate()
        self._inbox: deque[tuple[int, float] | None] = deque()
        """Windows that were judged, and requests for final words (None): they wait while a stretch is being closed."""
        self._through = 0
        self._settled: list[Word] = []
        self._spoken = wishes.language or ""
        self._job: _Job | None = None
        self._closing = False
        self._asked = False
        self._stretch: _Stretch | None = None

    def feed(self, samples: Floats) -> None:
        self._tape.feed(samples)

    @property
    def backlog(self) -> float:
        return self._tape.seconds

    def voice(self, samples_through: int, probability: float) -> None:
        self._inbox.append((samples_through, probability))
        self._drain()

    def finish(self) -> None:
        self._inbox.append(None)
        self._drain()

    def close(self) -> None:
        if self._job is not None:
            self._job.answer.cancel()
            self._job = None
        self._inbox.clear()
        self._closing = True

    # ---- what happens

    def _drain(self) -> None:
        while self._inbox and not self._closing:
            item = self._inbox.popleft()
            if item is None:
                self._asked = self._closing = True
                SPECULATION.labels(
                    "ahead" if self._stretch is None or self._stretch.known is not None else "asked"
                ).inc()
            else:
                self._judge(*item)
            self._consider()

    def _judge(self, through: int, probability: float) -> None:
        self._through = through
        new = self._gate.hear(probability)
        if not new:
            return
        if self._stretch is None:
            begin = max(self._tape.begin, through - new - BEFORE)
            self._stretch = _Stretch(begin, begin, through)
        self._stretch.voiced += new
        self._stretch.speech_end = through

    def _consider(self) -> None:
        """Do what is due now: nothing, a guess, final words, or the end of a stretch."""
        stretch = self._stretch
        if stretch is None:
            self._tape.forget(self._through - LEAD)
            if self._closing:
                self._answer()
            return
        if self._through - stretch.begin >= self._longest:
            self._closing = True
        silence = self._through - stretch.speech_end
        if self._closing or (not self._gate.speaking and silence >= PAUSE):
            self._finalise(stretch, silence)
        elif self._job is None and self._due(stretch):
            self._ask(stretch, final=False)

    def _due(self, stretch: _Stretch) -> bool:
        apart = max(TICK, REST * self._pace()) * CLOCK
        return stretch.speech_end > stretch.guessed and self._through - stretch.guessed >= apart

    def _finalise(self, stretch: _Stretch, silence: int) -> None:
        """Get the final words of the stretch, or close it with those that are there."""
        if not stretch.voiced:  # begun by speech that went on, and then did not
            self._settle(stretch, ())
            return
        if stretch.known is not None:
            if self._closing or silence >= LONG_PAUSE:
                self._settle(stretch, stretch.known)
            return
        if self._job is not None:
            # One that was made on a pause which was none is let through, for all its work; but not if words are asked
            # for: then what is not begun yet is given up.
            if self._job.final and (not self._closing or self._job.speech_end == stretch.speech_end):
                return
            self._job.answer.cancel()
        self._ask(stretch, final=True)

    def _ask(self, stretch: _Stretch, *, final: bool) -> None:
        samples = self._tape.part(stretch.begin, self._through)
        heard = samples if self._rate == SAMPLE_RATE else resample(samples, self._rate, SAMPLE_RATE)
        window = Window(heard, self._language, detect=self._auto and final, prompt=self._prompt, final=final)
        stretch.guessed = self._through
        self._job = _Job(self._submit(window), stretch.begin, stretch.speech_end, final)
        self._job.answer.add_done_callback(self._answered)

    def _answered(self, answer: "asyncio.Future[Hypothesis]") -> None:
        job, stretch = self._job, self._stretch
        if job is None or stretch is None or answer is not job.answer or answer.cancelled():
            return  # given up
        self._job = None
        if (error := answer.exception()) is not None:
            self._tell(error)
            return
        hypothesis = answer.result()
        if self._auto and (job.final or self._language is None):
            self._language = hypothesis.language
        words = self._believed(hypothesis, stretch.voiced)
        if job.final:
            self._spoken = hypothesis.language
            stretch.words, stretch.words_of = _moved(words, job.begin / CLOCK), job.speech_end
        if words and not self._asked:
            self._show(stretch.agreement.guess(words), stretch)
        self._consider()
        self._drain()

    # ---- the end of a stretch

    def _settle(self, stretch: _Stretch, words: tuple[Word, ...]) -> None:
        """Close the stretch. Speech that has not ended begins the next one."""
        if not self._asked:
            self._show(stretch.agreement.settle(words), stretch)
        self._settled += words
        # What was transcribed must not be heard twice; of silence a little is kept, in case somebody is about to speak.
        self._tape.forget(max(stretch.guessed, self._through - LEAD))
        self._stretch = _Stretch(self._through, self._through, self._through) if self._gate.speaking else None
        if self._closing:
            self._answer()

    def _answer(self) -> None:
        """What had to be closed is."""
        self._closing = False
        if self._asked:
            self._asked = False
            self._tell(Final(tuple(self._settled), self._spoken))
            self._settled = []

    def _believed(self, hypothesis: Hypothesis, voiced: int) -> tuple[Word, ...]:
        reason = doubt(
            text_of(hypothesis.words),
            voiced=voiced / CLOCK,
            no_speech=hypothesis.no_speech,
            mean_logprob=hypothesis.mean_logprob,
        )
        if reason is None:
            return hypothesis.words
        DOUBTED.labels(reason).inc()
        return ()

    def _show(self, certain: tuple[Word, ...], stretch: _Stretch) -> None:
        texts = (f" {text_of(words)}" if words else "" for words in (certain, stretch.agreement.uncommitted))
        self._tell(Guess(*texts))


def _moved(words: tuple[Word, ...], by: float) -> tuple[Word, ...]:
    return tuple(
        Word(w.text, None if w.start is None else w.start + by, None if w.end is None else w.end + by, w.confidence)
        for w in words
    )
