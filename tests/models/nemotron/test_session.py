"""The laws of one call's recognition. Voice activity and answers are told by hand; nothing here has a clock."""

import asyncio
import gc
import weakref
from itertools import pairwise
from typing import Literal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.audio.silero import WINDOW
from client_caller.models.hearing.events import Final, Guess
from client_caller.models.hearing.gate import BEFORE, LONG_PAUSE, ONSET
from client_caller.models.hearing.recogniser import CLOCK
from client_caller.models.hearing.words import text_of
from client_caller.models.nemotron.chunks import Chunk, Sizes, Token
from client_caller.models.nemotron.session import Session

SIZES = Sizes(1)
STEP = SIZES.hop * SIZES.mel_frames(first=False)
"""Samples that a chunk brings."""
Step = tuple[Literal["speak", "pause", "finish", "answer"], int]


class Line:
    """A call whose samples count up from 1, and a model whose words are the first sample and the last of a chunk."""

    def __init__(self, rate: int = 16_000) -> None:
        self.rate = rate
        self.told: list[Guess | Final | BaseException] = []
        self.asked: list[tuple[Chunk, asyncio.Future[tuple[Token, ...]]]] = []
        self.through = 0
        self.finished = 0
        self.spoken: list[int] = []
        """Positions of windows in speech that is long enough to count."""
        self.session = Session(self.submit, self.told.append, rate=rate, sizes=SIZES, language="en")

    def submit(self, chunk: Chunk) -> "asyncio.Future[tuple[Token, ...]]":
        assert not self.open, "more than one chunk under way"
        answer: asyncio.Future[tuple[Token, ...]] = asyncio.get_running_loop().create_future()
        self.asked.append((chunk, answer))
        return answer

    @property
    def open(self) -> "list[tuple[Chunk, asyncio.Future[tuple[Token, ...]]]]":
        return [(chunk, answer) for chunk, answer in self.asked if not answer.done()]

    def hear(self, windows: int, probability: float) -> None:
        for _ in range(windows):
            begin, self.through = self.through, self.through + WINDOW
            if probability > 0.5 and windows >= ONSET:
                self.spoken.append(begin)
            times = self.rate // CLOCK
            self.session.feed(np.arange(1 + times * begin, 1 + times * self.through).astype(np.float32))
            self.session.voice(self.through, probability)

    async def answer(self) -> None:
        if self.open:
            chunk, answer = self.open[0]
            heard = chunk.samples[chunk.samples > 0].astype(int)
            piece = f"▁{heard[0]}:{heard[-1]}" if len(heard) else "▁nothing"
            answer.set_result((Token(piece, 0, 1.0),))
        await asyncio.sleep(0)

    async def answer_all(self) -> None:
        while self.open:
            await self.answer()

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

    @property
    def finals(self) -> list[Final]:
        return [told for told in self.told if isinstance(told, Final)]


async def test_silence_is_never_heard() -> None:
    """Nor is a click; final words of nothing are nothing, at once; and silence is not kept."""
    line = Line()
    line.hear(60, 0.1)
    line.hear(1, 0.9)
    line.hear(600, 0.1)
    line.session.finish()
    assert line.asked == []
    assert line.told == [Final((), "en")]
    assert line.session.backlog < 0.3


async def test_a_stretch_begins_before_the_speech() -> None:
    """The first sample that is heard lies 200 ms before the first window with speech."""
    line = Line()
    line.hear(40, 0.1)
    line.hear(20, 0.9)
    chunk, _ = line.asked[0]
    assert chunk.samples[chunk.samples > 0][0] == 1 + 2 * (40 * WINDOW - BEFORE)


async def test_final_words_take_one_more_chunk() -> None:
    """Whatever was heard before: what is left goes to the model at once, and ahead of what others guess at."""
    line = Line()
    line.hear(100, 0.9)
    await line.answer_all()
    heard = len(line.asked)
    line.session.finish()
    assert len(line.asked) == heard + 1
    assert [chunk.final for chunk, _ in line.asked] == [False] * heard + [True]
    await line.answer()
    assert len(line.finals) == 1


