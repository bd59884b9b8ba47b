"""The laws of the player: paced, marked behind every word, and silent at once when told so."""

import random
from dataclasses import dataclass, field
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.clauses import words_of
from client_caller.conversation.events import PlaybackStarted, WordAcknowledged, WordProven, WordSent
from client_caller.engines.protocols import WordTime
from client_caller.runtime.player import LEAD, MESSAGE, ROOM, SAMPLES_A_MS, STALL, Fact, Player

WORD = 250 * SAMPLES_A_MS


@dataclass
class Line:
    """A far end that plays what it is sent in real time, starting at once."""

    sent: list[tuple[int, bytes | str]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    played: list[tuple[int, bytes]] = field(default_factory=list)
    now: int = 0

    def __post_init__(self) -> None:
        self.player = Player(self, self.facts.append, lambda mulaw, at: self.played.append((at, mulaw)))

    def send_audio(self, mulaw: bytes) -> None:
        self.sent.append((self.now, mulaw))

    def send_mark(self, name: str) -> None:
        self.sent.append((self.now, name))

    def clear(self) -> None:
        self.sent.append((self.now, "clear"))

    def hang_up(self, reason: str) -> None:
        raise AssertionError("the player never hangs up")

    def speak(self, reply: int, clause: int, text: str, *, timed: bool = True) -> None:
        """All audio of a clause at once: 250 ms for each word, each of its own value."""
        self.player.expect(reply, clause, text)
        for index in range(len(words_of(text))):
            words = [WordTime(index, (index + 1) * WORD)] if timed else []
            self.player.add(reply, clause, bytes([reply * 16 + index]) * WORD, words, self.now)
        self.player.finish(reply, clause, self.now)

    def beat(self, milliseconds: int) -> None:
        for _ in range(milliseconds // 20):
            self.now += 20
            self.player.beat(self.now)

    def audio(self) -> bytes:
        return b"".join(item for _, item in self.sent if isinstance(item, bytes))

    def marks(self) -> list[str]:
        return [item for _, item in self.sent if isinstance(item, str) and item != "clear"]

    def words(self) -> list[str]:
        """The marks without those inside of words: the first of each name, and none before the first word."""
        return [mark for mark in dict.fromkeys(self.marks()) if ".-1." not in mark]


def test_nothing_goes_out_before_the_release() -> None:
    """A reply that is held makes no sound, however much audio it has; released, its first audio goes out at once."""
    line = Line()
    line.speak(1, 0, "Good morning.")
    line.beat(200)
    assert line.sent == []
    line.player.release(1, line.now)
    assert line.facts[0] == PlaybackStarted(line.now, 1)
    assert line.audio()


def test_never_more_than_the_lead_ahead() -> None:
    """At every moment, what was sent is at most 400 ms more than the far end can have played."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four five six seven eight nine ten")
    for _ in range(200):
        line.beat(20)
        assert len(line.audio()) <= line.now * SAMPLES_A_MS + LEAD
        for _, item in line.sent:
            assert isinstance(item, str) or len(item) <= MESSAGE
    assert len(line.audio()) == 10 * WORD


def test_the_lead_is_filled_up_in_few_messages() -> None:
    """It never falls by more than a message's worth while there is audio, and is filled up only then."""
    line = Line()
    line.player.release(1, 0)
    line.player.expect(1, 0, "extraordinarily")
    line.player.add(1, 0, b"\x01" * 16000, [], 0)
    for _ in range(60):
        line.beat(20)
        assert len(line.audio()) - line.now * SAMPLES_A_MS > LEAD - ROOM
    times = [at for at, item in line.sent if isinstance(item, bytes) and at > 0]
    assert times == list(range(100, 1201, 100))


def test_what_was_played_is_known_when_it_is_asked_for() -> None:
    """It is told a message's worth late at the most, in order; whoever asks is told all of it up to that moment."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four")
    for _ in range(40):
        line.beat(20)
        assert 0 <= line.now * SAMPLES_A_MS - sum(len(mulaw) for _, mulaw in line.played) < ROOM
        line.player.run_down(line.now + 7)
        assert sum(len(mulaw) for _, mulaw in line.played) == (line.now + 7) * SAMPLES_A_MS


def test_a_mark_follows_the_last_sample_of_its_word() -> None:
    """Each message has a mark behind it, and a word ends with a message: not a sample less, none more."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three")
    line.speak(1, 1, "four five")
    line.beat(3000)
    sent = 0
    ends: dict[str, int] = {}
    messages = [item for item, _ in groupby(item for _, item in line.sent)]
    for audio, mark in zip(messages[::2], messages[1::2], strict=True):
        assert isinstance(audio, bytes)
        assert isinstance(mark, str)
        sent += len(audio)
        ends.setdefault(mark, sent)
    del ends["1.0.-1.0"]
    assert ends == {
        "1.0.0.0": WORD,
        "1.0.1.0": 2 * WORD,
        "1.0.2.0": 3 * WORD,
        "1.1.0.0": 4 * WORD,
        "1.1.1.0": 5 * WORD,
    }
    assert [(fact.clause, fact.word) for fact in line.facts if isinstance(fact, WordSent)] == [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
    ]


def test_cancel_is_silence() -> None:
    """After a cancel comes one `clear`, and then never a sample of that reply, whatever its engine still delivers."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four")
    line.beat(300)
    line.player.cancel(1, line.now)
    so_far = len(line.sent)
    assert line.sent[-1] == (line.now, "clear")
    line.speak(1, 0, "late words")
    line.speak(1, 1, "more late words")
    line.player.release(1, line.now)
    line.beat(2000)
    assert len(line.sent) == so_far


def test_a_pause_is_silence_and_loses_no_word() -> None:
    """Silent at once, then on from the first sample of the first word not proven heard, through every later clause."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three")
    line.speak(1, 1, "four five")
    line.beat(600)
    assert line.player.acknowledge("1.0.0.0", line.now, line.now) is not None
    line.player.pause(1, line.now)
    so_far = len(line.sent)
    assert line.sent[-1] == (line.now, "clear")
    line.beat(1000)
    assert len(line.sent) == so_far
    line.player.release(1, line.now)
    line.beat(2000)
    again = b"".join(item for _, item in line.sent[so_far:] if isinstance(item, bytes))
    assert again == b"".join(bytes([16 + word]) * WORD for word in (1, 2, 0, 1))
    assert line.words()[-4:] == ["1.0.1.1", "1.0.2.1", "1.1.0.1", "1.1.1.1"]
    assert [fact for fact in line.facts if isinstance(fact, PlaybackStarted)] == [PlaybackStarted(0, 1)]


