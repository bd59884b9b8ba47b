"""How well does it hear? Silero at 8 kHz through G.711, as `VoiceBatch` runs it, on the shared test audio.

    python experiments/vad_f1.py

First table: frames of 32 ms against the labels, with the conversation's own thresholds; F1, the share of speech missed,
and the share of other audio taken for speech. The labels are good to 0.01 s at starts and 0.07 s at ends (median), and
the model is late by up to one window by nature, so F1 on perfectly clear speech is about 0.95, not 1.

Second table: how long after its labelled start speech is heard, when 30 s of something else came before.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from client_caller.audio import g711
from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.conversation.policy import Policy
from client_caller.models.cache import find

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
SECONDS = WINDOW / g711.SAMPLE_RATE
PREFIX = 30

Scores = npt.NDArray[np.float64]
Decisions = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Result:
    """Windows counted: `true_speech` is speech heard as such, `false_speech` is other audio taken for it."""

    true_speech: int = 0
    missed_speech: int = 0
    false_speech: int = 0
    true_other: int = 0

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.true_speech + other.true_speech,
            self.missed_speech + other.missed_speech,
            self.false_speech + other.false_speech,
            self.true_other + other.true_other,
        )

    @property
    def f1(self) -> float:
        return 2 * self.true_speech / max(1, 2 * self.true_speech + self.missed_speech + self.false_speech)

    @property
    def missed(self) -> float:
        return self.missed_speech / max(1, self.true_speech + self.missed_speech)

    @property
    def false_alarm(self) -> float:
        return self.false_speech / max(1, self.true_other + self.false_speech)


def entries() -> dict[str, Any]:
    """The shared audio's manifest, by file."""
    return {entry["file"]: entry for entry in json.loads((AUDIO / "manifest.json").read_text())["files"]}


def mulaw(file: str) -> bytes:
    return g711.encode(soundfile.read(AUDIO / file, dtype="int16")[0])


def score(batch: VoiceBatch, calls: Sequence[bytes]) -> list[Scores]:
    """The model's scores of several calls that run side by side."""
    voices = [batch.join() for _ in calls]
    scores: dict[int, list[float]] = {id(voice): [] for voice in voices}
    for start in range(0, max(map(len, calls)), WINDOW):
        for voice, call in zip(voices, calls, strict=True):
            voice.feed(call[start : start + WINDOW])
        for heard in batch.run():
            scores[id(heard.voice)].append(heard.probability)
    for voice in voices:
        voice.leave()
    return [np.array(scores[id(voice)]) for voice in voices]


def decide(scores: Scores) -> Decisions:
    """Speech or not, by the conversation's thresholds."""
    policy = Policy()
    speaking = False
    decisions = np.zeros(len(scores), bool)
    for window, probability in enumerate(scores):
        speaking = probability >= (policy.silence_threshold if speaking else policy.speech_threshold)
        decisions[window] = speaking
    return decisions


def judge(entry: Mapping[str, Any], scores: Scores) -> Result:
    """Count one file's windows against its labels, each by its middle."""
    middles = (np.arange(len(scores)) + 0.5) * SECONDS
    speech, counted = np.zeros(len(scores), bool), np.ones(len(scores), bool)
    for start, end in entry.get("speech", ()):
        speech |= (start <= middles) & (middles < end)
    for start, end in entry.get("ignore", ()):
        counted &= (middles < start - SECONDS / 2) | (end + SECONDS / 2 <= middles)
    heard = decide(scores)
    pairs = ((speech, heard), (speech, ~heard), (~speech, heard), (~speech, ~heard))
    return Result(*(int((truth & decision & counted).sum()) for truth, decision in pairs))


def groups(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    """Which files share a line of the table: those of a kind, and each noisy mix and noise alone."""
    lines = {
        "short utterances": [file for file in manifest if file.startswith("utt/")],
        "long passages": [file for file in manifest if file.startswith("long/")],
        "real call": [file for file in manifest if file.startswith("calls/")],
        "meetings (coarse labels)": [file for file in manifest if file.startswith("vad/ami")],
    }
    alone = sorted(file for file in manifest if file.startswith(("vad/m", "noise/")))
    return lines | {Path(file).stem: [file] for file in alone}


def table(batch: VoiceBatch) -> dict[str, Result]:
    """The first table: results by line."""
    manifest = entries()
    lines = groups(manifest)
    files = [file for members in lines.values() for file in members]
    results = dict(zip(files, score(batch, [mulaw(file) for file in files]), strict=True))
    return {
        line: sum((judge(manifest[file], results[file]) for file in members), Result())
        for line, members in lines.items()
    }


def delays(batch: VoiceBatch, prefix: bytes) -> dict[str, float]:
    """Milliseconds from each short utterance's labelled start to its first speech decision after 30 s of `prefix`.

    Infinite where none of it was heard.
    """
    manifest = entries()
    files = groups(manifest)["short utterances"]
    size = PREFIX * g711.SAMPLE_RATE
    before = (prefix * (size // len(prefix) + 1))[:size]
    tail = g711.SILENCE * (g711.SAMPLE_RATE // 2)
    found = {}
    for file, scores in zip(files, score(batch, [before + mulaw(file) + tail for file in files]), strict=True):
        start = PREFIX + manifest[file]["speech"][0][0]
        ends = (np.flatnonzero(decide(scores)) + 1) * SECONDS
        after = ends[ends > start]
        found[file] = float(after[0] - start) * 1000 if len(after) else float("inf")
    return found


def prefixes() -> Iterator[tuple[str, bytes]]:
    yield "silence", g711.SILENCE
    for file in sorted(entries()):
        if file.startswith("noise/"):
            yield Path(file).stem, mulaw(file)


def main() -> None:
    batch = VoiceBatch(find("silero-vad"))
    print(f"{'':26s}    F1  missed  false alarm")
    for line, result in table(batch).items():
        spoken = result.true_speech + result.missed_speech
        print(
            f"{line:26s} {f'{result.f1:.3f} {result.missed:7.3f}' if spoken else ' ' * 13} {result.false_alarm:12.3f}"
        )
    print(f"\n{'30 s before the speech':26s} median   p90   max ms   heard in 150 ms")
    for name, prefix in prefixes():
        late = np.array(list(delays(batch, prefix).values()))
        median, p90 = np.percentile(late, [50, 90], method="lower")
        print(f"{name:26s} {median:6.0f} {p90:5.0f} {late.max():5.0f} {np.mean(late <= 150):17.2f}")


if __name__ == "__main__":
    main()
