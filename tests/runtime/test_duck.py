"""The laws of speaking softly: the far end goes on from its very sample, and what it proves is what it played."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.audio.g711 import SILENCE, SOFTLY, decode, encode
from client_caller.conversation.clauses import words_of
from client_caller.conversation.events import WordAcknowledged
from client_caller.engines.protocols import WordTime
from client_caller.runtime.player import SAMPLES_A_MS, Player
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.telephony.twilio_stream import Mark, TwilioStream

TEXT = "one two three four five six seven eight"
WORD = 250 * SAMPLES_A_MS
NOISE = random.Random(5).randbytes(8 * WORD).replace(SILENCE, b"\x80")
"""Sound of which every part can be told from every other."""


class Wire:
    """A player and a real far end, with a constant delay each way. Times are samples of the call."""

    def __init__(self, delay: int = 0) -> None:
        self.delay = delay
        self.now = 0
        self.far_end = FarEnd(StreamIdentity("CA1", "MZ1"), 0.0)
        self.acknowledged: list[int] = []
        self._stream = TwilioStream()
        self._reader = TwilioStream()
        for frame in self.far_end.opening():
            self._reader.receive(frame)
        self._stream.receive(self.far_end.opening()[1])
        self._coming: list[tuple[int, str, str]] = []
        self.player = Player(self, lambda fact: None, lambda mulaw, at: None)
        self.player.release(1, 0)
        self.player.expect(1, 0, TEXT)
        times = [WordTime(index, (index + 1) * WORD) for index in range(len(words_of(TEXT)))]
        self.player.add(1, 0, NOISE, times, 0)
        self.player.finish(1, 0, 0)

    def send_audio(self, mulaw: bytes) -> None:
        self._send(self._stream.media(mulaw))

    def send_mark(self, name: str) -> None:
        self._send(self._stream.mark(name))

    def clear(self) -> None:
        self._send(self._stream.clear())

    def hang_up(self, reason: str) -> None:
        raise AssertionError("the player never hangs up")

    def _send(self, frame: str) -> None:
        self._coming.append((self.now + self.delay, "out", frame))
        if not self.delay:
            self._arrive()

    def wait(self, samples: int) -> None:
        """Time passes, sample by sample where something happens."""
        until = self.now + samples
        while self.now < until:
            self.now += 1
            for frame in self.far_end.advance(self.now / 8000):
                self._coming.append((self.now + self.delay, "back", frame))
            self._arrive()
            if self.now % 160 == 0:
                self.player.beat(self.now / SAMPLES_A_MS)

    def _arrive(self) -> None:
        while self._coming and self._coming[0][0] <= self.now:
            _, way, frame = self._coming.pop(0)
            if way == "out":
                for mark in self.far_end.receive(frame, self.now / 8000):
                    self._coming.append((self.now + self.delay, "back", mark))
            else:
                mark_name = self._reader.receive(frame)
                assert isinstance(mark_name, Mark)
                fact = self.player.acknowledge(mark_name.name, self.now / SAMPLES_A_MS, self.now // SAMPLES_A_MS)
                if isinstance(fact, WordAcknowledged):
                    self.acknowledged.append(fact.word)

    def duck(self) -> None:
        self.player.duck(1, self.now / SAMPLES_A_MS)

    def resume(self) -> None:
        self.player.resume(1, self.now / SAMPLES_A_MS)


def known(wire: Wire) -> None:
    """As many marks have come back as it takes to know the line."""
    for _ in range(8):
        wire.player._lag.note(0, 0)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12_000), st.integers(1, 3000))
def test_the_voice_becomes_soft_and_loud_again_at_a_sample(before: int, soft: int) -> None:
    """Over a line without delay no sample is missing, none comes twice, and the soft stretch is exactly that long."""
    wire = Wire()
    known(wire)
    wire.wait(before)
    wire.duck()
    wire.wait(soft)
    wire.resume()
    wire.wait(len(NOISE) + 400 - before - soft)
    played = bytes(wire.far_end.played)
    stretch = NOISE[before : before + soft].translate(SOFTLY)
    assert played[: len(NOISE)] == NOISE[:before] + stretch + NOISE[before + soft :]
    assert wire.acknowledged == list(range(8)), "each word proven once, in order"


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 9_000), st.integers(8, 800))
def test_over_a_slow_line_nothing_is_left_out(before: int, delay: int) -> None:
    """What is not proven yet may be said twice, never skipped: the rest follows from a sample that was played."""
    wire = Wire(delay)
    wire.wait(before + 2 * delay)
    wire.duck()
    wire.wait(delay)
    cut = len(wire.far_end.played)
    wire.wait(len(NOISE) + 4 * delay + 1000)
    played, soft = bytes(wire.far_end.played), NOISE.translate(SOFTLY)
    reached = len(played[:cut].strip(SILENCE))
    begins = soft.index(played[cut : cut + 400])
    assert reached - 60 * SAMPLES_A_MS - 2 * delay <= begins <= reached
    assert played[cut : cut + len(NOISE) - begins] == soft[begins:]
    assert wire.acknowledged == list(range(8))


def test_on_a_line_that_stands_still_the_whole_word_is_said_again() -> None:
    """How much of it was played can't be told, and its mark is to prove all of it."""
    wire = Wire()
    known(wire)
    wire.player._lag.note(0, 4000)
    wire.wait(2 * WORD + 1000)
    wire.duck()
    cut = len(wire.far_end.played)
    wire.wait(WORD)
    assert bytes(wire.far_end.played[cut:]) == NOISE[2 * WORD : 3 * WORD].translate(SOFTLY)
    assert wire.acknowledged == [0, 1, 2]


def test_words_that_a_clear_brings_back_are_not_heard() -> None:
    """The marks of what was dropped come back at once, and say nothing; those of what is played again do."""
    wire = Wire()
    known(wire)
    wire.wait(2 * WORD + 100)
    wire.duck()
    assert wire.far_end.clears[0].marks == ("1.0.2.0",)
    assert wire.acknowledged == [0, 1]
    wire.wait(WORD)
    assert wire.acknowledged == [0, 1, 2]


def test_a_pause_after_that_is_loud_again() -> None:
    """It goes on from the first word that was not proven, as loud as ever."""
    wire = Wire()
    known(wire)
    wire.wait(WORD + 100)
    wire.duck()
    wire.wait(400)
    wire.player.pause(1, wire.now / SAMPLES_A_MS)
    wire.wait(800)
    begins = len(wire.far_end.played)
    wire.resume()
    wire.wait(WORD)
    assert bytes(wire.far_end.played[begins : begins + WORD]) == NOISE[WORD : 2 * WORD]


@pytest.mark.parametrize("act", ["duck", "resume"])
def test_a_reply_that_is_over_is_left_alone(act: str) -> None:
    """A command that comes late changes nothing."""
    wire = Wire()
    wire.player.cancel(1, 0)
    clears = len(wire.far_end.clears)
    getattr(wire, act)()
    wire.wait(400)
    assert len(wire.far_end.clears) == clears
    assert not bytes(wire.far_end.played).strip(SILENCE)


@pytest.mark.parametrize("level", [32000, 8000, 2000, 500, 320])
def test_softly_is_at_least_twelve_decibels_down(level: int) -> None:
    """Every level of speech, after mu-law has rounded it: from full scale to 40 dB below."""
    loud = encode(np.array([level], np.int16))
    assert decode(loud.translate(SOFTLY))[0] <= decode(loud)[0] * 10 ** (-12 / 20)
