"""The laws of the examiner: it knows at which sample it said what, and whether its own clock was on time."""

import asyncio
from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.examiner import ATTEMPTS, Examiner, Said
from client_caller.simulator.utterances import Utterance, voiced
from client_caller.simulator.virtual_time import run_virtual

TALK = g711.encode(np.tile(np.array([3000, -3000], np.int16), 80))
QUIET = g711.SILENCE * g711.FRAME


def utterance(name: str, milliseconds: int) -> Utterance:
    """Sound between 30 ms of silence."""
    sound = g711.encode(np.tile(np.array([2000, -2000], np.int16), milliseconds * 4))
    return Utterance(name, g711.SILENCE * 240 + sound + g711.SILENCE * 240, name, 240, 240 + len(sound))


class Life:
    """A caller's life, 20 ms at a time, with an agent that answers each of its sounds."""

    def __init__(self, instruct: Callable[[Examiner], Examiner], late: Callable[[int], float] = lambda beat: 0) -> None:
        self.audio = bytearray()
        self.told: list[Said] = []
        self.words = KnownWords()
        self._instruct = instruct
        self._late = late
        run_virtual(self._live())

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        examiner = self._instruct(Examiner(self.words, self.told.append, Random(1)))
        talk_until = 50
        for beat in range(100_000):
            await asyncio.sleep(began + 0.02 * beat + self._late(beat) - loop.time())
            frame = examiner.live(TALK if beat < talk_until else QUIET)
            if frame is None:
                return
            if frame != QUIET:
                talk_until = beat + 300
            self.audio += frame
        raise AssertionError("it never hung up")


@pytest.fixture
def questions() -> list[Utterance]:
    return [utterance("first", 500), utterance("second", 730)]


def test_it_knows_where_its_words_are(questions: list[Utterance]) -> None:
    """Begin and end of everything said are those of the audio on the line, to the sample; the words are known too."""
    life = Life(lambda one: one.ask(questions))
    places = voiced(bytes(life.audio))
    breaks = np.flatnonzero(np.diff(places) > 8)
    begins = [places[0], *places[breaks + 1]]
    ends = [*(places[breaks] + 1), places[-1] + 1]
    assert [(one.begins, one.ends) for one in life.told] == list(zip(begins, ends, strict=True))
    assert [(one.purpose, one.name) for one in life.told] == [("question", "first"), ("question", "second")]
    assert life.words.feed(bytes(life.audio)) == ["first", "second"]
    assert all(one.ends <= one.until for one in life.told)


def test_a_question_spoilt_by_our_own_clock_is_asked_again(questions: list[Utterance]) -> None:
    """One late frame between question and answer, and the question is marked and repeated; a clock that is always late
    ends that, too. In the middle of the question it would have done no harm.
    """
    done = Life(lambda one: one.ask(questions)).told[0].ends // g711.FRAME
    once = Life(lambda one: one.ask(questions), late=lambda beat: 0.012 if beat in (done - 5, done + 1) else 0)
    assert [(one.name, one.punctual) for one in once.told] == [("first", False), ("first", True), ("second", True)]
    assert once.told[0].late == pytest.approx(12)
    before = Life(lambda one: one.ask(questions), late=lambda beat: 0.012 if beat == done - 5 else 0)
    assert [(one.name, one.punctual) for one in before.told] == [("first", True), ("second", True)]
    always = Life(lambda one: one.ask(questions), late=lambda beat: 0.012 if beat % 2 else 0)
    assert [one.name for one in always.told] == ["first"] * ATTEMPTS + ["second"] * ATTEMPTS


def test_it_hums_over_each_answer_and_then_cuts_in(questions: list[Utterance]) -> None:
    """Every backchannel and every interruption is spoken while the agent talks."""
    first, second = questions
    told = Life(lambda one: one.disturb(first, [second], [utterance("yeah", 200)])).told
    assert [(one.purpose, one.name) for one in told] == [
        ("question", "first"),
        ("backchannel", "yeah"),
        ("question", "first"),
        ("interruption", "second"),
    ]
