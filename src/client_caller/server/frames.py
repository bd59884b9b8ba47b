"""WebSocket frames as bytes (RFC 6455, section 5.2): where one ends, what a caller's says, and how ours are written.

Only what a call has 50 of a second is read and written here; everything else is for the library.
"""

import struct

try:
    from websockets.speedups import apply_mask
except ImportError:  # an interpreter for which the library has no compiled part
    from websockets.utils import apply_mask

_TEXT = 0x81
"""First byte of a text message in one frame: its final bit, no extension, opcode 1."""
_MASKED = 0x80
_MASK = 4
"""Bytes of a mask: every frame of a client has one, none of a server's."""
HEADER = 2 + 8 + _MASK
"""Bytes before what a frame says, at most."""


def end(data: bytes, start: int) -> int:
    """Where the frame that begins at `start` ends.

    Where part of the frame is missing that is beyond `data`, and too near if part of its header is.
    """
    header = start + 2
    if len(data) < header:
        return header
    length = data[start + 1] & ~_MASKED
    if length > 125:
        place, header = header, header + (2 if length == 126 else 8)
        if len(data) < header:
            return header
        length = int.from_bytes(data[place:header], "big")
    return header + length + (_MASK if data[start + 1] & _MASKED else 0)


def text_of(frame: bytes) -> str | None:
    """What a client's whole frame says, if it is a message of its own and plain ASCII; else None."""
    if frame[0] != _TEXT or not frame[1] & _MASKED:
        return None
    length = frame[1] & ~_MASKED
    begin = (2 if length < 126 else 4 if length == 126 else 10) + _MASK
    payload = apply_mask(frame[begin:], frame[begin - _MASK : begin])
    return str(payload, "ascii") if payload.isascii() else None


def text_frame(text: str) -> bytes:
    """A server's frame that says `text`."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((_TEXT, length)) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", _TEXT, 126, length) + payload
    return struct.pack("!BBQ", _TEXT, 127, length) + payload
