"""Where the words of a clause end in its audio, for voices that do not say.

Three steps. Find the sounding stretches of the audio. Match the pauses between them with the gaps between words: most
pauses stand at punctuation, and on either side of one the words must take about as long as the sound does. Then share
out each stretch among its words by how long each takes to say, as far as its spelling tells.

The one error that must not happen is a word counted as heard that was not. So inside a stretch every end is set
`MARGIN` later than its estimate; a stretch's own end is seen in the audio and needs none. How good this is:
`experiments/word_times.py`.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.conversation.clauses import words_of

MARGIN = 640
"""Samples (80 ms): about twice the mean error, the least with which no word was counted as heard before its
predecessor ended, in all of the experiment's clauses."""
_MARGIN_SHARE = 1 / 3
"""No more than this part of the next word, or a short one would already be over."""

_FRAME = 80
"""Samples: 10 ms, finer than any error here."""
_QUIETEST_SOUND = -35.0
"""Decibels of the loud frames' level (their 95th percentile). Weak consonants are at about -28."""
_LOUDEST_NOISE = -30.0
"""A quietest frame (the 5th percentile) above this is speech: the clause has no pause."""
_ABOVE_NOISE = 10.0
"""Decibels."""
_PAUSE = 9
"""Frames. Shorter silence is the closure of a p, t or k, which lasts up to about 80 ms."""
_MOST_PAUSES = 15
"""Of more, only the longest count; it bounds the work. A clause of 240 characters has some five."""

# How long things take to say, in milliseconds at 175 words a minute. Only their proportions matter: the pace is taken
# from the audio. Fitted to half of the experiment's sentences.
_WORD = 30.0
_SYLLABLE = 55.0
_CONSONANT = 75.0
_LAST_WORD = 150.0
"""What the last word before a pause is drawn out by."""
_LETTER_NAME = 115.0
_DIGIT = 320.0
_TEEN = -80.0
_HUNDREDS = 450.0
_SIGN = 400.0
""""Dollars", "per cent"."""

# What a match of pauses with gaps costs, in the unit of its first term: squared deviation of the sound's length from
# that of its words.
_TOLERANCE = 2.25
"""Frames of variance in each frame of speech."""
_UNPUNCTUATED = 4.0
"""A pause where no punctuation is."""
_UNPAUSED = 5.0
"""Punctuation without a pause; also a pause of `_LONG` frames within a word."""
_LONG = 15

_PUNCTUATED = re.compile(r"[^\w\s'’°%][\"'”’»)\]]*$")
_SILENT = re.compile(r"(?<=[^aeiou])e(?=s?$)|(?<=[^aeioutd])e(?=d$)")
_ONE_SOUND = re.compile(r"th|sh|ch|ck|ph|wh|gh|qu|ng|([bcdfgklmnprstvz])\1")
_VOWELS = re.compile(r"[aeiouyαεηιουωаеёиоуыэюя]+")

Stretch = tuple[int, int]
"""First frame, and the one after the last."""
Group = tuple[int, int, Sequence[Stretch]]
"""Some words, the first and the one after the last, and the stretches in which they are said."""


def estimate(text: str, mulaw: bytes) -> tuple[int, ...]:
    """Where each word of `text` (`clauses.words_of`) ends in its audio.

    Samples at 8 kHz, rising, none after the end of the audio; the last is the end of the last sound. Where the audio
    is silent, all words end with it.
    """
    words = [text[word.start : word.end] for word in words_of(text)]
    stretches = _stretches(mulaw)
    if not words or not stretches:
        return (len(mulaw),) * len(words)
    lengths = [_length(word) for word in words]
    ends: list[float] = []
    for first, last, sounds in _match(words, lengths, stretches):
        ends += _share(lengths[first:last], sounds)
    return tuple(min(round(end * _FRAME), len(mulaw)) for end in ends)


def _stretches(mulaw: bytes) -> list[Stretch]:
    """Where there is sound, apart from closures within words."""
    padding = -len(mulaw) % _FRAME
    samples = g711.decode_float(mulaw + padding * g711.SILENCE).reshape(-1, _FRAME)
    power = np.mean(samples**2, axis=1)
    if not power.any():
        return []
    level = 10 * np.log10(np.maximum(power / np.quantile(power[power > 0], 0.95), 1e-9))
    noise = np.quantile(level, 0.05)
    threshold = max(_QUIETEST_SOUND, noise + _ABOVE_NOISE) if noise < _LOUDEST_NOISE else _QUIETEST_SOUND
    loud = np.flatnonzero(level > threshold)
    silences = np.diff(loud)
    pauses = np.flatnonzero(silences > _PAUSE)
    pauses = np.sort(pauses[np.argsort(silences[pauses], kind="stable")[-_MOST_PAUSES:]])
    begins = [int(loud[0]), *loud[pauses + 1].tolist()]
    ends = [*(loud[pauses] + 1).tolist(), int(loud[-1]) + 1]
    return list(zip(begins, ends, strict=True))


