"""Does the agent yield to who wants the floor, and to nobody else? Part of `bench turns`.

Every labelled sound is played into a long greeting, through the whole stack on the virtual clock (`barge_in_call`), and
what the far end played is the measure: from the sound's first voiced sample to the agent 12 dB down, and to silence.

Real interruptions are utterances of at least 0.8 s with a transcript that is no mere yes or no. What the recording
engine would say: the transcript's words, where the labels tell the words apart, or else evenly spread over the voiced
time. Of listeners' tokens no words are known: they are taken for a listener's words, one for each 300 ms or less. For
hard stops the same recordings are taken for "stop". A partial comes 100 ms after a word's end. Coughs, sneezes, other
sounds and background noise (its first three seconds) have no words.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

from rich.console import RenderableType
from rich.table import Table

from client_caller.cli.barge_in_call import Disturbance, Sound, disturb
from client_caller.cli.labelled_audio import Recording, recordings
from client_caller.cli.turns_endings import word_ends
from client_caller.cli.turns_part import Tell
from client_caller.conversation.policy import Phrases
from client_caller.conversation.words import made_of, words
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.utterances import voiced

INTERRUPTION, TOKEN, COUGH, OTHER, NOISE = "interruption", "listener's token", "cough", "other sound", "background"
STOP = "hard stop"
KINDS = (INTERRUPTION, STOP, TOKEN, COUGH, OTHER, NOISE)
REAL = 0.8
"""Seconds of speech that are an interruption."""
MOMENTS = 2
"""How often each sound is played, each time at another moment of the greeting."""
LONGEST_PAUSE = 150
"""Milliseconds of silence in the agent's words that pass for a breath."""
_AT_ONCE = 16
"""Calls in one go: as many as are heard in the event loop itself, so that a run can be repeated to the sample."""
_BEFORE_LABEL = 480
"""Samples by which a sound may begin before its label."""
_NOISE = 3 * 8000
_TOKEN_WORD = 300


@dataclass(frozen=True, slots=True)
class Trial:
    """One sound in one call."""

    name: str
    kind: str
    held_back: bool
    found: Disturbance

    @property
    def selective(self) -> bool:
        """The agent went on, without a word lost or a pause to speak of."""
        return not self.found.yielded and not self.found.lost and self.found.pause <= LONGEST_PAUSE


@dataclass(frozen=True, slots=True)
class BargeInFigures:
    trials: tuple[Trial, ...]


def measure(folder: Path, tell: Tell) -> BargeInFigures:
    """Raises `UnreadableRecording` and `ModelMissing`."""
    sounds = [(one, kind, sound) for one in recordings(folder) for kind, sound in _sounds(one)]
    if not sounds:
        raise UnreadableRecording(f"{folder} holds no labelled sound that could interrupt anybody.")
    model = find(SILERO_VAD.name)
    plays = [(sound, Random(f"{one.name}/{kind}/{moment}")) for one, kind, sound in sounds for moment in range(MOMENTS)]
    found: list[Disturbance] = []
    while len(found) < len(plays):
        tell(len(found), len(plays))
        found += disturb(model, plays[len(found) : len(found) + _AT_ONCE])
    repeated = [one for one in sounds for _ in range(MOMENTS)]
    trials = [
        Trial(one.name, kind, one.held_back, result) for (one, kind, _), result in zip(repeated, found, strict=True)
    ]
    return BargeInFigures(tuple(trials))


