"""How well does Smart Turn tell a finished turn from a pause, on the telephone? And text, and both together?

    python experiments/turn_model.py            # the tuning half
    python experiments/turn_model.py held-back  # the other one: for closing figures, never to choose by

The turns of the shared audio through G.711, each with 100, 200 or 300 ms after its end of speech (the clip's own pause
as far as it reaches, then silence). "Finished" are those labelled complete and call_shift, "going on" those labelled
incomplete and call_hold; list items are apart. The call's clips have no transcripts, so they count for audio alone.

Two halves, split by speaker: the speakers in the order of the manifest, alternately.

Tuning half (20 scripted clips of six speakers, 14 of the call's agent), judged after 100 ms:

    probability      10 %   half   90 %      accepted/rejected     scripted      call
    complete         .443   .811   .987      text not open         8/9  3/11
    call_shift       .480   .908   .988      audio >= 0.05         9/9  4/11    7/7  4/7
    incomplete       .008   .089   .811      audio >= 0.2          8/9  7/11    7/7  4/7
    call_hold        .006   .046   .944      audio >= 0.5          8/9  7/11    6/7  4/7
    AUC scripted .78 (.82 after 200 ms, .76  audio >= 0.9          3/9 10/11    4/7  4/7
    after 300), call .73 (.69, .73)          both, 0.2             8/9  7/11
                                             both, 0.9             3/9 10/11
    silence needed          cut off: real pause   pause of 1 s   finished: P50   P90  mean ms
    always 200                            16/16          18/18             200   200   200
    always 500                            10/16          18/18             500   500   500
    always 600                             7/16          18/18             600   600   600
    text: 200 or 1100                     14/16          15/18             200   200   256
    text: 500 or 1100                      8/16          15/18             500   500   538
    both at 0.2: 200 or 1100               6/16           7/18             200   200   256
    both at 0.2: 400 or 1100               4/16           7/18             400   400   444
    both at 0.5: 200 or 1100               6/16           7/18             200   650   312
    both at 0.9: 200 or 1100               3/16           4/18            1100  1100   706
    three bands                            4/16           7/18             450   450   403

Held-back half (17 scripted clips of five speakers, 14 of the call's caller), nothing chosen on it: AUC scripted .57
(.47, .44), call .88 (.89, .90); audio >= 0.2 accepts 8/9 and rejects 2/8, in the call 6/7 and 6/7; both at 0.2, 200 or
1100: cut off in 3/4 real pauses and in 7/15 of 1 s (text alone: 4/4, 15/15), finished P50 200, P90 650, mean 312 ms.

So: a low probability is worth a great deal (200 ms of silence with it cut off no more than 600 without), asking later
gains little, and a high one says little: a finished sentence that another follows does sound finished. What misleads it
are announcers and cuts where nobody paused, five of the eight unfinished clips that were held back; talk in a call does
so less. The open endings know few of these texts, and "help me with that" is not open.

A judgement takes 53 to 65 ms of CPU, its features 1 to 5 of them (two EPYC cores, shared; onnxruntime 1.31).
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from client_caller.audio import g711, log_mel
from client_caller.audio.turn_model import TurnModel
from client_caller.conversation.completeness import sounds_open
from client_caller.conversation.policy import Phrases
from client_caller.models.cache import find

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
PHRASES = Phrases()
GAPS = (100, 200, 300)
"""Milliseconds of silence before the judgement."""
ASKED_AT = 100
"""The gap of all tables but the first: who wants to answer after 200 ms can't ask later."""
THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 0.85, 0.9, 0.95, 0.98)
SURE = (200, 300, 400, 500, 600, 700)
"""Silence in milliseconds that ends a turn which sounds finished."""
UNSURE = 1100
"""Silence that ends one that does not."""
LONGEST = 1000
"""A longer pause can't be waited for."""
FINISHED = ("complete", "call_shift")
GOING_ON = ("incomplete", "call_hold")

