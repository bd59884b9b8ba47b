"""How a driver and its worker process talk: one message after another over a pipe.

A message is four bytes of length, big-endian, and that many bytes of MessagePack. Both halves of the protocol import
this; it holds nothing of either.
"""

import os
import struct
import sys
from typing import BinaryIO

LENGTH = struct.Struct(">I")
"""What stands before each message."""


def pack(body: bytes) -> bytes:
    """A message as it goes over the pipe."""
    return LENGTH.pack(len(body)) + body


def read(stream: BinaryIO) -> bytes | None:
    """The next message of a blocking stream; None once the other side has closed it."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write(stream: BinaryIO, body: bytes) -> None:
    """Send one message over a blocking stream, now. Raises `BrokenPipeError` if nobody is there to read it."""
    left = memoryview(pack(body))
    while left:
        left = left[stream.write(left) :]


def take_standard_pipes() -> tuple[BinaryIO, BinaryIO]:
    """A worker's two pipes: messages in, messages out.

    From here on standard output is standard error, so that a library that prints can't break the protocol.
    """
    messages_out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sys.stdin.buffer, messages_out