def _sounds(one: Recording) -> Iterator[tuple[str, Sound]]:
    """What a recording is good for."""
    group = one.entry["set"]
    if group == "utterance":
        text = one.entry.get("transcript") or ""
        answer = made_of(words(text), (*Phrases().yes_and_no, *Phrases().backchannels))
        if not answer and sum(end - begin for begin, end in one.speech) >= REAL:
            yield INTERRUPTION, _spoken(one, text.split())
    elif group == "short" and "token" in one.label:
        (begin, _), (_, end) = one.speech[0], one.speech[-1]
        number = math.ceil((end - begin) * 1000 / _TOKEN_WORD)
        ends = [round((begin + (end - begin) * place / number) * 8000) for place in range(1, number + 1)]
        yield (
            TOKEN,
            Sound(*_clip(one), tuple(zip(ends, islice(cycle(("yeah", "okay", "right")), number), strict=False))),
        )
        yield STOP, Sound(*_clip(one), ((ends[0], "stop"),))
    elif group == "short":
        yield COUGH if "sneeze" in one.label or "cough" in one.label else OTHER, Sound(*_clip(one), ())
    elif group == "noise":
        mulaw, begins = _clip(one)
        yield NOISE, Sound(mulaw[: begins + _NOISE], begins, ())


def _clip(one: Recording) -> tuple[bytes, int]:
    """A recording, and where its sound begins: at the first voiced sample, or the first near its label."""
    mulaw = one.mulaw()
    label = round(one.speech[0][0] * 8000) - _BEFORE_LABEL if one.speech else 0
    places = voiced(mulaw)
    begins = next((int(place) for place in places if place >= label), 0)
    return mulaw, begins


def _spoken(one: Recording, transcript: Sequence[str]) -> Sound:
    mulaw, begins = _clip(one)
    if len(one.speech) == len(transcript):
        ends = [(round(end * 8000), word) for (_, end), word in zip(one.speech, transcript, strict=True)]
    else:
        last = min(len(mulaw), round(one.speech[-1][1] * 8000))
        ends = [(begins + ms * 8, word) for ms, word in word_ends(mulaw[begins:last], transcript)]
    return Sound(mulaw, begins, tuple(ends))


def tables(figures: BargeInFigures) -> Sequence[RenderableType]:
    """The figures for people."""
    table = Table(
        "Sound", title="Sounds over the agent's words, ms from the sound's first voiced sample", min_width=100
    )
    for name in ("Half", "Trials", "Yield", "Selective", "Ducked", "Silent", "Longest pause", "Words lost", "To stop"):
        table.add_column(name, justify="right")
    for kind in KINDS:
        for held_back in (False, True):
            ones = [one for one in figures.trials if one.kind == kind and one.held_back is held_back]
            if ones:
                table.add_row(kind, "held back" if held_back else "tuning", *_row(kind, ones))
    return [table, *_worst(figures)]


def _row(kind: str, ones: Sequence[Trial]) -> list[str]:
    yields = kind in (INTERRUPTION, STOP)
    found = [one.found for one in ones]
    return [
        str(len(ones)),
        f"{sum(one.yielded for one in found) / len(found):.2f}",
        "" if yields else f"{sum(one.selective for one in ones) / len(ones):.2f}",
        _spread([one.ducked for one in found]),
        _spread([one.silent for one in found if one.yielded]),
        "" if yields else _spread([one.pause for one in found]),
        str(sum(one.lost for one in found)),
        _spread([one.to_stop for one in found]),
    ]


def _spread(values: Sequence[float | None]) -> str:
    """Median and worst."""
    known = sorted(value for value in values if value is not None)
    return f"{known[len(known) // 2]:.0f} / {known[-1]:.0f}" if known else "–"


def _worst(figures: BargeInFigures) -> list[RenderableType]:
    """The trials that a limit was made for."""
    table = Table("Not as it should be", "Sound", "Half", "What", title="By recording")
    for one in figures.trials:
        wanted = one.kind in (INTERRUPTION, STOP)
        if wanted and not one.found.yielded:
            what = "not yielded"
        elif not wanted and not one.selective:
            cut = "cut off" if one.found.yielded else f"pause {one.found.pause:.0f} ms"
            what = f"{cut}, {one.found.lost} words lost" if one.found.lost else cut
        else:
            continue
        table.add_row(one.name, one.kind, "held back" if one.held_back else "tuning", what)
    return [table] if table.row_count else []
