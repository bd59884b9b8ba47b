"""What the eSpeak NG driver and its worker say to each other."""

import msgspec


class Synthesise(msgspec.Struct, frozen=True, tag=True):
    """Driver: speak this. Answered by exactly one `Spoken` or `Refused`, unless cancelled before."""

    job: int
    text: str
    voice: str
    """One of eSpeak NG's voices, or a language (BCP 47)."""
    words_per_minute: int


class Cancel(msgspec.Struct, frozen=True, tag=True):
    """Driver: the job is not wanted any more."""

    job: int


class Spoken(msgspec.Struct, frozen=True, tag=True):
    """Worker: the whole audio of a job."""

    job: int
    mulaw: bytes
    word_ends: tuple[int, ...]
    """For each word of the text (`clauses.words_of`): where its sound ends, in samples at 8 kHz."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Worker: the job can't be done."""

    job: int
    reason: str


Request = Synthesise | Cancel
Response = Spoken | Refused
