"""What holds of one call's recognition whatever happens, in whatever order."""

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.audio.silero import WINDOW as VOICE_WINDOW
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.gate import ONSET
from client_caller.models.hearing.recogniser import CLOCK, SAMPLE_RATE
from client_caller.models.hearing.words import Word
from client_caller.models.whisper.backend import Hypothesis, Window
from client_caller.models.whisper.session import Session

Step = tuple[Literal["speak", "pause", "finish", "answer"], int]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), st.integers(1, 60)),
        st.tuples(st.just("pause"), st.integers(1, 40)),
        st.tuples(st.just("finish"), st.just(0)),
        st.tuples(st.just("answer"), st.just(0)),
    ),
    max_size=40,
)


@dataclass
class Call:
    """A call whose samples count up from 0, and a recogniser whose one word is where its window began and ended."""

    through: int = 0
    finished: int = 0
    spoken: list[int] = field(default_factory=list)
    """Positions of the windows in which somebody spoke, in speech long enough to count."""
    questions: "list[tuple[Window, asyncio.Future[Hypothesis]]]" = field(default_factory=list)
    finals: list[Final] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = Session(
            self.ask, self.told, rate=SAMPLE_RATE, seconds=3.0, wishes=Wishes("en"), pace=lambda: 0.0
        )

    def ask(self, window: Window) -> "asyncio.Future[Hypothesis]":
        assert len(self.open) <= 1, "more than one question under way"
        assert len(window.samples) <= 3.0 * SAMPLE_RATE
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self.questions.append((window, answer))
        return answer

    def told(self, event: Guess | Final | BaseException) -> None:
        if isinstance(event, Final):
            self.finals.append(event)

    @property
    def open(self) -> "list[tuple[Window, asyncio.Future[Hypothesis]]]":
        return [(window, answer) for window, answer in self.questions if not answer.done()]

    def hear(self, windows: int, probability: float) -> None:
        for _ in range(windows):
            begin, self.through = self.through, self.through + VOICE_WINDOW
            if probability > 0.5 and windows >= ONSET:
                self.spoken.append(begin)
            self.session.feed(np.arange(2 * begin, 2 * self.through).astype(np.float32))
            self.session.voice(self.through, probability)

    async def answer(self) -> None:
        if self.open:
            window, answer = self.open[0]
            word = f"{int(window.samples[0])}:{int(window.samples[-1]) + 1}"
            answer.set_result(Hypothesis((Word(word, 0.0, 0.1, 1.0),), "en", 0.0, -0.1))
        await asyncio.sleep(0)

    async def take(self, step: Step) -> None:
        match step:
            case ("speak", windows):
                self.hear(windows, 0.9)
            case ("pause", windows):
                self.hear(windows, 0.1)
            case ("finish", _):
                self.finished += 1
                self.session.finish()
            case _:
                await self.answer()


@settings(max_examples=150, deadline=None)
@given(steps)
async def test_every_word_is_heard_once_and_every_request_answered_once(course: list[Step]) -> None:
    """One final for each request; together they are made of stretches of audio that follow each other, never overlap,
    and hold all speech; there is one question at a time, never longer than the recogniser's window."""
    call = Call()
    for step in course:
        await call.take(step)
    await call.take(("pause", 10))
    await call.take(("finish", 0))
    while call.open:
        await call.answer()
    assert len(call.finals) == call.finished
    ranges = [tuple(map(int, word.text.split(":"))) for final in call.finals for word in final.words]
    for (_, end), (begin, _) in pairwise(ranges):
        assert begin >= end
    for position in call.spoken:
        begin, end = 2 * position, 2 * (position + VOICE_WINDOW)
        assert any(first <= begin and end <= last for first, last in ranges), f"{position / CLOCK:.3f} s was lost"
