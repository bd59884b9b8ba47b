"""Words written into audio, so that whoever gets the audio can read exactly which words are in it.

The doubles of the simulator speak like this instead of with a voice: a word is a buzz of any length that begins with
its own letters. What a far end really played can then be read back from its samples alone, word for word, without
asking the side that is under test; and a simulated caller can tell a simulated ear what it says, through the audio.

On the wire a word is: a start mark, two samples for each byte of its UTF-8, a buzz, an end mark. All samples are mu-law
codes between -28 and -15 dBFS. A word whose end mark is missing was cut off. Silence may lie anywhere, even inside a
word, where a line ran dry: it is skipped.
"""

import re
from dataclasses import dataclass

import numpy as np

from client_caller.audio.g711 import SILENCE

_START = b"\xc0\x40" * 4
_END = b"\xc7\x47" * 4
"""Of other codes than the start, so that the end of a cut word and the start of the next can't make a whole one."""
_HIGH, _LOW = 0xB0, 0x30
_BUZZ = (b"\xa8", b"\x28")
_WORD = re.compile(_START + rb"((?:[\xb0-\xbf][\x30-\x3f])+)[\xa8\x28]*" + _END)
_LONGEST_TAIL = 4 * 8000
"""Samples that an unfinished word may have: four seconds is longer than any word takes."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A whole word found in some audio."""

    word: str
    start: int
    end: int
    """Samples from the start of the audio; `end` is behind its last sample."""


def spell(word: str, samples: int = 0) -> bytes:
    """One word as mu-law audio of `samples` samples, or of the least that it needs (16 and 2 for each byte).

    The pitch of the buzz depends on the word's length, so that different words sound different.
    """
    letters = bytes(code for byte in word.encode() for code in (_HIGH | byte >> 4, _LOW | byte & 0x0F))
    missing = samples - len(_START) - len(letters) - len(_END)
    half_wave = 6 + len(letters) % 20
    wave = _BUZZ[0] * half_wave + _BUZZ[1] * half_wave
    buzz = (wave * (missing // len(wave) + 1))[:missing] if missing > 0 else b""
    return _START + letters + buzz + _END


def read(mulaw: bytes) -> tuple[Spelled, ...]:
    """The whole words in some audio, in order."""
    places = np.flatnonzero(np.frombuffer(mulaw, dtype=np.uint8) != SILENCE[0])
    sound = mulaw.replace(SILENCE, b"")
    return tuple(
        Spelled(_letters(found[1]), int(places[found.start()]), int(places[found.end() - 1]) + 1)
        for found in _WORD.finditer(sound)
    )


class Reader:
    """Reads words from audio that arrives piece by piece."""

    def __init__(self) -> None:
        self._sound = b""

    def feed(self, mulaw: bytes) -> list[str]:
        """The words that are whole with this piece."""
        sound = mulaw.replace(SILENCE, b"")
        if not sound:
            return []
        self._sound += sound
        words = []
        read_up_to = 0
        for found in _WORD.finditer(self._sound):
            words.append(_letters(found[1]))
            read_up_to = found.end()
        self._sound = self._unfinished(self._sound[read_up_to:])
        return words

    def _unfinished(self, sound: bytes) -> bytes:
        begun = sound.rfind(_START)
        if begun >= 0:
            return sound[begun:][-_LONGEST_TAIL:]
        return sound[-len(_START) :]


def _letters(codes: bytes) -> str:
    pairs = zip(codes[::2], codes[1::2], strict=True)
    return bytes((high & 0x0F) << 4 | low & 0x0F for high, low in pairs).decode(errors="replace")
