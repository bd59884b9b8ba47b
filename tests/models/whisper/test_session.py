"""The laws of one call's recognition. Voice activity and answers are told by hand; nothing here has a clock."""

import asyncio
from dataclasses import dataclass, field

import numpy as np
import pytest

from client_caller.audio.silero import WINDOW as VOICE_WINDOW
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.gate import BEFORE, LONG_PAUSE
from client_caller.models.hearing.metrics import REGISTRY
from client_caller.models.hearing.recogniser import CLOCK, SAMPLE_RATE
from client_caller.models.hearing.words import Word, text_of
from client_caller.models.whisper.backend import Hypothesis, Window
from client_caller.models.whisper.session import PAUSE, TICK, Session


@dataclass
class Line:
    """A session, what it asked the recogniser, and what it told."""

    wishes: Wishes = field(default_factory=lambda: Wishes("en"))
    seconds: float = 30.0
    rate: int = CLOCK
    pace: float = 0.0

    def __post_init__(self) -> None:
        self.told: list[Guess | Final | BaseException] = []
        self.asked: list[tuple[Window, asyncio.Future[Hypothesis]]] = []
        self.through = 0
        self.session = Session(
            self.submit,
            self.told.append,
            rate=self.rate,
            seconds=self.seconds,
            wishes=self.wishes,
            pace=lambda: self.pace,
        )

    def submit(self, window: Window) -> "asyncio.Future[Hypothesis]":
        answer: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self.asked.append((window, answer))
        return answer

    def hear(self, seconds: float, probability: float) -> None:
        """Audio whose samples count up from 0, so that it can be seen which of it was sent."""
        for _ in range(round(seconds * CLOCK / VOICE_WINDOW)):
            begin = self.through * self.rate // CLOCK
            self.through += VOICE_WINDOW
            self.session.feed(np.arange(begin, self.through * self.rate // CLOCK).astype(np.float32))
            self.session.voice(self.through, probability)

    def speak(self, seconds: float) -> None:
        self.hear(seconds, 0.9)

    def pause(self, seconds: float) -> None:
        self.hear(seconds, 0.05)

    async def answer(self, text: str, *, no_speech: float = 0.0, logprob: float = -0.1, language: str = "en") -> Window:
        """Answer the newest question, and let the session take it."""
        window, answer = self.asked[-1]
        times = [(i * 0.1, i * 0.1 + 0.1, 0.5) if window.final else (None, None, None) for i in range(99)]
        words = tuple(Word(word, *time) for word, time in zip(text.split(), times, strict=False))
        answer.set_result(Hypothesis(words, language, no_speech, logprob))
        await asyncio.sleep(0)
        return window

    @property
    def finals(self) -> list[str]:
        return [text_of(told.words) for told in self.told if isinstance(told, Final)]


def counted(when: str) -> float:
    return REGISTRY.get_sample_value("client_caller_hearing_finals_total", {"when": when}) or 0.0


async def test_silence_is_never_transcribed() -> None:
    """Nor is a click; final words of nothing are nothing, at once."""
    line = Line()
    line.pause(2.0)
    line.speak(0.032)
    line.pause(2.0)
    line.session.finish()
    assert line.asked == []
    assert line.told == [Final((), "en")]


async def test_a_stretch_begins_before_the_speech() -> None:
    """What is transcribed begins 200 ms before the first window with speech, and goes up to now, at 16 kHz."""
    line = Line(rate=SAMPLE_RATE)
    line.pause(1.024)
    line.speak(TICK + 0.2)
    window, _ = line.asked[0]
    begin = (round(1.024 * CLOCK) - BEFORE) * 2
    assert window.samples[0] == begin
    assert len(window.samples) >= TICK * SAMPLE_RATE
    assert not window.final
    assert np.array_equal(window.samples, np.arange(begin, begin + len(window.samples)))


async def test_audio_at_8_khz_is_brought_to_16() -> None:
    """A recogniser gets 16 kHz of whatever came."""
    narrow, wide = Line(), Line(rate=SAMPLE_RATE)
    for line in (narrow, wide):
        line.pause(0.512)
        line.speak(0.8)
    assert len(narrow.asked[0][0].samples) == len(wide.asked[0][0].samples)


async def test_one_question_at_a_time() -> None:
    """However long an answer takes there is never a second guess under way."""
    line = Line()
    line.speak(5.0)
    assert len(line.asked) == 1
    await line.answer("one")
    assert len(line.asked) == 2


async def test_guesses_come_as_far_apart_as_answers_take() -> None:
    """Every 350 ms; less often where an answer takes longer than that."""
    quick, slow = Line(), Line(pace=1.0)
    for line in (quick, slow):
        for _ in range(100):
            line.speak(0.032)
            if line.asked and not line.asked[-1][1].done():
                await line.answer("one")
    assert [len(line.asked) for line in (quick, slow)] == [9, 2]


async def test_words_are_certain_at_the_second_guess() -> None:
    """What two guesses agree on is told as certain, what is behind it as not."""
    line = Line()
    line.speak(0.5)
    await line.answer("I won")
    line.speak(0.5)
    await line.answer("I want a")
    assert line.told == [Guess("", " I won"), Guess(" I", " want a")]


async def test_final_words_are_ready_when_they_are_asked_for() -> None:
    """At the first pause the stretch is transcribed for good; asked for then, the words need no further work."""
    before = counted("ahead")
    line = Line()
    line.speak(0.3)
    line.pause(PAUSE / CLOCK)
    (window, _) = line.asked[0]
    assert window.final
    await line.answer("one two")
    line.pause(0.032)
    line.session.finish()
    assert line.finals == ["one two"]
    assert len(line.asked) == 1
    assert counted("ahead") == before + 1


async def test_final_words_under_way_are_waited_for() -> None:
    """Asked for while they are being worked out, they are not worked out twice."""
    before = counted("asked")
    line = Line()
    line.speak(0.3)
    line.pause(0.096)
    line.session.finish()
    assert line.finals == []
    await line.answer("one two")
    assert line.finals == ["one two"]
    assert len(line.asked) == 1
    assert counted("asked") == before + 1


async def test_a_pause_that_was_none_costs_nothing_but_work() -> None:
    """If the caller goes on, the words of the pause were a guess; the final ones are worked out anew."""
    line = Line()
    line.speak(0.3)
    line.pause(0.096)
    await line.answer("my name")
    assert line.told == [Guess("", " my name")]
    line.speak(0.3)
    line.pause(0.096)
    window = await line.answer("my name is Ann")
    assert window.samples[0] == line.asked[0][0].samples[0]
    line.session.finish()
    assert line.finals == ["my name is Ann"]


async def test_a_guess_gives_way_to_final_words() -> None:
    """A guess that is not answered yet is given up when a pause begins, so that it keeps nobody waiting."""
    line = Line()
    line.speak(0.5)
    line.pause(0.096)
    assert [window.final for window, _ in line.asked] == [False, True]
    assert line.asked[0][1].cancelled()


async def test_asked_for_in_mid_speech() -> None:
    """The words up to there are answered; what comes after belongs to the next answer, and no sound to both."""
    line = Line(rate=SAMPLE_RATE)
    line.speak(0.64)
    await line.answer("one")
    line.session.finish()
    line.speak(0.64)
    first = await line.answer("one two")
    assert line.finals == ["one two"]
    line.session.finish()
    second = await line.answer("three")
    assert line.finals == ["one two", "three"]
    assert second.samples[0] == first.samples[-1] + 1
    assert len(first.samples) == 2 * round(0.64 * CLOCK)
    assert len(second.samples) == 2 * round(0.64 * CLOCK)


async def test_each_request_is_answered_once() -> None:
    """Several requests at once are answered one after the other; the words are in the first."""
    line = Line()
    line.speak(0.3)
    line.pause(0.096)
    for _ in range(3):
        line.session.finish()
    await line.answer("one")
    assert line.finals == ["one", "", ""]


async def test_a_long_pause_closes_a_stretch() -> None:
    """Whisper does not see the pause; the words on both sides of it are one answer, and all were told as certain."""
    line = Line()
    line.speak(0.3)
    line.pause(0.096)
    await line.answer("five five")
    line.pause(LONG_PAUSE / CLOCK + 1.0)
    line.speak(0.3)
    line.pause(0.096)
    window = await line.answer("one two")
    assert len(window.samples) < SAMPLE_RATE
    line.session.finish()
    assert line.finals == ["five five one two"]
    assert line.told[:3] == [Guess("", " five five"), Guess(" five five", ""), Guess("", " one two")]


async def test_nobody_speaks_longer_than_whisper_hears() -> None:
    """Before its window is full a stretch is closed in mid-speech; audio that comes meanwhile waits and is not lost."""
    line = Line(seconds=4.0)
    line.speak(7.0)
    assert not line.asked[0][0].final
    line.asked[0][1].cancel()
    heard = 0
    for text in ("one", "two"):
        window = await line.answer(text)
        assert window.final
        assert len(window.samples) <= 3.1 * SAMPLE_RATE
        heard += len(window.samples)
    line.session.finish()
    await line.answer("three")
    assert line.finals == ["one two three"]
    assert heard + len(line.asked[-1][0].samples) == pytest.approx(7.0 * SAMPLE_RATE, abs=VOICE_WINDOW * 2)


async def test_word_times_count_from_the_start_of_the_call() -> None:
    """Whatever window they were found in; the confidence of a transcript is that of its words."""
    line = Line()
    line.pause(1.024)
    line.speak(0.3)
    line.pause(0.096)
    await line.answer("one two")
    line.session.finish()
    (final,) = [told for told in line.told if isinstance(told, Final)]
    begin = 1.024 - BEFORE / CLOCK
    assert [word.start for word in final.words] == [pytest.approx(begin), pytest.approx(begin + 0.1)]
    assert final.confidence == 0.5
    assert Final((), "en").confidence is None


async def test_what_is_not_believed_is_not_told() -> None:
    """A transcript of nobody's speech is neither guess nor final."""
    line = Line()
    line.speak(0.5)
    await line.answer("Thanks for watching!")
    line.pause(0.096)
    await line.answer("Seven.", no_speech=0.9, logprob=-1.5)
    line.session.finish()
    assert line.told == [Final((), "en")]


async def test_the_language_is_found_out_and_may_change() -> None:
    """Without one: any for the first guess, then the one found; final windows look again, and it is told with them."""
    line = Line(wishes=Wishes(None, prompt="Olive Tree"))
    line.speak(0.5)
    first = await line.answer("eins", language="de")
    line.speak(0.5)
    second = await line.answer("eins zwei", language="de")
    line.pause(0.096)
    third = await line.answer("one two", language="en")
    assert [(w.language, w.detect) for w in (first, second, third)] == [(None, False), ("de", False), ("de", True)]
    assert {w.prompt for w in (first, second, third)} == {"Olive Tree"}
    line.session.finish()
    assert isinstance(line.told[-1], Final)
    assert line.told[-1].language == "en"


async def test_a_given_language_is_kept() -> None:
    """It is not looked for."""
    line = Line(wishes=Wishes("de"))
    line.speak(0.3)
    line.pause(0.096)
    assert (line.asked[0][0].language, line.asked[0][0].detect) == ("de", False)


async def test_what_the_recogniser_raises_is_told() -> None:
    """As it is; whoever carries the session ends it."""
    line = Line()
    line.speak(0.5)
    line.asked[0][1].set_exception(RuntimeError("out of memory"))
    await asyncio.sleep(0)
    assert [str(told) for told in line.told] == ["out of memory"]


async def test_after_the_end_nothing_is_told() -> None:
    """An answer that is under way is given up."""
    line = Line()
    line.speak(0.5)
    line.session.close()
    line.session.close()
    line.speak(0.5)
    line.session.finish()
    await asyncio.sleep(0)
    assert line.asked[0][1].cancelled()
    assert (line.told, len(line.asked)) == ([], 1)