SPEAKERS = {
    "moonshine_voice/assets/two_cities": "reader of Dickens",
    "tests/jfk": "president",
    "evals/stt/audio/": "tester",
    "resources/speech": "weather announcer",
    "test/scenarios/wav/speak-to": "customer",
    "test/data/librivox/": "reader of Austen",
    "test/data/": "robot's master",
    "recordings/5_jackson": "jackson",
    "recordings/8_nicolas": "nicolas",
    "recordings/2_george": "george",
    "speech/snippets/resources/commercial": "buyer",
    "lca-chimevc-stack/asterisk-test-scripts/recordings/Auto_Repairs_40_UTC_caller": "call's caller",
    "lca-chimevc-stack/asterisk-test-scripts/recordings/Auto_Repairs_40_UTC_agent": "call's agent",
}
"""Who speaks, by the beginning of the source's path; the first that matches."""


@dataclass(frozen=True)
class Clip:
    """One turn or part of a turn, and what the model makes of it."""

    name: str
    label: str
    speaker: str
    held_back: bool
    text: str | None
    pause: int
    """Milliseconds of silence that really followed; 0: cut where the speaker did not pause, or not known."""
    judged: dict[int, float]
    """Probability of being finished, by gap."""

    @property
    def finished(self) -> bool:
        return self.label in FINISHED

    @property
    def probability(self) -> float:
        return self.judged[ASKED_AT]

    @property
    def open(self) -> bool:
        """The words ask for more, as far as they are known."""
        return self.text is not None and sounds_open(self.text, PHRASES)


def speaker(entry: dict[str, Any]) -> str:
    source = entry["source"]
    path = (source[0] if isinstance(source, list) else source)["path"]
    return next(name for start, name in SPEAKERS.items() if path.startswith(start))


def after(mulaw: bytes, speech_end: float, gap: int) -> bytes:
    """The clip as the model would have it `gap` milliseconds after its speech."""
    samples = round((speech_end + gap / 1000) * g711.SAMPLE_RATE)
    return mulaw[:samples] + g711.SILENCE * (samples - len(mulaw))


def clips(model: TurnModel) -> Iterator[Clip]:
    order: list[str] = []
    for entry in json.loads((AUDIO / "manifest.json").read_text())["files"]:
        if entry["set"] != "turn":
            continue
        who = speaker(entry)
        if who not in order:
            order.append(who)
        mulaw = g711.encode(soundfile.read(AUDIO / entry["file"], dtype="int16")[0])
        yield Clip(
            name=Path(entry["file"]).stem,
            label=entry["label"],
            speaker=who,
            held_back=order.index(who) % 2 == 1,
            text=entry["transcript"],
            pause=round(entry["pause_after"] * 1000),
            judged={gap: model.judge(after(mulaw, entry["speech_end"], gap)) for gap in GAPS},
        )


def share(clips: Iterable[Clip], which: Callable[[Clip], bool]) -> str:
    """How many of the clips, as a fraction and in numbers."""
    found = [which(clip) for clip in clips]
    return f"{np.mean(found):4.2f} ({sum(found):2d}/{len(found):2d})" if found else "-"


def print_probabilities(clips: Sequence[Clip]) -> None:
    print(f"{'probability':12s}  n   gap  least   10 %   half   90 %   most")
    for label in ("complete", "call_shift", "incomplete", "call_hold", "list_item"):
        mine = [clip for clip in clips if clip.label == label]
        for gap in GAPS:
            figures = np.quantile([clip.judged[gap] for clip in mine], [0, 0.1, 0.5, 0.9, 1]) if mine else ()
            print(f"{label:12s} {len(mine):2d} {gap:5d}", *(f"{figure:6.3f}" for figure in figures))
    for name, labels in (("scripted", ("complete", "incomplete")), ("call", ("call_shift", "call_hold"))):
        print(f"{name:12s} AUC ", *(f"{gap} ms {area(clips, labels, gap):.2f}  " for gap in GAPS))


def area(clips: Sequence[Clip], labels: tuple[str, str], gap: int) -> float:
    """The chance that a finished turn has a higher probability than one going on."""
    above, below = ([clip.judged[gap] for clip in clips if clip.label == label] for label in labels)
    return float(np.mean([(one > other) + (one == other) / 2 for one in above for other in below]))


