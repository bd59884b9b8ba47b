"""From clauses of audio to the wire: paced, marked, and silent at once when told so.

The far end plays what it is sent at its own pace, so anything sent can only be taken back by a `clear`. The player
therefore stays at most `LEAD` ahead of it, and puts a mark behind every message: what comes back was played. Where a
word ends, a message does.

What was cleared can be sent again: audio is kept until its marks have proven that it was played (`marks.py`).

How loud something is can't be changed any more once it was sent. So to speak softly, the player clears the far end and
sends again, softly, all that is not proven to have been played. Where the far end really is, nobody on this side can
know: it may have run dry on the way. A tenth of a second and the line's delay are heard twice, rather than a part of a
word not at all. To be loud again needs no `clear`: what comes next is loud.

The player also keeps a copy of what the far end still has to play, and lets it run down on the call's clock. That tells
how far ahead it is, and what of the agent's voice the caller hears at each moment: the recording is made from it. It is
an estimate, and nothing that is said to have been heard rests on it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from client_caller.audio.g711 import SOFTLY
from client_caller.audio.word_times import MARGIN, estimate
from client_caller.conversation.clauses import words_of
from client_caller.conversation.events import PlaybackStarted, WordAcknowledged, WordProven, WordSent
from client_caller.engines.protocols import WordTime
from client_caller.runtime.marks import Marks, Place, place
from client_caller.telephony.leg import Leg

SAMPLES_A_MS = 8
LEAD = 400 * SAMPLES_A_MS
"""Samples sent ahead of the far end's playback. Enough for a TCP stall, and too little for a crash to lose a
sentence."""
MESSAGE = 100 * SAMPLES_A_MS
"""Samples in one message at most: fewer messages than frames, and none that holds up a `clear`."""
ROOM = MESSAGE
"""Samples of the lead that must be free before more is sent: a message in every fifth beat instead of one in each."""
STALL = 2000 * SAMPLES_A_MS
"""Samples that a mark may be overdue before nothing more is sent: the far end has stopped to play."""

Fact = PlaybackStarted | WordSent


@dataclass(slots=True)
class _Clause:
    number: int
    text: str
    after: tuple[int, int]
    """Clause and place of the word before its first; (0, -1) is none."""
    audio: bytearray = field(default_factory=bytearray)
    words: list[WordTime] = field(default_factory=list)
    """Those whose time is known, in order."""
    finished: bool = False
    """There will be no more audio."""
    sent: int = 0
    """Samples on the wire."""
    played: int = 0
    """Samples of those that the far end has proven to have played since it last fell silent."""
    marked: int = 0
    """Words with their mark on the wire."""
    heard: int = 0
    """Words whose mark came back."""
    told: int = 0
    """Words whose time is the voice's own; that of the others is an estimate, on the late side."""

    @property
    def reached(self) -> tuple[int, int]:
        """Clause and place of the last word with a mark on the wire."""
        return (self.number, self.marked - 1) if self.marked else self.after

    @property
    def said(self) -> int:
        """Words that are wholly on the wire. Those beyond the audio's end are with its end."""
        whole = self.finished and self.sent == len(self.audio)
        said = self.marked
        while said < len(self.words) and (whole or self.words[said].end <= self.sent):
            said += 1
        return said

    def go_back(self, sample: int) -> None:
        """Send again from here, with the marks of all words that are not proven."""
        self.sent = self.played = sample
        self.marked = self.heard

    @property
    def first_unheard(self) -> int:
        """The sample with which its first unheard word begins, at the latest."""
        if not self.heard:
            return 0
        end = self.words[self.heard - 1].end - (MARGIN if self.heard > self.told else 0)
        return max(0, min(end, len(self.audio)))