def test_marks_from_before_a_pause_prove_nothing() -> None:
    """The clear returns them, and the words are sent again: only their new marks count."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two")
    line.beat(300)
    line.player.pause(1, line.now)
    line.player.release(1, line.now)
    line.beat(1000)
    assert line.player.acknowledge("1.0.0.0", line.now, line.now) is None
    assert line.player.acknowledge("1.0.1.1", line.now, line.now) == WordAcknowledged(line.now, 1, 0, 1)


def test_a_mark_that_the_clear_did_not_return_proves_its_word_late() -> None:
    """Of a reply that is cancelled, too: the caller's voice between two marks tells that the first was played."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three")
    line.beat(600)
    line.player.cancel(1, line.now)
    assert line.player.acknowledge("1.0.0.0", line.now, 500) is None
    assert line.player.acknowledge("1.0.1.0", line.now + 80, 580) == WordProven(line.now + 80, 1, 0, 0)
    assert line.player.acknowledge("1.0.2.0", line.now + 80, 580) is None


def test_what_is_proven_in_a_pause_is_not_said_again() -> None:
    """It goes on behind it, whatever clause that is in."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two")
    line.speak(1, 1, "three four")
    line.beat(1000)
    line.player.pause(1, line.now)
    for number, mark in enumerate(("1.0.0.0", "1.0.1.0", "1.1.0.0", "1.1.1.0")):
        line.player.acknowledge(mark, line.now, 500 + 20 * number)
    so_far = len(line.sent)
    line.player.release(1, line.now)
    line.beat(2000)
    again = b"".join(item for _, item in line.sent[so_far:] if isinstance(item, bytes))
    assert again == b"".join(bytes([16 + word]) * WORD for word in (0, 1))
    assert line.words()[-2:] == ["1.1.0.1", "1.1.1.1"]


def test_proof_that_comes_while_words_are_said_again_does_not_cut_them() -> None:
    """They are said to their end, and their marks mean what they always do; a next pause goes back no further."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two")
    line.speak(1, 1, "three four")
    line.beat(1000)
    line.player.pause(1, line.now)
    so_far = len(line.sent)
    line.player.release(1, line.now)
    line.beat(20)
    line.player.acknowledge("1.0.0.0", line.now, 500)
    line.player.acknowledge("1.1.0.0", line.now, 900)
    assert line.player.acknowledge("1.1.1.0", line.now, 990) == WordProven(line.now, 1, 1, 0)
    line.beat(2000)
    again = b"".join(item for _, item in line.sent[so_far:] if isinstance(item, bytes))
    assert again == b"".join(bytes([16 + word]) * WORD for word in (0, 1, 0, 1))
    assert line.player.acknowledge("1.0.1.1", line.now, 2000) is None, "known already"
    line.player.pause(1, line.now)
    so_far = len(line.sent)
    line.player.release(1, line.now)
    line.beat(2000)
    assert line.marks()[-1] == "1.1.1.2"
    assert b"".join(item for _, item in line.sent[so_far:] if isinstance(item, bytes)) == bytes([17]) * WORD


