"""Whisper behind the seam of our servers: any number of calls on one backend."""

from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.events import Wishes
from client_caller.models.hearing.recogniser import Tell
from client_caller.models.whisper.backend import Backend, Hypothesis, Window
from client_caller.models.whisper.session import Session


class Whisper:
    """Implements `Recogniser`."""

    def __init__(self, backend: Backend, batcher: Batcher[Window, Hypothesis]) -> None:
        """`batcher`: over that backend."""
        self.languages = backend.languages
        self.batcher = batcher
        self._seconds = backend.seconds

    def listen(self, tell: Tell, *, rate: int, wishes: Wishes) -> Session:
        return Session(
            self.batcher.submit,
            tell,
            rate=rate,
            seconds=self._seconds,
            wishes=wishes,
            pace=lambda: self.batcher.pace,
        )