async def test_a_long_pause_ends_a_stretch_and_its_words_stay() -> None:
    """The next speech has a stream of its own; the final words are those of both, at their times in the call."""
    line = Line()
    for _ in range(2):
        line.hear(30, 0.9)
        line.hear(LONG_PAUSE // WINDOW + 2, 0.1)
    await line.answer_all()
    line.session.finish()
    assert len({id(chunk.stream) for chunk, _ in line.asked}) == 2
    (final,) = line.finals
    times = [word.start for word in final.words if word.start is not None]
    assert times == sorted(times)
    assert times[-1] > 1.0


async def test_who_waits_for_final_words_gets_no_guesses() -> None:
    """What is still to be heard when they are asked for is told by them alone."""
    line = Line()
    line.hear(60, 0.9)
    line.session.finish()
    await line.answer_all()
    assert len(line.asked) > 2
    (final,) = line.told
    assert isinstance(final, Final)
    assert len(final.words) == len(line.asked)


async def test_audio_at_8_khz_is_brought_to_16() -> None:
    """As many chunks come of it, as long."""
    narrow, wide = Line(8000), Line(16_000)
    for line in (narrow, wide):
        line.hear(60, 0.9)
        await line.answer_all()
    assert len(narrow.asked) == len(wide.asked) > 0


async def test_what_fails_is_told() -> None:
    """The model's own exception, and no final words."""
    line = Line()
    line.hear(30, 0.9)
    error = RuntimeError("out of memory")
    line.asked[0][1].set_exception(error)
    await asyncio.sleep(0)
    assert line.told == [error]


async def test_closing_a_call_frees_what_was_kept_for_it() -> None:
    """The stream goes with it, under way or not; a late answer is told nobody."""
    line = Line()
    line.hear(60, 0.9)
    stream = weakref.ref(line.asked[0][0].stream)
    answer = line.asked[0][1]
    line.session.close()
    line.session.close()
    assert answer.cancelled()
    await asyncio.sleep(0)
    line.asked.clear()
    gc.collect()
    assert stream() is None
    assert line.told == []


steps = st.lists(
    st.one_of(
        st.tuples(st.just("speak"), st.integers(1, 60)),
        st.tuples(st.just("pause"), st.integers(1, 40)),
        st.tuples(st.just("finish"), st.just(0)),
        st.tuples(st.just("answer"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(steps)
async def test_everything_is_heard_once_and_every_request_answered_once(course: list[Step]) -> None:
    """One final for each request, with every word that the model said; what was told as certain is its beginning;
    chunks follow each other without a gap in a stretch, stretches never overlap, and all speech is in one."""
    line = Line()
    for step in course:
        await line.take(step)
    line.hear(10, 0.1)
    await line.take(("finish", 0))
    await line.answer_all()
    assert len(line.finals) == line.finished
    assert sum(len(final.words) for final in line.finals) == len(line.asked)
    certain = ""
    for told in line.told:
        if isinstance(told, Guess):
            certain += told.delta
        elif isinstance(told, Final):
            assert text_of(told.words).startswith(certain.strip())
            certain = ""
    chunks = [chunk for chunk, _ in line.asked]
    for one, other in pairwise(chunks):
        if one.stream is other.stream:
            assert not one.final
            assert np.array_equal(one.samples[-(SIZES.window - SIZES.hop) :], other.samples[: SIZES.window - SIZES.hop])
        else:
            assert one.final
            assert one.samples.max() < other.samples[other.samples > 0].min()
    ends = {int(position) for chunk in chunks for position in chunk.samples}
    assert all({1 + 2 * position, 2 * (position + WINDOW)} <= ends for position in line.spoken)