def test_after_a_pause_the_first_unheard_word_is_whole_though_its_place_was_estimated() -> None:
    """An estimate is on the late side; to go on there would swallow the beginning of the next word."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four", timed=False)
    line.beat(1000)
    assert line.player.acknowledge("1.0.1.0", line.now, line.now) is not None
    line.player.pause(1, line.now)
    so_far = len(line.sent)
    line.player.release(1, line.now)
    line.beat(2000)
    again = b"".join(item for _, item in line.sent[so_far:] if isinstance(item, bytes))
    assert again.count(bytes([18])) == again.count(bytes([19])) == WORD


def test_a_pause_of_another_reply_means_nothing() -> None:
    """What was asked of a reply that is over does not touch the next."""
    line = Line()
    line.player.release(2, 0)
    line.speak(2, 0, "one two")
    line.player.pause(1, 0)
    line.beat(1000)
    assert line.audio() == bytes([32]) * WORD + bytes([33]) * WORD


def test_cancel_before_the_first_sound_sends_nothing() -> None:
    """There is nothing to silence where nothing was heard."""
    line = Line()
    line.speak(1, 0, "one two")
    line.player.cancel(1, 0)
    line.beat(500)
    assert line.sent == []


def test_an_echo_after_the_clear_is_not_heard() -> None:
    """The far end returns all marks of what it dropped: none of them is an acknowledgement."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four")
    line.beat(500)
    assert line.player.acknowledge("1.0.0.0", line.now, line.now) == WordAcknowledged(line.now, 1, 0, 0)
    line.player.cancel(1, line.now)
    for mark in line.marks():
        assert line.player.acknowledge(mark, line.now, line.now) is None


@pytest.mark.parametrize("mark", ["", "1", "9.9.9.0", "1.0.0", "1.0.0.1", "x.y.z", "1.0.-1", "1.0.0.0 "])
def test_a_mark_that_was_never_sent_means_nothing(mark: str) -> None:
    """The far end may return any text."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two")
    assert line.player.acknowledge(mark, line.now, line.now) is None


def test_a_later_mark_vouches_for_those_before() -> None:
    """Marks come back in order; one that was lost on the way is made good by the next, once."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three")
    line.beat(1000)
    assert line.player.acknowledge("1.0.1.0", line.now, line.now) == WordAcknowledged(line.now, 1, 0, 1)
    assert line.player.acknowledge("1.0.0.0", line.now, line.now) is None
    assert line.player.acknowledge("1.0.1.0", line.now, line.now) is None


