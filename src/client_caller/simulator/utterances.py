"""Things a caller can say whose words are known, and where in the clip they begin and end."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.engines.protocols import CallContext, TextToSpeech
from client_caller.simulator.clips import UnreadableRecording, load

VOICED = 500
"""A sample louder than this, of 32768, is voiced: -36 dBFS, well above the noise of a line and below any vowel. The
speech to text of our measurements (`doubles.deepgram`) ends an utterance by the same level."""

SENTENCES = (
    "I would like to book a table.",
    "Can you tell me your opening hours?",
    "What does it cost?",
    "My name is Anna Miller.",
    "I need it for two people.",
    "That is too early for me.",
    "Could you say that once more?",
    "Do you have anything cheaper?",
)
"""Questions and answers of ordinary length, for a synthetic voice."""
BACKCHANNELS = ("Yeah.", "Okay.", "Right.")

_DIGITS = frozenset(("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
"""A sentence that ends in two may be a number being dictated, which an agent rightly waits for."""
_PAUSE = 400 * 8
"""Samples: a recording with a longer pause inside tells more about endpointing than about latency."""
_BEGINS_WITHIN, _ENDS_WITHIN = 60 * 8, 100 * 8
"""Samples by which a label and the level may differ: beyond that, breath and noise pass for the end of speech."""
_TOKEN = (250 * 8, 450 * 8)
"""Length of a listener's token that is shorter than any interruption, samples."""


@dataclass(frozen=True, slots=True)
class Utterance:
    name: str
    clip: bytes
    """Mu-law."""
    text: str
    begins: int
    """Its first voiced sample."""
    ends: int
    """Behind its last voiced sample."""

    def word_ends(self) -> Iterator[tuple[int, str]]:
        """Where each word ends, in samples of the clip: evenly spread, which only matters to a speech engine."""
        words = self.text.split()
        for number, word in enumerate(words, start=1):
            yield self.begins + (self.ends - self.begins) * number // len(words), word


@dataclass(frozen=True, slots=True)
class Repertoire:
    """All that a caller of a measurement may say."""

    sentences: tuple[Utterance, ...]
    backchannels: tuple[Utterance, ...]


def voiced(mulaw: bytes) -> npt.NDArray[np.intp]:
    """The places of all voiced samples, in order."""
    return np.flatnonzero(np.abs(g711.decode(mulaw).astype(np.int32)) > VOICED)


async def spoken(voice: TextToSpeech) -> Repertoire:
    """Sentences and backchannels in a synthetic voice. Raises `EngineError`."""

    async def say(text: str) -> Utterance:
        clip = b"".join([speech.mulaw async for speech in voice.speak(CallContext("bench"), text)])
        return _utterance(text, clip, text)

    return Repertoire(tuple([await say(text) for text in SENTENCES]), tuple([await say(text) for text in BACKCHANNELS]))


def recorded(folder: Path) -> Repertoire:
    """What a folder with a `manifest.json` holds: `files`, each with `file`, `set`, `label`, `transcript`, `speech`.

    Sentences are those of `set` "utterance" with a transcript that is no dictated number, in which nobody pauses for
    long, and label and level agree where speech begins and ends. Backchannels are the short ones whose label says
    "listener token"; their words are not known, and speech to text is told "yeah". Raises `UnreadableRecording`.
    """
    try:
        files = json.loads((folder / "manifest.json").read_text())["files"]
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableRecording(
            f"{folder} has no manifest.json that lists its recordings (files: file, set, label, transcript, speech)."
        ) from error
    found = [(_named(folder, one), one) for one in files if _is_sentence(one) or _is_token(one)]
    repertoire = Repertoire(
        tuple(utterance for utterance, one in found if _is_sentence(one) and _certain(utterance, one)),
        tuple(utterance for utterance, one in found if _is_token(one) and _begins_as_labelled(utterance, one)),
    )
    if not repertoire.sentences or not repertoire.backchannels:
        raise UnreadableRecording(f"{folder} holds no labelled utterance, or no listener token, that can be used.")
    return repertoire


def _is_sentence(one: Mapping[str, Any]) -> bool:
    words = (one.get("transcript") or "").split()
    return one["set"] == "utterance" and bool(words) and not _DIGITS.issuperset(words[-2:]) and not one.get("ignore")


def _is_token(one: Mapping[str, Any]) -> bool:
    if "listener token" not in one["label"]:
        return False
    shortest, longest = _TOKEN
    return shortest <= _samples(one["speech"][-1][1] - one["speech"][0][0]) <= longest


def _named(folder: Path, one: Mapping[str, Any]) -> Utterance:
    return _utterance(Path(one["file"]).stem, load(folder / one["file"]), one.get("transcript") or "yeah")


def _begins_as_labelled(utterance: Utterance, one: Mapping[str, Any]) -> bool:
    return abs(utterance.begins - _samples(one["speech"][0][0])) <= _BEGINS_WITHIN


def _certain(utterance: Utterance, one: Mapping[str, Any]) -> bool:
    """Where it begins and ends, and that nobody pauses for long in between."""
    ends = abs(utterance.ends - _samples(one["speech"][-1][1])) <= _ENDS_WITHIN
    return ends and _begins_as_labelled(utterance, one) and np.diff(voiced(utterance.clip)).max(initial=0) <= _PAUSE


def _samples(seconds: float) -> int:
    return round(seconds * g711.SAMPLE_RATE)


def _utterance(name: str, clip: bytes, text: str) -> Utterance:
    places = voiced(clip)
    if not len(places):
        raise UnreadableRecording(f"{name} has no sound above -36 dBFS.")
    return Utterance(name, clip, text, int(places[0]), int(places[-1]) + 1)
