"""The marks of one call: behind every message that goes out there is one, and what comes back was played.

A `clear` returns all pending marks as if they had been played. So each mark's name ends in an epoch, which rises with
every `clear`. A mark of the present epoch is believed at once, one of an earlier epoch only where `late_proof` can show
that no `clear` returned it.

A mark that is lost takes the proof of its word with it, until the next one comes. So each goes out several times on a
line that is not known to bring them all back.
"""

from collections import deque
from dataclasses import dataclass

from client_caller.runtime.late_proof import LateProof

CARE = 3
"""How often each mark goes out on a line that may lose some: of three copies, all are lost once in 8,000 times where a
twentieth is."""
TRUSTED = 100
"""Marks that have to come back, copies and all, before one of each is enough: those of some three seconds of speech. A
line that has lost one is not trusted again."""

Place = tuple[int, int, int]
"""A reply, a clause, and a word of it; the word is -1 before the first."""


@dataclass(frozen=True, slots=True)
class Mark:
    """On its way. Copies and those within one word share a name: they come back in order."""

    name: str
    due: int
    """The sample of the call's clock at which it should have been played."""
    clause: int
    sample: int
    """Where it stands in its clause."""


class Marks:
    """Those on their way, and what is known of the line that brings them back."""

    def __init__(self) -> None:
        self._awaited: deque[Mark] = deque()
        """Those of this epoch, in order."""
        self._epoch = 0
        """How often the far end was cleared."""
        self._late = LateProof()
        self._returned = 0
        """How many came back before a `clear`."""
        self._loses = False
        """One is missing that was sent before another which came back."""
        self._proven = 0
        """When the last that came back was due."""

    def put(self, last_word: Place, due: int, clause: int, sample: int) -> tuple[str, ...]:
        """Await one more; returns the names to send."""
        name = ".".join(map(str, (*last_word, self._epoch)))
        copies = 1 if self._returned >= TRUSTED and not self._loses else CARE
        self._awaited += (Mark(name, due, clause, sample),) * copies
        return (name,) * copies

    def clear(self) -> None:
        """The far end is being cleared: what it returns for that proves nothing by itself."""
        self._late.cleared(mark.name for mark in self._awaited)
        self._awaited.clear()
        self._epoch += 1

    def forget(self) -> None:
        """Nothing more rests on those that are on their way."""
        self._awaited.clear()

    def back(self, name: str) -> Mark | None:
        """One came back. Returns it if it is of this epoch: all before it were played."""
        if all(mark.name != name for mark in self._awaited):
            return None
        self._returned += 1
        mark = self._awaited.popleft()
        while mark.name != name:
            mark = self._awaited.popleft()
            self._loses = True
        self._proven = mark.due
        return mark

    def late(self, name: str, heard: int) -> str | None:
        """One of an earlier epoch came back, after `heard` milliseconds of the caller's voice. Returns the latest mark
        that is proven by this, if there is one."""
        return self._late.prove(name, heard)

    def overdue(self, now: int) -> int:
        """For how many samples the far end has owed the next one, at a sample of the call's clock."""
        due = next((mark.due for mark in self._awaited if mark.due > self._proven), now)
        return max(0, now - due)


def place(mark: str) -> Place:
    """The last word before a mark."""
    reply, clause, word, _ = map(int, mark.split("."))
    return reply, clause, word
