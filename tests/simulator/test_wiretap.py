"""The laws of the judge: what was really heard, told from the line alone."""

import asyncio

import pytest

from client_caller.conversation.history import AgentSaid, CallerSaid
from client_caller.simulator import tones
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.simulator.wiretap import Wiretap, judge
from client_caller.telephony.leg import Leg

WORD = 800
"""Samples of each word: 100 ms."""


class Speaker:
    """A shell that says words with a mark behind each, and falls silent at a given time."""

    def __init__(self, leg: Leg, words: str, silent_at: float) -> None:
        self.leg = leg
        self.words = words
        self.silent_at = silent_at
        self.acknowledged: list[str] = []

    def begin(self) -> None:
        for number, word in enumerate(self.words.split()):
            self.leg.send_audio(tones.spell(word, WORD))
            self.leg.send_mark(str(number))
        loop = asyncio.get_running_loop()
        loop.call_later(self.silent_at, self.leg.clear)
        loop.call_later(self.silent_at + 1, self.leg.hang_up, "over")

    def hear(self, mulaw: bytes, timestamp: int) -> None: ...
    def press(self, digit: str) -> None: ...
    def lose(self, reason: str) -> None: ...

    def acknowledge(self, mark: str) -> None:
        self.acknowledged.append(mark)


class Listener:
    def live(self, heard: bytes) -> bytes:
        return b"\xff" * 160


def call(silent_at: float, line: Impairments = PERFECT) -> tuple[FarEnd, Wiretap, Speaker]:
    speakers = []
    taps = []

    async def main() -> FarEnd:
        def shell(leg: Leg) -> Wiretap:
            taps.append(Wiretap(leg))
            speakers.append(Speaker(taps[0], "one two three four five", silent_at))
            return taps[0].attach(speakers[0])  # type: ignore[return-value]

        line_in = InProcessLine(Listener(), StreamIdentity("CA1", "MZ1"), shell, line)
        await line_in.talk()
        return line_in.phone.far_end

    return run_virtual(main()), taps[0], speakers[0]


def said(*heard: str) -> list[AgentSaid | CallerSaid]:
    return [AgentSaid(0, 0, text, "rest", cut=True) for text in heard] + [CallerSaid(0, 0, "words of the caller")]


def test_over_a_perfect_line_every_word_played_is_proven() -> None:
    """Silenced in the middle of the third word, the agent said exactly two, and nothing is in flight."""
    far_end, tap, speaker = call(silent_at=0.25)
    judgement = judge(far_end, tap, said("one two"))
    assert judgement.exact
    assert (judgement.interruptions, judgement.played, judgement.in_flight) == (1, ("one", "two"), 0)
    assert speaker.acknowledged == ["0", "1", "2", "3", "4"], "the clear returned the marks of all the others"


def test_a_word_whose_mark_was_on_its_way_is_in_flight() -> None:
    """With 60 ms each way the mark of a word that ended 40 ms ago can't be known: it is not expected."""
    far_end, tap, _ = call(silent_at=0.31, line=Impairments(delay=0.06))
    judgement = judge(far_end, tap, said("one"))
    # Begun at 0.06, cleared at 0.37 + 0.06: three words were played, and at 0.37 one mark had come back.
    assert judgement.played == ("one", "two", "three")
    assert judgement.expected == ("one", "two")[: len(judgement.expected)]
    assert judgement.in_flight == 3 - len(judgement.expected)
    assert judgement.in_flight > 0
    assert judge(far_end, tap, said("one two three")).exact, "it was played: to know it is not wrong"
    assert not judge(far_end, tap, said("one two three four")).exact


@pytest.mark.parametrize(
    ("history", "says"),
    [
        (["one two three"], "'three': the history has it, the far end did not play it"),
        (["one"], "'two': the far end provably played it, the history does not have it"),
        (["one", "too"], "'too': the history has it"),
        (["two", "one"], "'one': the history has it"),
        ([], "'one': the far end provably played it"),
    ],
)
def test_any_difference_is_found(history: list[str], says: str) -> None:
    """A word too many, too few or another one: none passes, and the judge says where."""
    far_end, tap, _ = call(silent_at=0.25)
    judgement = judge(far_end, tap, said(*history))
    assert not judgement.exact
    assert says in judgement.difference


def test_words_without_marks_cannot_be_judged() -> None:
    """The judge needs a mark behind every word, and says so instead of guessing."""
    far_end, tap, _ = call(silent_at=0.25)
    far_end.returned.pop()
    with pytest.raises(ValueError, match="no mark stood behind 'two'"):
        judge(far_end, tap, said("one two"))
