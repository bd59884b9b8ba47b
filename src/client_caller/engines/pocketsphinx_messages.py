"""What the PocketSphinx driver and its worker say to each other."""

import msgspec


class Setup(msgspec.Struct, frozen=True):
    """Driver, once: what callers may say."""

    sentences: tuple[str, ...]


class Open(msgspec.Struct, frozen=True, tag=True):
    """Driver: a call begins. Answered."""

    call: int


class Hear(msgspec.Struct, frozen=True, tag=True):
    """Driver: some more audio of a call. Answered."""

    call: int
    mulaw: bytes


class Finish(msgspec.Struct, frozen=True, tag=True):
    """Driver: the final words of all audio so far are wanted. Answered."""

    call: int
    request: int


class Close(msgspec.Struct, frozen=True, tag=True):
    """Driver: the call is over. Not answered."""

    call: int


class Answer(msgspec.Struct, frozen=True):
    """Worker: one request is done. What it gave, in this order."""

    call: int
    final: str | None = None
    partial: str | None = None
    finished: int | None = None
    """The number of the `Finish` that this answers."""


Request = Open | Hear | Finish | Close
