"""The ledger of one reply's words: queued, sent, acknowledged.

Only what the far end acknowledged was heard. A mark comes back once everything before it was played, so an
acknowledgement holds for all words before its own; one for a word that was never sent proves nothing and is ignored.
"""

from dataclasses import dataclass, field

from client_caller.conversation.clauses import Word, words_of

Position = tuple[int, int]
"""Clause and word, each from 0; they compare in the order of speaking."""

START: Position = (0, -1)
"""Before the first word."""


@dataclass(slots=True)
class Playout:
    """What became of the clauses of one reply."""

    clauses: list[str] = field(default_factory=list)
    sent: Position = START
    """The last word that is wholly on the wire, with its mark behind it."""
    acknowledged: Position = START
    """The last word whose mark came back."""
    _words: list[tuple[Word, ...]] = field(default_factory=list)

    def queue(self, clause: str) -> int:
        """Take in the next clause; returns its number."""
        self.clauses.append(clause)
        self._words.append(words_of(clause))
        return len(self.clauses) - 1

    def send(self, clause: int, word: int) -> bool:
        """A word went out. Returns whether that was news."""
        if not self._exists(clause, word) or (clause, word) <= self.sent:
            return False
        self.sent = (clause, word)
        return True

    def acknowledge(self, clause: int, word: int) -> bool:
        """A word's mark came back. Returns whether that was news."""
        if not self._exists(clause, word) or not self.acknowledged < (clause, word) <= self.sent:
            return False
        self.acknowledged = (clause, word)
        return True

    def _exists(self, clause: int, word: int) -> bool:
        return 0 <= clause < len(self._words) and 0 <= word < len(self._words[clause])

    @property
    def end(self) -> Position:
        """The last word queued."""
        return (len(self.clauses) - 1, len(self._words[-1]) - 1) if self.clauses else START

    @property
    def all_sent(self) -> bool:
        return self.sent == self.end

    @property
    def all_heard(self) -> bool:
        return self.acknowledged == self.end

    def heard_clause(self, clause: int) -> bool:
        """Whether a clause was heard to its last word."""
        return clause < len(self.clauses) and self.acknowledged >= (clause, len(self._words[clause]) - 1)

    @property
    def text(self) -> str:
        """All that was queued."""
        return " ".join(self.clauses)

    @property
    def heard(self) -> str:
        """The words acknowledged: a prefix of `text`."""
        return self.text[: self._length(self.acknowledged)]

    @property
    def unheard(self) -> str:
        """The rest of `text`."""
        return self.text[self._length(self.acknowledged) :].lstrip()

    @property
    def out(self) -> str:
        """The words sent: what of `text` can have come out of the far end's loudspeaker."""
        return self.text[: self._length(self.sent)]

    def _length(self, through: Position) -> int:
        clause, word = through
        if word < 0:
            return 0
        before = sum(len(text) + 1 for text in self.clauses[:clause])
        return before + self._words[clause][word].end
