"""One call in the engine's thread: its clauses in a queue, the one that is spoken, and what the call is told of it."""

from collections import deque
from collections.abc import Callable
from typing import Any

from client_caller.models.csm.engine import CsmEngine, Prefix
from client_caller.models.csm.memory import Memory, Piece, most_frames
from client_caller.models.csm.weights import Weights
from client_caller.models.csm.wire import Answer, Cancel, Context, Ended, Failed, Heard, Reason, Request, Say, Sound

MOST_WAITING = 64
"""Clauses and words of the caller in the queue of a call: a long reply has some ten."""
_FULL_SCALE = 32767


class Talker:
    """Carries out a call's requests between frames, and takes its row of each step."""

    def __init__(
        self,
        engine: CsmEngine,
        weights: Weights,
        slot: int,
        voice: Prefix,
        speaker: int,
        answer: Callable[[Answer], None],
    ) -> None:
        """`speaker`: the number under which the voice speaks; the caller has another. `answer` takes what is said."""
        self.slot = slot
        self._engine = engine
        self._weights = weights
        self._speaker = speaker
        self._answer = answer
        self._memory = Memory(engine, slot, voice)
        self._waiting: deque[Say | Context] = deque()
        self._present: Piece | None = None
        self._clause = 0
        """Its number."""
        self._limit = 0
        """Frames that the present clause may have."""

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return self._present is not None or bool(self._waiting)

    def prepare(self) -> bool:
        """Begin what is next, where nothing is being spoken. Returns whether the talker wants a frame."""
        while self._present is None and self._waiting:
            match self._waiting.popleft():
                case Say() as say:
                    self._begin(say)
                case Context(clause, text):
                    self._memory.add(clause, self._weights.tokens(0 if self._speaker else 1, text))
        return self._present is not None

    def carry_out(self, request: Request) -> None:
        """Do what the call asks."""
        match request:
            case Say(clause) if len(self._waiting) >= MOST_WAITING:
                self._answer(Failed(clause, "too many clauses are waiting: cancel some, or send them later"))
            case Say() | Context():
                self._waiting.append(request)  # in the middle of a clause, words would become a part of it
            case Cancel(clause):
                self._cancel(clause)
            case Heard(clause, frames, text):
                self._drop_from(clause)
                self._memory.keep(clause, frames, self._weights.tokens(self._speaker, text))

    def take(self, codes: Any, ended: bool, sound: Any) -> None:
        """Its row of a step: codes (codebooks,), samples (n,)."""
        piece = self._speaking()
        if ended:
            self._end("spoken")
            return
        piece.frames.append(tuple(codes.tolist()))
        pcm = (sound.clamp(-1, 1) * _FULL_SCALE).round().numpy().astype("<i2").tobytes()
        self._answer(Sound(self._clause, pcm))
        if len(piece.frames) >= self._limit:
            self._engine.hush(self.slot)
            self._end("limit")

    def leave(self) -> None:
        """The call is over."""
        self._engine.hush(self.slot)
        self._waiting.clear()
        self._present = None

    def _begin(self, say: Say) -> None:
        try:
            self._present = self._memory.begin(say.clause, self._weights.tokens(self._speaker, say.text))
        except ValueError:
            self._answer(Failed(say.clause, "this clause is longer than the model can speak: send shorter ones"))
            return
        self._clause = say.clause
        self._limit = min(most_frames(say.text), self._memory.room)
        self._engine.speak(self.slot)

    def _cancel(self, clause: int) -> None:
        if self._present is not None and clause == self._clause:
            self._engine.hush(self.slot)
            self._end("cancelled")
        elif waiting := next((say for say in self._waiting if isinstance(say, Say) and say.clause == clause), None):
            self._waiting.remove(waiting)
            self._answer(Ended(clause, 0, "cancelled"))

    def _drop_from(self, clause: int) -> None:
        """Nothing that has this number or a higher one is spoken, or taken in, any more."""
        for later in [waiting for waiting in self._waiting if waiting.clause >= clause]:
            if isinstance(later, Say):
                self._cancel(later.clause)
            else:
                self._waiting.remove(later)
        if self._clause >= clause:
            self._cancel(self._clause)

    def _end(self, reason: Reason) -> None:
        piece, self._present = self._speaking(), None
        self._answer(Ended(self._clause, len(piece.frames), reason))

    def _speaking(self) -> Piece:
        assert self._present is not None, "nothing is being spoken"
        return self._present
