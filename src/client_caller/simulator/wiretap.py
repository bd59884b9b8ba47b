"""Was what the history says really heard? The judge sits on the line, and asks the side under test for nothing else.

What was played is read back, word for word, from the samples that the far end played (`tones`). Between a word's last
sample and its mark's return the line needs time; a word whose mark was still on its way when the agent was silenced was
heard by the caller, but nobody on our side can know it then: it is in flight. The history may learn of it later.

What stands before the last dot of a mark's name is taken for the name of its word: a word that is sent again, since the
agent was silenced or went on softly, has another mark of the same name, and counts once however often it was played.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from client_caller.conversation.history import AgentSaid, Entry
from client_caller.simulator import tones
from client_caller.simulator.in_process import Shell
from client_caller.simulator.network import FarEnd
from client_caller.telephony.leg import Leg


class Wiretap:
    """Lies between a shell and its line, passes everything on, and notes in which order marks and clears passed."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._shell: Shell | None = None
        self._sent: dict[str, int] = {}
        """For each mark, how many clears had been sent before it."""
        self._clears = 0
        self._proven: set[str] = set()
        """Marks that came back with no clear since they were sent."""

    def attach(self, shell: Shell) -> Shell:
        """Listen to what the line brings to the shell; returns what the line has to call instead."""
        self._shell = shell
        return self

    def proved(self, mark: str) -> bool:
        """Whether the mark came back before anything sent after it could have brought it back."""
        return mark in self._proven

    # ---- the leg

    def send_audio(self, mulaw: bytes) -> None:
        self._leg.send_audio(mulaw)

    def send_mark(self, name: str) -> None:
        self._sent[name] = self._clears
        self._leg.send_mark(name)

    def clear(self) -> None:
        self._clears += 1
        self._leg.clear()

    def hang_up(self, reason: str) -> None:
        self._leg.hang_up(reason)

    # ---- the shell

    def begin(self) -> None:
        self._attached.begin()

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        self._attached.hear(mulaw, timestamp)

    def acknowledge(self, mark: str) -> None:
        if self._sent[mark] == self._clears:
            self._proven.add(mark)
        self._attached.acknowledge(mark)

    def press(self, digit: str) -> None:
        self._attached.press(digit)

    def lose(self, reason: str) -> None:
        self._attached.lose(reason)

    @property
    def _attached(self) -> Shell:
        assert self._shell is not None, "the line came alive before its shell"
        return self._shell


@dataclass(frozen=True, slots=True)
class Judgement:
    """One call's history against what was really played."""

    interruptions: int
    """Replies that the caller cut off."""
    played: tuple[str, ...]
    """Words that the far end played to their last sample, each once."""
    in_flight: int
    """Of those, words whose mark was still on its way when the agent was silenced or the call ended."""
    expected: tuple[str, ...]
    """The others: what the history has to say was heard."""
    history: tuple[str, ...]
    """What it says."""

    @property
    def exact(self) -> bool:
        """Whether the history has all that was proven, and nothing that was not played."""
        return not self.difference

    @property
    def difference(self) -> str:
        """The first that is wrong with the history, for people; empty if nothing is."""
        return difference(self.history, self.played, self.expected)


def difference(history: Sequence[str], played: Sequence[str], proven: Sequence[str]) -> str:
    """The first word of a history that was not played, or that was provably and is not in it; empty if none."""
    extra = _lacking(history, played)
    if extra is not None:
        return f"{extra!r}: the history has it, the far end did not play it"
    missing = _lacking(proven, history)
    return "" if missing is None else f"{missing!r}: the far end provably played it, the history does not have it"


def _lacking(words: Sequence[str], among: Sequence[str]) -> str | None:
    """The first of the words that `among` has not, in the same order."""
    others = iter(among)
    return next((word for word in words if word not in others), None)


def judge(far_end: FarEnd, tap: Wiretap, history: Sequence[Entry]) -> Judgement:
    """Compare a finished call's history with what its far end played. The agent must have spoken in `tones`."""
    marks = iter(far_end.returned)
    words: dict[str, str] = {}
    for spelled in tones.read(bytes(far_end.played)):
        mark = next((mark for mark, at in marks if at >= spelled.end), None)
        if mark is None:
            raise ValueError(f"no mark stood behind {spelled.word!r}: one mark a word, or nothing can be judged")
        words[_word(mark)] = spelled.word
    proven = {_word(mark) for mark, _ in far_end.returned if tap.proved(mark)}
    played = tuple(words.values())
    expected = tuple(word for name, word in words.items() if name in proven)
    said = [entry for entry in history if isinstance(entry, AgentSaid)]
    heard = tuple(word for entry in said for word in entry.heard.split())
    cuts = sum(entry.cut for entry in said)
    return Judgement(cuts, played, len(played) - len(expected), expected, heard)


def _word(mark: str) -> str:
    return mark.rpartition(".")[0] or mark
