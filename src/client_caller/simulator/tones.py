"""Words written into audio, so that whoever gets the audio can read exactly which words are in it.

The doubles of the simulator speak like this instead of with a voice: a word is a buzz of any length that begins with
its own letters. What a far end really played can then be read back from its samples alone, word for word, without
asking the side that is under test; and a simulated caller can tell a simulated ear what it says, through the audio.

On the wire a word is: a start mark, four samples for each byte of its UTF-8 and four more for their sum, a buzz, the
sum once more, an end mark. A word whose end is missing was cut off. Silence may lie anywhere, even inside a word, where
a line ran dry: it is skipped. So is whatever stands between the letters and the end, where something was played twice.

All samples are mu-law codes between -28 and -14 dBFS, few enough to be told apart also when an agent speaks softly
(`g711.SOFTLY`): before anything is read it is made loud again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from client_caller.audio.g711 import SILENCE, SOFTLY

_START = b"\xc0\x40" * 4
_END = b"\xc7\x47" * 4
"""Of other codes than the start, so that the end of a cut word and the start of the next can't make a whole one."""
_LETTERS = b"\xb0\xb4\xb8\xbc"
"""For two bits each. Those of the lower half of a byte come with the other sign, so no letters look like a mark."""
_SIGN = 0x80
_BYTE = 4
"""Samples for a byte."""
_BUZZ = (b"\xa8", b"\x28")
_ALPHABET = bytes(sorted({*_START, *_END, *_BUZZ[0], *_BUZZ[1], *_LETTERS, *(code ^ _SIGN for code in _LETTERS)}))
_LOUD = bytes.maketrans(_ALPHABET.translate(SOFTLY), _ALPHABET)
_SPELLED = re.compile(rb"(?:[\xb0\xb4\xb8\xbc]{2}[\x30\x34\x38\x3c]{2}){2,}")
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
    """One word as mu-law audio of `samples` samples, or of the least that it needs (24 and 4 for each byte).

    The pitch of the buzz depends on the word's length, so that different words sound different.
    """
    letters, total = _written(word.encode()), _written(bytes([sum(word.encode()) % 256]))
    missing = samples - len(_START) - len(letters) - 2 * len(total) - len(_END)
    half_wave = 6 + len(letters) // 2 % 20
    wave = _BUZZ[0] * half_wave + _BUZZ[1] * half_wave
    buzz = (wave * (missing // len(wave) + 1))[:missing] if missing > 0 else b""
    return _START + letters + total + buzz + total + _END


def read(mulaw: bytes) -> tuple[Spelled, ...]:
    """The whole words in some audio, in order."""
    places = np.flatnonzero(np.frombuffer(mulaw, dtype=np.uint8) != SILENCE[0])
    return tuple(
        Spelled(word, int(places[start]), int(places[end - 1]) + 1) for word, start, end in _words(_sound(mulaw))
    )


class Reader:
    """Reads words from audio that arrives piece by piece."""

    def __init__(self) -> None:
        self._sound_so_far = b""

    def feed(self, mulaw: bytes) -> list[str]:
        """The words that are whole with this piece."""
        sound = _sound(mulaw)
        if not sound:
            return []
        sound = self._sound_so_far + sound
        found = list(_words(sound))
        self._sound_so_far = self._unfinished(sound[found[-1][2] if found else 0 :])
        return [word for word, _, _ in found]

    def _unfinished(self, sound: bytes) -> bytes:
        begun = sound.rfind(_START)
        if begun >= 0:
            return sound[begun:][-_LONGEST_TAIL:]
        return sound[-len(_START) :]


def _sound(mulaw: bytes) -> bytes:
    """All but the silence, made loud."""
    return mulaw.replace(SILENCE, b"").translate(_LOUD)


def _words(sound: bytes) -> Iterator[tuple[str, int, int]]:
    """The whole words, and where each starts and ends; none whose letters and end do not agree with their sum."""
    start = sound.find(_START)
    while start >= 0:
        after = start + len(_START)
        following = sound.find(_START, start + 1)
        end = sound.find(_END, after, following if following >= 0 else len(sound))
        spelled = _SPELLED.match(sound, after, end - _BYTE) if end >= 0 else None
        word = _word(spelled[0], sound[end - _BYTE : end]) if spelled else None
        if word is not None:
            yield word, start, end + len(_END)
        start = following


def _word(codes: bytes, total: bytes) -> str | None:
    *letters, check = (_byte(codes[place : place + _BYTE]) for place in range(0, len(codes), _BYTE))
    agreed = check == sum(letters) % 256 and total == codes[-_BYTE:]
    return bytes(letters).decode(errors="replace") if agreed else None


def _written(values: bytes) -> bytes:
    """The codes of some bytes."""
    codes = bytearray()
    for value in values:
        first, second, third, fourth = (_LETTERS[value >> shift & 3] for shift in (6, 4, 2, 0))
        codes += bytes((first, second, third ^ _SIGN, fourth ^ _SIGN))
    return bytes(codes)


def _byte(codes: bytes) -> int:
    value = 0
    for code in codes:
        value = value << 2 | _LETTERS.index(code | _SIGN)
    return value