class Player:
    """Plays one reply at a time. `report` takes what went out.

    All times are milliseconds on the call's clock, with their fractions: one sample is an eighth of a millisecond.
    """

    def __init__(
        self, leg: Leg, report: Callable[[Fact], None], played: Callable[[bytes, int], None], now: float = 0
    ) -> None:
        """`played(mulaw, at_sample)` is told what the far end plays, by the call's clock, in samples."""
        self._leg = leg
        self._report = report
        self._played = played
        self._reply = 0
        self._released = False
        self._audible = False
        self._softly = False
        self._clauses: deque[_Clause] = deque()
        """From the one with the last heard word on."""
        self._next = 0
        """Which of them is being sent."""
        self._ahead = bytearray()
        """What the far end has yet to play."""
        self._played_through = _sample(now)
        self._marks = Marks()
        self._heard: Place = (0, 0, -1)
        """The last word that is known to have been heard."""
        self.underruns = 0
        """How often the far end ran dry in the middle of a clause."""

    # ---------------------------------------------------------------- from text to speech

    def expect(self, reply: int, clause: int, text: str) -> None:
        """A clause is being synthesised: its audio goes after that of the clauses before."""
        self._turn_to(reply)
        if reply == self._reply:
            last = self._clauses[-1] if self._clauses else None
            after = (last.number, len(words_of(last.text)) - 1) if last else (0, -1)
            self._clauses.append(_Clause(clause, text, after))

    def add(self, reply: int, clause: int, mulaw: bytes, words: Sequence[WordTime], now: float) -> None:
        """Some audio of a clause. Audio of anything but the present reply is late, and dropped."""
        found = self._find(reply, clause)
        if found is None:
            return
        found.audio += mulaw
        for word in words:
            if word.word == len(found.words):
                found.words.append(word)
                found.told += 1
        self.pump(now)

    def finish(self, reply: int, clause: int, now: float) -> int:
        """A clause's audio is complete. Words without a time get an estimate. Returns its length in samples."""
        found = self._find(reply, clause)
        if found is None:
            return 0
        if found.told < len(words_of(found.text)):
            ends = estimate(found.text, bytes(found.audio))
            found.words.extend(WordTime(word, ends[word]) for word in range(found.told, len(ends)))
        found.finished = True
        self.pump(now)
        return len(found.audio)

    def _find(self, reply: int, clause: int) -> _Clause | None:
        if reply != self._reply:
            return None
        return next((found for found in self._clauses if found.number == clause), None)

    # ---------------------------------------------------------------- from the conversation

    def release(self, reply: int, now: float) -> None:
        """Let the reply out."""
        self._turn_to(reply)
        if reply == self._reply:
            self._released = True
            self.pump(now)

    def hold(self, reply: int) -> None:
        """Keep the reply in."""
        if reply == self._reply:
            self._released = False

    def duck(self, reply: int, now: float) -> None:
        """Go on softly, from the last sample that the far end has proven to have played."""
        if reply != self._reply:
            return
        self._softly = True
        self.run_down(now)
        if not self._ahead:
            return
        self._silence(now)
        for clause in self._clauses:
            clause.go_back(clause.played)
        self._next = 0
        self.pump(now)

    def resume(self, reply: int, now: float) -> None:
        """Go on as loud as ever: what is on the wire is still soft. After a pause, go on where it began."""
        if reply != self._reply:
            return
        self._released, self._softly = True, False
        self.pump(now)

    def cancel(self, reply: int, now: float) -> None:
        """Drop the reply, and silence what the far end has of it. Nothing of it goes out after this."""
        if reply == self._reply and self._audible:
            self._silence(now)
        self._turn_to(reply + 1)

    def pause(self, reply: int, now: float) -> None:
        """Silence the far end, and go back to the first word that it has not proven to have played."""
        if reply != self._reply:
            return
        self._released = self._softly = False
        self._silence(now)
        for clause in self._clauses:
            spoken = clause.finished and clause.heard == len(clause.words)  # what follows is silence
            clause.go_back(len(clause.audio) if spoken else clause.first_unheard)
        self._next = 0

    def _silence(self, now: float) -> None:
        """Drop what the far end has not played. The marks that it returns for it prove nothing."""
        self.run_down(now)
        self._ahead.clear()
        self._marks.clear()
        self._leg.clear()

    def _turn_to(self, reply: int) -> None:
        """Make `reply` the present one, if it is newer. Numbers only rise: whatever comes for an older one is late."""
        if reply > self._reply:
            self._reply, self._released, self._audible, self._softly = reply, False, False, False
            self._clauses.clear()
            self._marks.forget()
            self._next = 0

    def acknowledge(self, mark: str, now: float, heard: int) -> WordAcknowledged | WordProven | None:
        """The word that a mark proves to have been heard, now that it is back; None if it proves nothing.

        `heard`: milliseconds of the caller's voice that had come before it.
        """
        returned = self._marks.back(mark)
        if returned is None:
            proven = self._marks.late(mark, heard)
            word = None if proven is None else self._news(proven)
            return None if word is None else WordProven(int(now), *word)
        word = self._news(mark)
        found = next((one for one in self._clauses if one.number == returned.clause), None)
        if found is not None:
            found.played = returned.sample
        return None if word is None else WordAcknowledged(int(now), *word)

    def _news(self, mark: str) -> Place | None:
        """Note that all up to this mark was heard. Returns its last word, unless that was known."""
        reply, clause, word = place(mark)
        if reply == self._reply:
            self._note_heard(clause, word)
        if word < 0 or (reply, clause, word) <= self._heard:
            return None
        self._heard = reply, clause, word
        return self._heard

    def _note_heard(self, clause: int, word: int) -> None:
        """Forget the clauses before this word's. What is being sent again goes on; in a pause it will not be."""
        while self._clauses and self._clauses[0].number < clause and (self._next > 0 or not self._released):
            self._clauses.popleft()
            self._next = max(0, self._next - 1)
        found = next((one for one in self._clauses if one.number == clause), None)
        if found is None or found.heard > word:
            return
        found.heard = word + 1
        if not self._released:
            found.go_back(found.first_unheard)

    # ---------------------------------------------------------------- the wire

    def beat(self, now: float) -> None:
        """20 ms have passed, or so. There is nothing to do while the lead is full, and while nobody speaks."""
        speaks = self._ahead or self._next < len(self._clauses)
        room_at = self._played_through + len(self._ahead) - LEAD + ROOM
        if speaks and _sample(now) >= room_at:
            self.run_down(now)
            self.pump(now)

    def pump(self, now: float) -> None:
        """Send what may be sent."""
        if not self._released or self._marks.overdue(_sample(now)) > STALL:
            return
        self.run_down(now)
        if LEAD - len(self._ahead) < ROOM:
            return
        while self._next < len(self._clauses) and len(self._ahead) < LEAD:
            clause = self._clauses[self._next]
            if clause.said > clause.marked:
                self._mark(clause, now)
            if clause.sent < len(clause.audio):
                self._send(clause, now)
            elif clause.finished:
                self._next += 1
            else:
                return

    def _send(self, clause: _Clause, now: float) -> None:
        """Send the clause's next piece: up to the end of a word, the lead, or a message's size."""
        size = min(len(clause.audio) - clause.sent, MESSAGE, LEAD - len(self._ahead))
        if clause.marked < len(clause.words):
            size = min(size, clause.words[clause.marked].end - clause.sent)
        piece = bytes(clause.audio[clause.sent : clause.sent + size])
        if self._softly:
            piece = piece.translate(SOFTLY)
        self._leg.send_audio(piece)
        if not self._ahead:
            self._played_through = _sample(now)
        self._ahead += piece
        clause.sent += len(piece)
        if not self._audible:
            self._audible = True
            self._report(PlaybackStarted(int(now), self._reply))
        self._mark(clause, now)

    def _mark(self, clause: _Clause, now: float) -> None:
        """Put a mark behind what is sent."""
        before, clause.marked = clause.marked, clause.said
        through = self._played_through if self._ahead else _sample(now)
        due = through + len(self._ahead)
        for name in self._marks.put((self._reply, *clause.reached), due, clause.number, clause.sent):
            self._leg.send_mark(name)
        for word in range(before, clause.marked):
            self._report(WordSent(int(now), self._reply, clause.number, word))

    def run_down(self, now: float) -> None:
        """Let the far end play up to now: `played` knows it afterwards."""
        if not self._ahead:
            return
        due = _sample(now) - self._played_through
        played = bytes(self._ahead[:due]) if due > 0 else b""
        if not played:
            return
        del self._ahead[: len(played)]
        self._played(played, self._played_through)
        self._played_through += len(played)
        present = self._clauses[self._next] if self._next < len(self._clauses) else None
        if not self._ahead and present is not None and present.sent and not present.finished:
            self.underruns += 1


def _sample(now: float) -> int:
    """The sample of the call's clock that a time lies in, forgiving the rounding of sums of fractions."""
    return int(now * SAMPLES_A_MS + 1e-3)
