"""Words written into audio, so that whoever gets the audio can read exactly which words are in it.

The doubles of the simulator speak like this instead of with a voice: a word is a buzz of any length that begins with
its own letters. What a far end really played can then be read back from its samples alone, word for word, without
asking the side that is under test; and a simulated caller can tell a simulated ear what it says, through the audio.

On the wire a word is: a start mark, its letters (four samples for each byte of its UTF-8, of its length and of their
checksum), a buzz, the checksum once more, an end mark. A word whose end is missing was cut off, and one that is shorter
than it says has lost something in the middle. Silence may lie anywhere, even inside a word, where a line ran dry: it is
skipped. Any part may be there twice, where a player went back: the word is whole all the same.

All samples are mu-law codes between -28 and -14 dBFS, few enough to be told apart also when an agent speaks softly
(`g711.SOFTLY`): before anything is read it is made loud again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from zlib import crc32

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
_LENGTH = 2
"""Bytes for the length, in samples."""
_CHECK = 4
"""Bytes of the checksum: the end of one word must never pass for that of another."""
_BUZZ = (b"\xa8", b"\x28")
_ALPHABET = bytes(sorted({*_START, *_END, *_BUZZ[0], *_BUZZ[1], *_LETTERS, *(code ^ _SIGN for code in _LETTERS)}))
_LOUD = bytes.maketrans(_ALPHABET.translate(SOFTLY), _ALPHABET)
_MARKED = re.compile(rb"[\xc0\x40]{8}|[\xc7\x47]{8}")
_STARTED = re.compile(rb"[\xc0\x40]{8,}")
_ENDED = re.compile(rb"[\xc7\x47]{8,}")
"""Longer than the mark where a part of it was played twice."""
_HEAD = re.compile(rb"[\xc0\x40\xb0\xb4\xb8\xbc\x30\x34\x38\x3c]*")
_TAIL = re.compile(rb"[\xc7\x47\xb0\xb4\xb8\xbc\x30\x34\x38\x3c]*$")
_LETTERED = re.compile(rb"(?:[\xb0\xb4\xb8\xbc]{2}[\x30\x34\x38\x3c]{2}){7,}")
_SPELLED = re.compile(rb"[\xb0\xb4\xb8\xbc\x30\x34\x38\x3c]+")
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
    """One word as mu-law audio of `samples` samples (below 65,536), or of the least that it needs: 56, and 4 a byte.

    The pitch of the buzz depends on the word's length, so that different words sound different.
    """
    text = word.encode()
    length = max(samples, len(_START) + _BYTE * (len(text) + _LENGTH + 2 * _CHECK) + len(_END))
    data = text + length.to_bytes(_LENGTH)
    letters, total = _written(data), _written(crc32(data).to_bytes(_CHECK))
    half_wave = 6 + len(text) * 2 % 20
    wave = _BUZZ[0] * half_wave + _BUZZ[1] * half_wave
    missing = length - len(_START) - len(letters) - 2 * len(total) - len(_END)
    return _START + letters + total + (wave * (missing // len(wave) + 1))[:missing] + total + _END


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
        self._begun = False
        """There is a start mark in it."""

    def feed(self, mulaw: bytes) -> list[str]:
        """The words that are whole with this piece."""
        news = _sound(mulaw)
        if not news:
            return []
        sound = self._sound_so_far + news
        if _MARKED.search(sound, max(0, len(self._sound_so_far) - len(_START))) is None:  # nothing begins or ends here
            self._sound_so_far = sound[-_LONGEST_TAIL if self._begun else -len(_START) :]
            return []
        found = list(_words(sound))
        self._keep(sound[found[-1][2] if found else 0 :])
        return [word for word, _, _ in found]

    def _keep(self, sound: bytes) -> None:
        """What may be the beginning of a word."""
        begun = [found.start() for found in _STARTED.finditer(sound)]
        self._begun = bool(begun)
        self._sound_so_far = sound[begun[-1] :][-_LONGEST_TAIL:] if begun else sound[-len(_START) :]


def _sound(mulaw: bytes) -> bytes:
    """All but the silence, made loud."""
    if not mulaw.strip(SILENCE):  # most of a call is: this is asked of every frame
        return b""
    return mulaw.replace(SILENCE, b"").translate(_LOUD)


def _words(sound: bytes) -> Iterator[tuple[str, int, int]]:
    """The whole words, and where each starts and ends."""
    starts = [found.end() for found in _STARTED.finditer(sound)]
    for start, following in pairwise([*starts, len(sound)]):
        ended = _ENDED.search(sound, start, following)
        word = _word(sound[start : ended.start()], ended[0]) if ended else None
        if ended is not None and word is not None:
            yield word, start - len(_START), ended.end()


def _word(middle: bytes, end: bytes) -> str | None:
    """The word that is whole between a start and an end mark."""
    head, tail = (found[0] for found in (_HEAD.match(middle), _TAIL.search(middle)) if found)
    letters, total = _SPELLED.findall(head), b"".join(_SPELLED.findall(tail))
    if not letters or not all(letters[-1].startswith(begun) for begun in letters):
        return None
    if len(head) == len(middle):  # no buzz stands between the letters and their sum
        letters, total = [head[: -_BYTE * _CHECK]], head[-_BYTE * _CHECK :]
    for codes in filter(_LETTERED.fullmatch, _once(letters[-1])):
        written = bytes(_byte(codes[place : place + _BYTE]) for place in range(0, len(codes), _BYTE))
        data, check = written[:-_CHECK], written[-_CHECK:]
        agreed = check == crc32(data).to_bytes(_CHECK) and codes[-_BYTE * _CHECK :] in _once(total)
        if agreed and len(_START) + len(middle) + len(end) >= int.from_bytes(data[-_LENGTH:]):
            return data[:-_LENGTH].decode(errors="replace")
    return None


def _once(codes: bytes) -> Iterator[bytes]:
    """These codes, and what they may have been before a part of them was played twice."""
    yield codes
    for cut in range(1, len(codes)):
        for back in range(1, min(cut, len(codes) - cut) + 1):
            if codes[cut - back : cut] == codes[cut : cut + back]:
                yield codes[:cut] + codes[cut + back :]


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
