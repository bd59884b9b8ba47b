"""What crosses the WebSocket of one call, in both directions. Needs no torch: the driver in `engines` shares it.

Text messages are JSON objects with a `type`. Sound goes in binary messages: the clause's number in four bytes, little
endian, then samples of 16 bits, little endian, one channel, 24 kHz.

The client numbers what is said, its own clauses and the caller's turns alike, from 0 on, rising. The server takes them
in and speaks them one after the other, in one unbroken memory of the call. Every clause is answered by exactly one
`ended` or `failed`, also one that was cancelled.
"""

from typing import Annotated, Literal

import msgspec

PATH = "/v1/call"
SAMPLE_RATE = 24_000
FRAME_SECONDS = 0.08
"""What CSM speaks at once."""

_NUMBER = 4
"""Bytes of a clause's number."""
Number = Annotated[int, msgspec.Meta(ge=0, lt=1 << 32)]


class Say(msgspec.Struct, tag="say", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """Speak a clause, after those before it."""

    clause: Number
    text: str


class Cancel(msgspec.Struct, tag="cancel", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """Speak no more of a clause. What was spoken of it stays in the memory until `heard` says otherwise."""

    clause: Number


class Heard(msgspec.Struct, tag="heard", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """Of a clause only so many frames were heard, saying `text`. Forget the rest of it and all that came after it; with
    no frames, the clause or turn itself."""

    clause: Number
    frames: Number
    text: str


class Context(msgspec.Struct, tag="context", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """The caller said this: a turn, with a number as a clause has."""

    clause: Number
    text: str


Request = Say | Cancel | Heard | Context

Reason = Literal["spoken", "limit", "cancelled"]
"""Why a clause ended: it was over; it had as many frames as its text can need; `cancel`."""


class Ended(msgspec.Struct, tag="ended", tag_field="type", frozen=True):
    """No more sound of this clause."""

    clause: int
    frames: int
    reason: Reason


class Failed(msgspec.Struct, tag="failed", tag_field="type", frozen=True):
    """This clause can't be spoken, or with None: nothing more of this call."""

    clause: int | None
    reason: str


class Sound(msgspec.Struct, frozen=True):
    """Some samples of a clause."""

    clause: int
    pcm: bytes


Answer = Ended | Failed | Sound

_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_answers: msgspec.json.Decoder[Ended | Failed] = msgspec.json.Decoder(Ended | Failed)


def encode(message: Request | Answer) -> str | bytes:
    """A message as it is sent: bytes for a binary one."""
    if isinstance(message, Sound):
        return message.clause.to_bytes(_NUMBER, "little") + message.pcm
    return msgspec.json.encode(message).decode()


def read_request(message: str | bytes) -> Request:
    """What a client sent. Raises `ValueError`, without the caller's words."""
    try:
        return _requests.decode(message)
    except msgspec.MsgspecError:
        raise ValueError("not a message of this protocol") from None


def read_answer(message: str | bytes) -> Answer:
    """What a server sent. Raises `ValueError`."""
    if isinstance(message, bytes):
        if len(message) <= _NUMBER or len(message) % 2:
            raise ValueError("not a message of this protocol")
        return Sound(int.from_bytes(message[:_NUMBER], "little"), message[_NUMBER:])
    try:
        return _answers.decode(message)
    except msgspec.MsgspecError:
        raise ValueError("not a message of this protocol") from None
