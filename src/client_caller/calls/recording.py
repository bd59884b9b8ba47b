"""The recording of a call: a stereo WAV file, the caller left and the agent right.

The file is valid at every moment: pieces of audio are held for at most half a second, then written to their places
together with a header of the new length. Format: 16-bit PCM at 8 kHz (RIFF WAVE, format tag 1), so the caller's channel
is exactly what came over the line, decoded from G.711.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from client_caller.audio import g711
from client_caller.calls.private_file import PrivateFile

_HEADER = 44
_FRAME = 4
"""Bytes: two channels of 16 bits."""
_HELD = g711.SAMPLE_RATE // 2
"""Samples of either channel that are held before they are written: half a second of caller."""
_SPAN = 2 * g711.SAMPLE_RATE
"""Pieces further apart than this are written one by one, so that memory stays bounded."""
LONGEST = 4 * 3600 * g711.SAMPLE_RATE
"""Samples of the longest recording, 4 hours: no call lasts longer with Twilio (`time_limit`, at most 14,400 s). A piece
beyond is a broken clock."""

_Piece = tuple[int, int, bytes]
"""Channel, first sample's place, mu-law audio."""


class Recording:
    """Takes pieces of both sides in any order and puts each where it belongs.

    The rules: what nobody fills is silence; a later piece replaces what it overlaps, however late it comes (so the
    agent's audio that was sent ahead and then cleared is erased by a piece of silence); what lies before the start or
    beyond `LONGEST` is refused and counted. Nothing here raises into the call: see `PrivateFile`.
    """

    def __init__(self, path: Path) -> None:
        """Begin a recording, or go on with the one in `path`."""
        self._file = PrivateFile(path)
        self._samples = max(0, (self._file.size - _HEADER) // _FRAME)
        self._pieces: list[_Piece] = []
        self._held = 0
        self.refused = 0
        """Samples that had no place."""
        self._write_header()

    @property
    def failure(self) -> str | None:
        """Why nothing more is recorded, or None."""
        return self._file.failure

    def caller(self, mulaw: bytes, at_sample: int) -> None:
        """What the caller said, its first sample at this place, in samples from the start of the call."""
        self._take(0, mulaw, at_sample)

    def agent(self, mulaw: bytes, at_sample: int) -> None:
        """What the far end played of the agent, its first sample at this place."""
        self._take(1, mulaw, at_sample)

    def flush(self) -> None:
        """Write everything that is held."""
        pieces, self._pieces, self._held = self._pieces, [], 0
        for start, end, group in _groups(pieces):
            self._write(start, end, group)
        self._write_header()

    def close(self) -> None:
        self.flush()
        self._file.close()

    def _take(self, channel: int, mulaw: bytes, at: int) -> None:
        inside = mulaw[max(0, -at) : max(0, LONGEST - at)]
        self.refused += len(mulaw) - len(inside)
        if not inside:
            return
        self._pieces.append((channel, max(0, at), inside))
        self._held += len(inside)
        if self._held >= _HELD:
            self.flush()

    def _write(self, start: int, end: int, pieces: list[_Piece]) -> None:
        place = _HEADER + start * _FRAME
        block = np.zeros((end - start, 2), dtype="<i2")
        there = np.frombuffer(self._file.read(block.nbytes, place), dtype=np.uint8)
        block.reshape(-1).view(np.uint8)[: len(there)] = there
        for channel, at, mulaw in pieces:
            block[at - start : at - start + len(mulaw), channel] = g711.decode(mulaw)
        self._file.write(block.tobytes(), place)
        self._samples = max(self._samples, end)

    def _write_header(self) -> None:
        size = self._samples * _FRAME
        rate = g711.SAMPLE_RATE
        shape = struct.pack("<HHIIHH", 1, 2, rate, rate * _FRAME, _FRAME, 16)
        riff = struct.pack("<4sI4s4sI16s4sI", b"RIFF", _HEADER - 8 + size, b"WAVE", b"fmt ", 16, shape, b"data", size)
        self._file.write(riff, 0)


def _groups(pieces: list[_Piece]) -> Iterator[tuple[int, int, list[_Piece]]]:
    """Runs of pieces that can be written as one block, with its first and last place; their order is kept."""
    group: list[_Piece] = []
    start = end = 0
    for piece in pieces:
        _, at, mulaw = piece
        wider = (min(start, at), max(end, at + len(mulaw))) if group else (at, at + len(mulaw))
        if group and wider[1] - wider[0] > _SPAN:
            yield start, end, group
            group, wider = [], (at, at + len(mulaw))
        group.append(piece)
        start, end = wider
    if group:
        yield start, end, group
