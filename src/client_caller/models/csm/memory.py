"""What a call's slot holds: the pinned voice, then what was said, in order, as far as it was heard.

Text and frames of each piece are kept outside the engine too, so that the slot can be written again: back to the
beginning of a clause of which less was heard, or with the newest pieces only, when the slot fills up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from client_caller.models.csm.engine import CsmEngine, Frame, Prefix

RENEWED_AT = 0.68
"""Of a slot: fuller, it is written anew before the next clause. 1,400 of 2,048 tokens: any clause still fits."""
KEPT = 0.18
"""Of a slot: what is kept of the newest pieces then. 375 tokens, 30 s of speech."""

_FRAMES_A_SECOND = 12.5
_WORDS_A_SECOND = 2.5
_SLOWEST = 1.6
"""Times as long as usual: what a slow speaker may take."""
_SPARE = 12
"""Frames: about a second, for a clause of one word."""
_LETTERS = 6
"""For each word, where a script has no blanks or words are long."""


def most_frames(text: str) -> int:
    """How many frames a text can need. CSM sometimes does not end, and then speaks noise until it is stopped."""
    words = max(len(text.split()), len(text) / _LETTERS)
    return math.ceil(_SLOWEST * words / _WORDS_A_SECOND * _FRAMES_A_SECOND) + _SPARE


@dataclass(slots=True)
class Piece:
    """Something that was said: its text, and its frames where it was said by us."""

    clause: int
    tokens: Sequence[int]
    ours: bool = True
    """Speech of ours: it has an end, which is written before what comes next."""
    frames: list[Frame] = field(default_factory=list)
    begin: int = 0
    """Where it is in the slot, with the end of the speech before it."""
    ends_speech: bool = False
    """The speech before it had no end yet: that is written first."""

    @property
    def size(self) -> int:
        """Tokens, with an end of speech."""
        return len(self.tokens) + len(self.frames) + 1


class Memory:
    """One call's slot of an engine, from the pinned voice on. Belongs to the engine's thread."""

    def __init__(self, engine: CsmEngine, slot: int, voice: Prefix) -> None:
        """`voice`: the beginning of every call's slot, a finished piece of speech without its end."""
        self._engine = engine
        self._slot = slot
        self._voice = voice
        self._pieces: list[Piece] = []
        self._speech_open = True
        """The slot ends in speech that has no end yet."""
        engine.restore(slot, voice)

    def add(self, clause: int, tokens: Sequence[int]) -> None:
        """Somebody else said this. Words longer than what is kept of a whole call are left out."""
        if len(tokens) > KEPT * self._engine.length:
            return
        self._renew_if_full(len(tokens))
        self._write([Piece(clause, tokens, ours=False)])

    def begin(self, clause: int, tokens: Sequence[int]) -> Piece:
        """A clause is about to be spoken. A `ValueError` where its text does not fit."""
        self._renew_if_full(len(tokens))
        piece = Piece(clause, tokens)
        self._write([piece])
        return piece

    @property
    def room(self) -> int:
        """Frames that can still be spoken."""
        return self._engine.length - 1 - self._engine.position(self._slot)

    def keep(self, clause: int, frames: int, tokens: Sequence[int]) -> None:
        """Of this clause only so many frames were heard, with this text; forget the rest, and all after it.

        One that the slot no longer holds, or never held, changes nothing.
        """
        place = next((n for n, piece in enumerate(self._pieces) if piece.clause == clause), None)
        if place is None:
            return
        piece = self._pieces[place]
        del self._pieces[place:]
        self._engine.rewind(self._slot, piece.begin)
        self._speech_open = piece.ends_speech
        if frames > 0:
            self._write([Piece(clause, tokens, frames=piece.frames[:frames])])

    def _renew_if_full(self, coming: int) -> None:
        position, length = self._engine.position(self._slot), self._engine.length
        if position + coming < RENEWED_AT * length:
            return
        kept: list[Piece] = []
        room = KEPT * length
        for piece in reversed(self._pieces):
            room -= piece.size
            if room < 0:
                break
            kept.insert(0, piece)
        self._engine.restore(self._slot, self._voice)
        self._pieces.clear()
        self._speech_open = True
        if kept:
            self._write(kept)

    def _write(self, pieces: Sequence[Piece]) -> None:
        """Fill pieces in behind what there is, all at once."""
        engine, parts = self._engine, []
        at, speech_open = engine.position(self._slot), self._speech_open
        for piece in pieces:
            piece.begin, piece.ends_speech = at, speech_open
            parts += [engine.end_of_speech()] if speech_open else []
            parts += [engine.text(piece.tokens)]
            parts += [engine.frames(piece.frames)] if piece.frames else []
            at += speech_open + len(piece.tokens) + len(piece.frames)
            speech_open = piece.ours
        engine.prefill(self._slot, engine.joined(parts))
        self._pieces += pieces
        self._speech_open = speech_open