def _length(word: str) -> float:
    """How long a word takes to say, milliseconds at an ordinary pace."""
    plain = "".join(char for char in unicodedata.normalize("NFD", word) if unicodedata.category(char)[0] != "M")
    letters = "".join(char for char in plain if char.isalpha())
    length = _LAST_WORD if _PUNCTUATED.search(word) else 0.0
    if _is_spelled(plain, letters):
        return length + _LETTER_NAME * len(letters)
    length += _WORD + _SIGN * sum(char in "$€£¥%" for char in plain)
    length += sum(_number_length(number) for number in re.findall(r"\d+", plain.replace(",", "")))
    if not letters:
        return length
    spelled = letters.lower()
    sounds = _ONE_SOUND.sub("k", _SILENT.sub("", spelled) if len(spelled) > 3 else spelled)
    vowels = _VOWELS.findall(sounds)
    consonants = len(sounds) - sum(map(len, vowels)) + sounds.count("x")
    return length + _SYLLABLE * max(1, len(vowels)) + _CONSONANT * consonants


def _is_spelled(word: str, letters: str) -> bool:
    """Whether a word is said letter by letter: `a.m.`, `B`, `USA`."""
    dotted = re.search(r"[^\W\d_]\.[^\W\d_]", word) and len(letters) < 5
    return bool(dotted) or (letters.isupper() and len(letters) < 5 and letters != "A")


def _number_length(digits: str) -> float:
    zero_first = len(digits) > 1 and digits[0] == "0"
    said = max(1, len(digits) - digits.count("0")) + zero_first
    teen = len(digits) > 1 and digits[-2] == "1"
    return said * _DIGIT + teen * _TEEN + (2 < len(digits) < 7) * _HUNDREDS


def _match(words: Sequence[str], lengths: Sequence[float], stretches: Sequence[Stretch]) -> list[Group]:
    """Which words are said in which stretches: the cheapest path over all pairs of a pause and a gap.

    Gap 0 is the clause's begin, and so is pause 0. Matrices are indexed by the gaps before and after a group.
    """
    sound = [0, *accumulate(end - begin for begin, end in stretches)]
    speech = np.array([0.0, *accumulate(lengths)]) * sound[-1] / sum(lengths)
    gaps = len(speech)
    expected = speech - speech[:, np.newaxis]
    variance = _TOLERANCE * np.maximum(expected, _LONG)
    marked = np.array([bool(_PUNCTUATED.search(word)) for word in words])
    marks = np.array([0, *accumulate(marked.astype(int))])
    begin, end = np.triu_indices(gaps, 1)
    by_text = np.full((gaps, gaps), np.inf)
    by_text[begin, end] = _UNPAUSED * (marks[end - 1] - marks[begin]) + _UNPUNCTUATED * ~marked[end - 1]
    pauses = [0.0, *accumulate(min(1.5, (after[0] - before[1]) / _LONG) for before, after in pairwise(stretches))]

    costs = [np.where(np.arange(gaps) == 0, 0.0, np.inf)]
    origins: list[npt.NDArray[np.intp]] = []
    for pause in range(1, len(sound)):
        choices = [
            costs[before][:, np.newaxis]
            + by_text
            + (sound[pause] - sound[before] - expected) ** 2 / variance
            + _UNPAUSED * (pauses[pause - 1] - pauses[before])
            for before in range(pause)
        ]
        costs.append(np.concatenate(choices).min(axis=0))
        origins.append(np.concatenate(choices).argmin(axis=0))

    groups: list[Group] = []
    pause, gap = len(stretches), len(words)
    while gap:
        before, first = divmod(int(origins[pause - 1][gap]), gaps)
        groups.append((first, gap, stretches[before:pause]))
        pause, gap = before, first
    return groups[::-1]


def _share(lengths: Sequence[float], stretches: Sequence[Stretch]) -> list[float]:
    """The end of each word, in frames: the sound's time shared out, and the margin added."""
    sound = sum(end - begin for begin, end in stretches)
    pace = sound / sum(lengths)
    said = [length * pace for length in accumulate(lengths[:-1])]
    ends = [_after(so_much, stretches) for so_much in said] + [float(stretches[-1][1])]
    later = [min(a + MARGIN / _FRAME, a + _MARGIN_SHARE * (b - a)) for a, b in pairwise(ends)]
    return [*later, ends[-1]]


def _after(sound: float, stretches: Sequence[Stretch]) -> float:
    """The frame by which this much sound was heard."""
    for begin, end in stretches[:-1]:
        if sound <= end - begin:
            return begin + sound
        sound -= end - begin
    begin, end = stretches[-1]
    return min(begin + sound, end)
