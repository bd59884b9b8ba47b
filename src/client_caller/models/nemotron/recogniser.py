"""Nemotron behind the seam of our servers."""

from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.events import Wishes
from client_caller.models.hearing.recogniser import Tell
from client_caller.models.nemotron.chunks import Chunk, Sizes, Token
from client_caller.models.nemotron.session import Session

LANGUAGE = "en"
"""The published streaming weights know English alone."""


class Nemotron:
    """Implements `Recogniser`."""

    languages = frozenset({LANGUAGE})

    def __init__(self, sizes: Sizes, batcher: Batcher[Chunk, tuple[Token, ...]]) -> None:
        self.batcher = batcher
        self._sizes = sizes

    def listen(self, tell: Tell, *, rate: int, wishes: Wishes) -> Session:
        """Of the wishes nothing is left to grant: there is one language, and the model takes no hints."""
        return Session(self.batcher.submit, tell, rate=rate, sizes=self._sizes, language=LANGUAGE)
