"""From pieces of words, as they come, to words."""

from collections.abc import Sequence

from client_caller.models.hearing.words import Word
from client_caller.models.nemotron.chunks import Token

BEGINS = "▁"
"""What a piece begins with that begins a word: SentencePiece's mark of a space."""


class Spelling:
    """The words of one stream. All but the last are certain: pieces are never taken back, but a word may get longer."""

    def __init__(self, begin: float, frame: float) -> None:
        """`begin`: seconds from the start of the call to that of the stream. `frame`: seconds of an encoder frame."""
        self._begin = begin
        self._frame = frame
        self._tokens: list[Token] = []
        self._told: list[Word] = []

    @property
    def certain(self) -> tuple[Word, ...]:
        """All words that were returned."""
        return tuple(self._told)

    @property
    def unstable(self) -> tuple[Word, ...]:
        """The word behind them, as far as it goes: one or none."""
        return self._spelled()

    def take(self, tokens: Sequence[Token]) -> tuple[Word, ...]:
        """Take what came next; returns the words that are certain by it."""
        certain: list[Word] = []
        for token in tokens:
            if token.piece.startswith(BEGINS):
                certain += self._close()
            self._tokens.append(token)
        self._told += certain
        return tuple(certain)

    def end(self) -> tuple[Word, ...]:
        """Nothing more comes: the last word is certain too; returns it."""
        last = self._close()
        self._told += last
        return last

    def _close(self) -> tuple[Word, ...]:
        words, self._tokens = self._spelled(), []
        return words

    def _spelled(self) -> tuple[Word, ...]:
        text = "".join(token.piece for token in self._tokens).replace(BEGINS, "")
        if not text:
            return ()
        first, last = self._tokens[0].frame, self._tokens[-1].frame
        confidence = sum(token.probability for token in self._tokens) / len(self._tokens)
        return (Word(text, self._at(first), self._at(last + 1), confidence),)

    def _at(self, frame: int) -> float:
        return self._begin + frame * self._frame
