"""How far the far end may be behind our copy of what it plays."""

from collections import deque

CAUTION = 60 * 8
"""Samples by which the marks of a line may ever have differed for the far end's place to be told from them, and what is
added before it is known by how much they do. Where they differ by more the line stands still at times, and the far end
may have run dry without our knowing: with 150 ms in place of 60 one word in 35,000 on such a line was taken for heard
whose beginning had been dropped."""
KNOWN = 8
"""Marks after which a line is known: how much the latest of them differ is how much it varies."""


class Lag:
    """Learns from the marks that come back, each late by the way of its audio there and its own way back.

    The far end lags behind the copy by how much longer the first audio of a stretch took to get there than the word to
    go back will take; whatever comes later waits in its buffer. All are samples.
    """

    def __init__(self) -> None:
        self._began = 0
        """Where the present stretch begins."""
        self._least: int | None = None
        """The least lateness of any mark: what both ways take when all is well."""
        self._present: int | None = None
        """The least of the present stretch."""
        self._most_late = 0
        """The largest lateness of any mark."""
        self._latest: deque[int] = deque(maxlen=KNOWN)
        self._most = 0
        """The largest delay of a stretch so far: what is feared of one of which nothing is known."""

    def begin(self, at: int) -> None:
        """The far end had run dry: with this audio a stretch begins."""
        self._most = max(self._most, self._delay)
        self._present, self._began = None, at

    def note(self, due: int, at: int) -> None:
        """A mark came back whose audio should have been played by `due`."""
        late = at - due
        self._latest.append(late)
        self._least = late if self._least is None else min(self._least, late)
        self._most_late = max(self._most_late, late)
        if due > self._began:
            self._present = late if self._present is None else min(self._present, late)

    def behind(self, waiting: int) -> int | None:
        """By how much the far end may be behind: rather too much than too little; None if nobody can tell.

        `waiting`: for how long the mark that should come back next has been due. It may be on its way, or the far end
        may have run dry before it: so the end of its word is said again, and proven then.
        """
        if self._least is not None and self._most_late - self._least > CAUTION:
            return None
        known = len(self._latest) == KNOWN
        varies = max(self._latest) - min(self._latest) if known else CAUTION
        return varies + max(self._delay, waiting)

    @property
    def _delay(self) -> int:
        """By how much the present stretch was delayed, compared with the best of times."""
        if self._present is None or self._least is None:
            return self._most
        return self._present - self._least
