"""Proof that comes after a `clear`: of words that were played before it reached the far end.

A `clear` returns the marks of all that it drops, so a mark that comes back after one proves nothing by itself. But the
far end sends all that it has to say one after the other, and the caller's voice is among it, 20 ms at a time. What a
`clear` drops it returns at once, without the caller's voice in between; what was played, when it was played. So of
two marks that were sent before the same `clear`, with more of the caller's voice between their returns than could have
slipped in, the first was not returned by that `clear`: otherwise the second would have come with it.

Neither delay nor jitter nor a standstill of the line changes that: they move what is sent on the stream, they do not
change its order. The last mark to come back is never proven in this way, and neither is a word that ended less than
`APART` before it.
"""

from collections import deque
from collections.abc import Iterable

APART = 40
"""Milliseconds of the caller's voice: two frames. One might slip in while the far end returns what it drops."""


class LateProof:
    """The marks of one call that were still on their way when the far end was cleared."""

    def __init__(self) -> None:
        self._awaited: deque[tuple[str, int]] = deque()
        """In the order in which they were sent, each with the number of the `clear` that may drop its word."""
        self._returned: deque[tuple[str, int]] = deque()
        """Those of one `clear` that came back unproven, and how much of the caller's voice had come by then."""
        self._clears = 0
        self._clear = 0
        """The one that `_returned` is about."""

    def cleared(self, marks: Iterable[str]) -> None:
        """The far end is being cleared while these marks are on their way."""
        self._clears += 1
        self._awaited += ((mark, self._clears) for mark in marks)

    def prove(self, mark: str, heard: int) -> str | None:
        """A mark came back, after `heard` milliseconds of the caller's voice in all.

        Returns the latest mark that is proven by this, if there is one: all before it were played as well.
        """
        if all(name != mark for name, _ in self._awaited):
            return None
        name, clear = self._awaited.popleft()
        while name != mark:
            name, clear = self._awaited.popleft()
        if clear != self._clear:
            self._clear = clear
            self._returned.clear()
        self._returned.append((mark, heard))
        proven = None
        while self._returned[0][1] + APART <= heard:
            proven, _ = self._returned.popleft()
        return proven