def print_operating_points(clips: Sequence[Clip]) -> None:
    scripted = [clip for clip in clips if clip.label in ("complete", "incomplete")]
    call = [clip for clip in clips if clip.label in ("call_shift", "call_hold")]
    print(f"\n{'':18s} scripted: accepted     rejected        call: accepted     rejected")

    def line(name: str, accepts: Callable[[Clip], bool], groups: Sequence[Sequence[Clip]]) -> None:
        cells = []
        for group in groups:
            cells.append(share((clip for clip in group if clip.finished), accepts))
            cells.append(share((clip for clip in group if not clip.finished), lambda clip: not accepts(clip)))
        print(f"{name:18s}          ", "  ".join(f"{cell:12s}" for cell in cells))

    line("text not open", lambda clip: not clip.open, [scripted])
    for threshold in THRESHOLDS:
        line(f"audio >= {threshold:.2f}", lambda clip: clip.probability >= threshold, [scripted, call])  # noqa: B023
    for threshold in THRESHOLDS:
        line(
            f"both, {threshold:.2f}",
            lambda clip: not clip.open and clip.probability >= threshold,  # noqa: B023
            [scripted],
        )


def print_curve(clips: Sequence[Clip]) -> None:
    """What each kind of evidence buys: false cut-offs against the silence before a finished turn is answered."""
    paused = [clip for clip in clips if clip.label in GOING_ON and 0 < clip.pause <= LONGEST]
    going_on = [clip for clip in clips if clip.label in GOING_ON]
    finished = [clip for clip in clips if clip.finished]
    print(f"\n{'silence needed':28s} cut off: real pause  pause of 1 s     finished: P50   P90  mean ms")

    def line(name: str, needed: Callable[[Clip], int]) -> None:
        waits = [needed(clip) for clip in finished]
        real, second = (
            share(paused, lambda clip: needed(clip) < clip.pause),
            share(going_on, lambda c: needed(c) < 1000),
        )
        p50, p90 = np.percentile(waits, [50, 90])
        print(f"{name:28s} {real:>19s}  {second:>12s} {p50:17.0f} {p90:5.0f} {np.mean(waits):5.0f}")

    for sure in SURE:
        line(f"always {sure}", lambda clip: sure)  # noqa: B023
    for sure in SURE:
        line(f"text: {sure} or {UNSURE}", lambda clip: UNSURE if clip.open else sure)  # noqa: B023
    for threshold in (0.2, 0.5, 0.9):
        for sure in SURE[:3]:
            line(
                f"both at {threshold}: {sure} or {UNSURE}",
                lambda clip: UNSURE if clip.open or clip.probability < threshold else sure,  # noqa: B023
            )
    line("three bands", in_bands)


def in_bands(clip: Clip) -> int:
    """Clearly finished, clearly not, and what lies between."""
    if clip.open or clip.probability < 0.2:
        return UNSURE
    return 250 if clip.probability >= 0.9 else 450


def print_cost(model: TurnModel) -> None:
    audio = np.random.default_rng(1).normal(0, 0.1, log_mel.SAMPLES).astype(np.float32)
    mulaw = g711.encode_float(audio[::2])

    def cost(work: Callable[[], object]) -> float:
        best = float("inf")
        for _ in range(20):
            started = time.process_time()
            work()
            best = min(best, time.process_time() - started)
        return best * 1000

    print(f"\nCPU of a judgement: {cost(lambda: model.judge(mulaw)):.1f} ms", end=", ")
    print(f"of that features {cost(lambda: log_mel.log_mel(audio)):.1f} ms (best of 20)")


def main() -> None:
    held_back = sys.argv[1:] == ["held-back"]
    model = TurnModel(find("smart-turn"))
    half = [clip for clip in clips(model) if clip.held_back is held_back]
    print("speakers:", ", ".join(dict.fromkeys(clip.speaker for clip in half)))
    print_probabilities(half)
    print_operating_points(half)
    print_curve(half)
    print_cost(model)


if __name__ == "__main__":
    main()
