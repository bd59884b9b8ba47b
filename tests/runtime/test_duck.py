"""The laws of speaking softly: the far end goes on from what it has proven, and proves only what it played."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.audio.g711 import SILENCE, SOFTLY, decode, encode
from client_caller.conversation.clauses import words_of
from client_caller.conversation.events import WordAcknowledged, WordProven
from client_caller.engines.protocols import WordTime
from client_caller.runtime.player import LEAD, MESSAGE, SAMPLES_A_MS, Player
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.telephony.twilio_stream import Mark, TwilioStream

TEXT = "one two three four five six seven eight"
WORD = 250 * SAMPLES_A_MS
NOISE = bytes(random.Random(5).choices([code for code in range(256) if SOFTLY[code] | 0x80 < 0xF0], k=8 * WORD))
"""Sound of which every part can be told from every other, also when it is soft, and none is silence."""


class Wire:
    """A player and a real far end, with a constant delay each way. Times are samples of the call."""

    def __init__(self, delay: int = 0) -> None:
        self.delay = delay
        self.now = 0
        self.held_until = 0
        """What is sent before then arrives then: the line stands still."""
        self.far_end = FarEnd(StreamIdentity("CA1", "MZ1"), 0.0)
        self.heard: int | None = None
        """The last word that is known to have been heard."""
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
        self._coming.append((max(self.now + self.delay, self.held_until), "out", frame))
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
                if isinstance(fact, WordAcknowledged | WordProven):
                    assert fact.word > (-1 if self.heard is None else self.heard), "news only"
                    self.heard = fact.word

    def duck(self) -> None:
        self.player.duck(1, self.now / SAMPLES_A_MS)

    def resume(self) -> None:
        self.player.resume(1, self.now / SAMPLES_A_MS)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 12_000), st.integers(1, 800), st.integers(1, 3000))
def test_soft_and_loud_again_nothing_is_left_out(before: int, delay: int, soft: int) -> None:
    """It goes on from a sample that was played: at most a message and the line's way back are heard twice."""
    wire = Wire(delay)
    wire.wait(before + delay)
    wire.duck()
    wire.wait(delay)
    cut = len(wire.far_end.played)
    reached = len(bytes(wire.far_end.played).strip(SILENCE))
    wire.wait(soft)
    wire.resume()
    wire.wait(len(NOISE) + 4 * delay + 1000)
    played, quiet = bytes(wire.far_end.played), NOISE.translate(SOFTLY)
    begins = quiet.index(played[cut : cut + 400])
    assert reached - MESSAGE - 2 * delay <= begins <= reached
    rest = played[cut : cut + len(NOISE) - begins]
    loud = next((place for place in range(len(rest)) if rest[place:] == NOISE[begins + place :]), len(rest))
    assert rest[:loud] == quiet[begins : begins + loud], "softly, then as loud as ever, sample for sample"
    assert soft <= loud <= soft + delay + LEAD + 160 or loud == len(rest)
    assert wire.heard == 7


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 8000), st.integers(0, 8000), st.integers(0, 4000), st.integers(0, 800))
def test_how_far_the_far_end_is_behind_does_not_matter(before: int, still: int, then: int, delay: int) -> None:
    """It may have run dry, for as long as it likes: what was dropped is said again, and only then proven."""
    wire = Wire(delay)
    wire.wait(before)
    wire.held_until = wire.now + still
    wire.wait(then)
    wire.duck()
    wire.wait(len(NOISE) + still + 4 * delay)
    played, soft = bytes(wire.far_end.played).replace(SILENCE, b""), NOISE.translate(SOFTLY)
    dropped = next((place for place in range(len(NOISE)) if played[place] != NOISE[place]), len(NOISE))
    again = soft.index(played[dropped:])
    assert again <= dropped
    assert len(played) - dropped == len(NOISE) - again
    assert wire.heard == 7


def test_words_that_a_clear_brings_back_are_not_heard() -> None:
    """The marks of what was dropped come back at once, and say nothing; those of what is played again do."""
    wire = Wire()
    wire.wait(2 * WORD + 100)
    wire.duck()
    assert wire.far_end.clears[0].marks[-1].startswith("1.0.2.")
    assert wire.heard == 1
    wire.wait(WORD)
    assert wire.heard == 2


def test_to_be_loud_again_takes_nothing_back() -> None:
    """What is on the wire stays soft: it is no reason to drop it, and to say it twice."""
    wire = Wire()
    wire.wait(WORD)
    wire.duck()
    clears = len(wire.far_end.clears)
    wire.wait(400)
    wire.resume()
    assert len(wire.far_end.clears) == clears == 1


def test_a_pause_after_that_is_loud_again() -> None:
    """It goes on from the first word that was not proven, as loud as ever."""
    wire = Wire()
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