def test_words_without_times_get_marks_all_the_same() -> None:
    """Where the voice gives no word times, each word still gets its mark, in order, the last at the audio's end."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, "one two three four", timed=False)
    line.beat(3000)
    assert line.words() == ["1.0.0.0", "1.0.1.0", "1.0.2.0", "1.0.3.0"]


def test_a_word_said_to_end_beyond_its_audio_is_marked_at_the_audio_s_end() -> None:
    """A voice's word times may be wrong; no word waits for audio that never comes."""
    line = Line()
    line.player.release(1, 0)
    line.player.expect(1, 0, "one two")
    line.player.add(1, 0, b"\x10" * WORD, [WordTime(0, 10 * WORD), WordTime(1, 11 * WORD)], 0)
    line.player.finish(1, 0, 0)
    line.beat(1000)
    assert line.words() == ["1.0.1.0"]
    assert [fact.word for fact in line.facts if isinstance(fact, WordSent)] == [0, 1]


def test_hold_keeps_the_audio() -> None:
    """Held again before its first sound, a reply loses nothing and comes out whole when released."""
    line = Line()
    line.player.release(1, 0)
    line.player.hold(1)
    line.speak(1, 0, "one two")
    line.beat(500)
    assert line.sent == []
    line.player.release(1, line.now)
    line.beat(1000)
    assert len(line.audio()) == 2 * WORD


def test_the_next_reply_follows_the_one_before() -> None:
    """A reply that was heard to its end does not have to be cancelled for the next to be heard."""
    line = Line()
    for reply in (1, 2, 3):
        line.player.release(reply, line.now)
        line.speak(reply, 0, "one two")
        line.beat(1000)
        assert line.facts[-3:][0] == PlaybackStarted(line.now - 1000, reply)
    assert len(line.audio()) == 6 * WORD


def test_a_far_end_that_stops_to_play_is_not_filled_up() -> None:
    """When marks stay out for two seconds beyond their time, nothing more is sent until one comes back."""
    line = Line()
    line.player.release(1, 0)
    line.speak(1, 0, " ".join(["word"] * 40))
    line.beat(STALL + 3000)
    stopped = len(line.audio())
    assert stopped < 40 * WORD
    line.beat(1000)
    assert len(line.audio()) == stopped
    line.player.acknowledge(line.marks()[-1], line.now, line.now)
    line.beat(1000)
    assert len(line.audio()) > stopped


def test_a_dry_spell_inside_a_clause_is_counted() -> None:
    """The caller hears a gap when the voice is slower than speech: that is counted, a pause between clauses is not."""
    line = Line()
    line.player.release(1, 0)
    line.player.expect(1, 0, "one two")
    line.player.add(1, 0, b"\x10" * WORD, [], 0)
    line.beat(500)
    assert line.player.underruns == 1
    line.player.add(1, 0, b"\x10" * WORD, [], line.now)
    line.player.finish(1, 0, line.now)
    line.beat(1000)
    assert line.player.underruns == 1


@given(seed=st.integers(0, 2**32), timed=st.booleans())
def test_what_was_played_is_what_was_sent_and_not_cleared(seed: int, timed: bool) -> None:
    """The recording's agent side: each sample that the far end played, once, in order, at the time it was heard."""
    source = random.Random(seed)
    line = Line()
    reply = 1
    for _ in range(source.randrange(1, 12)):
        match source.randrange(6):
            case 0:
                line.player.cancel(reply, line.now)
                reply += 1
            case 1:
                line.player.release(reply, line.now)
            case 2:
                line.player.pause(reply, line.now)
                for mark in line.marks()[: source.randrange(1 + len(line.marks()))]:
                    line.player.acknowledge(mark, line.now, line.now)
            case 3:
                line.speak(reply, source.randrange(100, 10**6), "one two three", timed=timed)
            case _:
                line.beat(20 * source.randrange(1, 60))
    line.beat(8000)
    _check_played(line)


def _check_played(line: Line) -> None:
    through = 0
    for at, mulaw in line.played:
        assert at >= through, "nothing is played twice or before its time"
        through = at + len(mulaw)
        assert through <= line.now * SAMPLES_A_MS
    remaining = bytearray(b"".join(mulaw for _, mulaw in line.played))
    expected = bytearray()
    for when, item in line.sent:
        if item == "clear":
            heard = sum(max(0, min(len(m), when * SAMPLES_A_MS - at)) for at, m in line.played)
            assert len(expected) >= heard
            del expected[heard:]
        elif isinstance(item, bytes):
            expected += item
    assert remaining == expected
