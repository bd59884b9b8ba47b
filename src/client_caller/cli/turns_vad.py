"""How well is speech told from everything else, and how soon? Part of `bench turns`.

The way of a call: mu-law, `VoiceBatch` (Silero at 8 kHz, all recordings side by side), and the caller's turn with its
thresholds. Counted in windows of 32 ms. The labels are good to 0.01 s at starts and 0.07 s at ends
(median), and the model is late by up to one window by nature, so F1 on perfectly clear speech is about 0.95, not 1.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from client_caller.audio import g711
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.labelled_audio import Recording, recordings
from client_caller.cli.turns_part import Tell
from client_caller.cli.vad_windows import MILLISECONDS, Frames, judge, noticed, scores
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD
from client_caller.observe.latency import percentile
from client_caller.simulator.utterances import voiced

BEFORE = 30
"""Seconds of something else before the speech whose detection is timed."""
HOLD_MUSIC = -23.0
"""dBFS of hold music: as loud as in the measurement that found the model's drift (`audio/drift.py`)."""
NEVER = sys.maxsize
PROMPT = 150
"""Milliseconds within which speech is to be detected."""
GOALS = {None: 0.93, 15: 0.90, 10: 0.90, 5: 0.85}
"""F1 to be reached, by signal-to-noise ratio in dB; None: clean. None is set for babble, which is other people's
speech, nor for labels that are coarse."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Recordings of one kind, or one noisy mix, or one noise alone."""

    name: str
    goal: float | None
    """F1 to be reached."""
    f1: float | None
    """None where nobody speaks."""
    f1_tuning: float | None
    """Of the half of the speakers on whom something may be chosen."""
    f1_held_back: float | None
    missed: float | None
    """The share of speech that was not heard."""
    false_alarm: float
    """The share of other audio that was taken for speech."""


@dataclass(frozen=True, slots=True)
class Detection:
    """When one utterance was noticed that followed half a minute of something else."""

    after: str
    utterance: str
    held_back: bool
    delay: int | None
    """Milliseconds of audio from its first voiced sample until the turn is one of somebody who speaks; None: never."""
    after_label: int | None
    """The same from where its label has speech begin: with breath, and up to 0.35 s too early in some."""


@dataclass(frozen=True, slots=True)
class VadFigures:
    conditions: tuple[Condition, ...]
    detections: tuple[Detection, ...]


def measure(folder: Path, tell: Tell) -> VadFigures:
    """Raises `UnreadableRecording` and `ModelMissing`."""
    batch = VoiceBatch(find(SILERO_VAD.name))
    everything = recordings(folder)
    groups = conditions(everything)
    labelled = [one for members in groups.values() for one in members]
    utterances = [one for one in everything if one.entry["set"] == "utterance"]
    music = [one for one in everything if one.entry["set"] == "noise" and one.label.startswith("music")]
    before = {"silence": g711.SILENCE} | {one.name: at_level(one.mulaw(), HOLD_MUSIC) for one in music}
    done = 0

    def count(calls: int) -> None:
        nonlocal done
        done += calls
        tell(done, len(labelled) + len(before) * len(utterances))

    frames = dict(zip((one.name for one in labelled), _judged(batch, labelled, count), strict=True))
    found = tuple(one for name, audio in before.items() for one in detections(batch, name, audio, utterances, count))
    return VadFigures(tuple(_condition(name, members, frames) for name, members in groups.items()), found)


