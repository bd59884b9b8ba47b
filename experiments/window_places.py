"""How much of an answer's time is chance: where the detector's windows lie. On the rehearsal, recording by recording.

    python experiments/window_places.py [PLACES]

Every complete labelled recording, whole, behind 0 to 32 ms of silence, in as many steps as there are PLACES (8), after
an open question: a real caller's first sample falls anywhere in a window of 32 ms. First: the nine recordings of `bench
latency`, milliseconds from the last voiced sample to the agent's first sound, for replies begun in pauses and for those
begun on partials that come 0 to 100 ms after each word. Second: how many of all recordings the agent speaks into,
because a pause inside them was taken for their end; and replies in real pauses of those that were broken off. Third:
the nine as in a call, each behind another one and some seconds of silence, where the turn model hears the turn alone or
the caller's last 8 s.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random

from client_caller.audio import g711
from client_caller.audio.silero import WINDOW
from client_caller.audio.turn_model import TurnModel
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.labelled_audio import Recording, recordings
from client_caller.cli.turns_endings import LONGEST_PAUSE, QUESTION, usable, windows, word_ends
from client_caller.conversation.policy import Phrases, Policy
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD, SMART_TURN
from client_caller.observe.latency import percentile
from client_caller.simulator.rehearsal import Delays, Script, answer
from client_caller.simulator.utterances import recorded, voiced

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
HUSH = g711.SILENCE * (3 * g711.SAMPLE_RATE)
PAUSES = Policy()
REPEATS = 24
"""Of each recording, in a call."""
GAP = (2500 * 8, 4000 * 8)
"""Samples from one turn to the next, while the agent speaks."""
PARTIALS = replace(PAUSES, stable_partial=0, guesses_in_a_turn=12)


@dataclass(frozen=True, slots=True)
class Placed:
    """One recording, in one place."""

    recording: Recording
    script: Script

    def answered(self, policy: Policy, interim: int = 100, asked: str = QUESTION) -> int | None:
        return answer(self.script, asked, Delays(interim=interim), policy, Phrases()).after


def placed(one: Recording, places: int, batch: VoiceBatch, model: TurnModel) -> Iterator[Placed]:
    """A complete recording to its last sample, one that was broken off to where its label has its end."""
    mulaw = one.mulaw()
    end = round((one.entry.get("speech_end") or one.speech[-1][1]) * g711.SAMPLE_RATE)
    last = int(voiced(mulaw[:end])[-1]) + 1
    words = word_ends(mulaw[:last], one.entry["transcript"].split())
    for place in range(places):
        before = WINDOW * place // places
        audio = g711.SILENCE * before + (mulaw if one.label == "complete" else mulaw[:end]) + HUSH
        ends = [(at + before // 8, word) for at, word in words]
        judge = cache(lambda milliseconds, audio=audio: model.judge(audio[: milliseconds * 8]))
        yield Placed(one, Script(windows(audio, batch), ends, round((last + before) / 8), judge))


def wire(placed: list[Placed]) -> None:
    """The recordings of `bench latency`."""
    names = {one.name for one in recorded(AUDIO).sentences}
    nine = [one for one in placed if one.recording.name in names]
    print(f"{'':22}  P50  P95  worst  over 450 ms")
    ways = [("in pauses", PAUSES, 100)] + [(f"on partials, {ms} ms", PARTIALS, ms) for ms in (100, 50, 30, 0)]
    for name, policy, interim in ways:
        row(name, [(one.answered(policy, interim), one.recording.name) for one in nine])


def row(name: str, waits: list[tuple[int | None, str]]) -> None:
    slow = [recording for after, recording in waits if after is None or after > 450]
    heard = [after for after, _ in waits if after is not None]
    found = [percentile(heard, percent) for percent in (50, 95, 100)]
    print(f"{name:22}", *(f"{figure:5}" for figure in found), f" {len(slow)} of {len(waits)}", *sorted(set(slow)))


def after_another(batch: VoiceBatch, model: TurnModel) -> None:
    """The same, each at any sample, some seconds after another: what the models hear is never one turn alone."""
    random = Random(7)
    waits: dict[str, list[tuple[int | None, str]]] = {"the turn alone": [], "the last 8 s": []}
    sentences = recorded(AUDIO).sentences
    for said in sentences:
        others = [other for other in sentences if other is not said]
        for number in range(REPEATS):
            silence = g711.SILENCE * random.randint(*GAP)
            before = g711.SILENCE * GAP[0] + others[number % len(others)].clip + silence
            audio, start = before + said.clip + HUSH, len(before) // WINDOW * WINDOW
            places = [(round((at + len(before) - start) / 8), word) for at, word in said.word_ends()]
            end = round((said.ends + len(before) - start) / 8)
            heard = windows(audio, batch)[start // WINDOW :]
            for name, first in zip(waits, (start, 0), strict=True):
                judge = cache(
                    lambda ms, audio=audio, first=first, start=start: model.judge(audio[first : start + 8 * ms])
                )
                found = answer(Script(heard, places, end, judge), QUESTION, Delays(), PAUSES, Phrases())
                waits[name].append((found.after, said.name))
    for name, answers in waits.items():
        row(name, answers)


def pauses(placed: list[Placed]) -> None:
    """What the speed costs."""
    for name, policy, asked in (
        ("asked", PAUSES, QUESTION),
        ("nothing asked", PAUSES, ""),
        ("asked, on partials", PARTIALS, QUESTION),
    ):
        whole = [(one, one.answered(policy, asked=asked)) for one in placed if one.recording.label == "complete"]
        broken = [(one, one.answered(policy, asked=asked)) for one in placed if one.recording.label != "complete"]
        into = [one.recording for one, after in whole if after is not None and after < 0]
        real = [(after, 1000 * pause) for one, after in broken if (pause := one.recording.entry.get("pause_after"))]
        real = [(after, pause) for after, pause in real if pause <= LONGEST_PAUSE]
        cut = sum(after is not None and after < pause for after, pause in real)
        print(f"{name:22} P50 {percentile([after for _, after in whole if after is not None], 50)},", end=" ")
        print(f"spoken into {len(into)} of {len(whole)} ({sum(one.held_back for one in into)} held back),", end=" ")
        print(f"in real pauses {cut} of {len(real)}")


def main(places: int) -> None:
    batch, model = VoiceBatch(find(SILERO_VAD.name)), TurnModel(find(SMART_TURN.name))
    every = [item for one in recordings(AUDIO) if usable(one) for item in placed(one, places, batch, model)]
    wire(every)
    pauses(every)
    after_another(batch, model)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 8)