def conditions(everything: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Which recordings share a line of the table: those of a kind, and each noisy mix and each noise by itself."""
    groups: dict[str, list[Recording]] = {}
    for one in everything:
        match one.entry["set"]:
            case "utterance":
                groups.setdefault("short utterances", []).append(one)
            case "long":
                groups.setdefault("long passages", []).append(one)
            case "vad" if one.label.startswith("call"):
                groups.setdefault("real call", []).append(one)
            case "vad" if one.label.startswith("meeting"):
                groups.setdefault("meetings (coarse labels)", []).append(one)
            case "vad" | "noise":
                groups[one.name] = [one]
    return groups


def at_level(mulaw: bytes, level: float) -> bytes:
    """The same sound with a mean level of `level` dBFS."""
    samples = g711.decode_float(mulaw)
    gain = 10 ** (level / 20) / float(np.sqrt(np.mean(samples**2)))
    return g711.encode_float((samples * gain).astype(np.float32))


def detections(
    batch: VoiceBatch, name: str, before: bytes, utterances: Sequence[Recording], count: Callable[[int], None]
) -> list[Detection]:
    """When each utterance is noticed after `BEFORE` seconds of `before`, over and over."""
    size = BEFORE * g711.SAMPLE_RATE
    prefix = (before * (size // len(before) + 1))[:size]
    tail = g711.SILENCE * (g711.SAMPLE_RATE // 2)
    heard = scores(batch, [prefix + one.mulaw() + tail for one in utterances])
    found = []
    for one, probabilities in zip(utterances, heard, strict=True):
        labelled = round((BEFORE + one.speech[0][0]) * 1000)
        sounds = BEFORE * 1000 + _first_voiced(one)
        end = next((end for window in noticed(probabilities) if (end := (window + 1) * MILLISECONDS) > labelled), None)
        delays = (None, None) if end is None else (end - sounds, end - labelled)
        found.append(Detection(name, one.name, one.held_back, *delays))
    count(len(utterances))
    return found


def _first_voiced(one: Recording) -> int:
    """Milliseconds to the first sample of its labelled speech that is above -36 dBFS (`utterances.VOICED`)."""
    labelled = one.speech[0][0] * g711.SAMPLE_RATE
    return int(next(place for place in voiced(one.mulaw()) if place >= labelled)) * 1000 // g711.SAMPLE_RATE


def _judged(batch: VoiceBatch, ones: Sequence[Recording], count: Callable[[int], None]) -> list[Frames]:
    found = []
    for one, probabilities in zip(ones, scores(batch, [one.mulaw() for one in ones]), strict=True):
        found.append(judge(one, probabilities))
        count(1)
    return found


def _condition(name: str, members: Sequence[Recording], frames: Mapping[str, Frames]) -> Condition:
    tuning = sum((frames[one.name] for one in members if not one.held_back), Frames())
    held_back = sum((frames[one.name] for one in members if one.held_back), Frames())
    both = tuning + held_back
    apart = "babble" in name or "coarse" in name
    goal = None if apart or both.f1 is None else GOALS.get(members[0].entry.get("snr_db"))
    return Condition(name, goal, both.f1, tuning.f1, held_back.f1, both.missed, both.false_alarm)


def tables(figures: VadFigures) -> Sequence[RenderableType]:
    """Frames by condition, and detection by what came before."""
    return _frames(figures.conditions), _detections(figures.detections), _late(figures.detections)


def _frames(found: Sequence[Condition]) -> Table:
    table = Table(title="Windows of 32 ms against their labels")
    table.add_column("Condition", no_wrap=True)
    for name in ("F1", "tuning", "held back", "Goal", "Missed", "False alarm"):
        table.add_column(name, justify="right")
    for one in found:
        f1 = _share(one.f1)
        if one.f1 is not None and one.goal is not None and one.f1 < one.goal:
            f1 = f"[red]{f1}[/red]"
        rest = (one.f1_tuning, one.f1_held_back, one.goal, one.missed, one.false_alarm)
        table.add_row(one.name, f1, *map(_share, rest))
    return table


def _detections(found: Sequence[Detection]) -> Table:
    table = Table(
        title=f"Speech after {BEFORE} s of something else, ms from its first voiced sample",
        caption="By label: from where the label has speech begin, breath included.",
    )
    table.add_column("Before", no_wrap=True)
    table.add_column("Half", no_wrap=True)
    for name in ("Of", "P50", "P90", "Worst", f"In {PROMPT}", "By label", "Worst"):
        table.add_column(name, justify="right")
    halves = {"both": (False, True), "tuning": (False,), "held back": (True,)}
    for before in dict.fromkeys(one.after for one in found):
        for half, members in halves.items():
            of = [one for one in found if one.after == before and one.held_back in members]
            sounds = _spread([one.delay for one in of])
            labels = _spread([one.after_label for one in of])
            prompt = sum(one.delay is not None and one.delay <= PROMPT for one in of)
            table.add_row(before, half, str(len(of)), *sounds, str(prompt), labels[0], labels[2])
    return table


def _spread(delays: Sequence[int | None]) -> tuple[str, str, str]:
    """Median, 90 % and worst, of which those never heard are."""
    known = [NEVER if delay is None else delay for delay in delays]
    p50, p90, worst = ("never" if at == NEVER else str(at) for at in (percentile(known, it) for it in (50, 90, 100)))
    return p50, p90, worst


def _late(found: Sequence[Detection]) -> Table:
    table = Table("Utterance", "Half", title=f"Those not within {PROMPT} ms, each")
    befores = list(dict.fromkeys(one.after for one in found))
    for before in befores:
        table.add_column(before, justify="right")
    delays = {(one.utterance, one.after): one.delay for one in found}
    for name, held_back in {one.utterance: one.held_back for one in found}.items():
        of = [delays[name, before] for before in befores]
        if any(delay is None or delay > PROMPT for delay in of):
            half = "held back" if held_back else "tuning"
            table.add_row(name, half, *("never" if delay is None else str(delay) for delay in of))
    return table


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
