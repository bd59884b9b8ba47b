"""Does the agent wait for who has not finished, and answer soon who has? Part of `bench turns`.

Each labelled recording with a transcript goes through the real ears and the real decisions (`simulator/rehearsal`),
with the turn model's real judgements and engines that are nothing but their delays. Broken off ones tell how often the
agent would be heard in a pause, complete ones how long the caller waits. The transcript's words are spread evenly over
the recording's voiced time.

A recording is followed by silence, though its caller may have gone on after `pause_after`: a reply counts as a false
cut-off if it is heard before that. Those cut where nobody paused, and longer pauses, are taken as pauses of one second.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from client_caller.audio import g711
from client_caller.audio.silero import WINDOW
from client_caller.audio.turn_model import TurnModel
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.labelled_audio import Recording, recordings
from client_caller.cli.turns_part import Tell
from client_caller.conversation.policy import Phrases, Policy
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD, SMART_TURN
from client_caller.observe.latency import percentile
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.rehearsal import Delays, Script, answer
from client_caller.simulator.utterances import voiced

LANGUAGE = "en"
QUESTION = "What else can I do?"
"""What the agent asked before, where it asked something; as in `bench latency`."""
LATEST = 1600
"""Milliseconds after the end of speech by which everybody is to be answered."""
LONGEST_PAUSE = 1000
"""Milliseconds of a pause that is to be waited for."""
_AFTER = 3
"""Seconds of silence behind each recording."""
_GAP = 10
"""Frames of 20 ms without a voiced sample that still belong to speech: between and inside words."""
_FRAME = 160


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to decide."""

    name: str
    asked: str
    policy: Policy
    phrases: Phrases
    listens: bool
    """With the turn model."""


@dataclass(frozen=True, slots=True)
class Case:
    """One recording, under one setting."""

    recording: str
    held_back: bool
    complete: bool
    pause: int | None
    """Of a broken off one: milliseconds until its caller went on; None: cut where they did not pause."""
    answered: int | None
    """Milliseconds from the end of its speech to the agent's first sound; None: never."""
    requests: int
    """To the language model, by then."""

    @property
    def cut_off(self) -> bool:
        """The agent is heard in the pause, or in an earlier one."""
        return self.answered is not None and self.answered < min(self.pause or LONGEST_PAUSE, LONGEST_PAUSE)

    @property
    def real(self) -> bool:
        """Whether its pause is one that its speaker made, and one to be waited for."""
        return self.pause is not None and self.pause <= LONGEST_PAUSE


@dataclass(frozen=True, slots=True)
class Row:
    """What one setting did."""

    setting: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class EndingsFigures:
    rows: tuple[Row, ...]


def settings() -> Iterator[Setting]:
    """From silence alone to everything that is known, and then everything at other operating points."""
    policy, phrases = Policy(), Phrases()
    wordless = replace(
        phrases,
        open_endings=(),
        openers=(),
        conditions=(),
        open_suffixes=(),
        digits=(),
        teens=(),
        tens=(),
        backchannels=(),
    )
    for silence in (300, 500, 700, 1000):
        yield Setting(f"silence of {silence} ms", QUESTION, _always(policy, silence), wordless, listens=False)
    yield Setting("words", "", replace(policy, short_turn=0), phrases, listens=False)
    yield Setting("voice", QUESTION, replace(policy, short_turn=0), wordless, listens=True)
    yield Setting("words and voice", "", replace(policy, short_turn=0), phrases, listens=True)
    yield Setting("all, nothing was asked", "", policy, phrases, listens=True)
    yield Setting("all, an open question was asked", QUESTION, policy, phrases, listens=True)
    eager = replace(policy, stable_partial=0, guesses_in_a_turn=12)
    yield Setting("all, and begun on partials", QUESTION, eager, phrases, listens=True)
    for factor in (0.6, 0.8, 1.25, 1.5, 2.0):
        yield Setting(f"the same, silences times {factor:g}", QUESTION, _scaled(policy, factor), phrases, listens=True)


def _always(policy: Policy, silence: int) -> Policy:
    return replace(
        policy,
        endpoint_sure=silence,
        endpoint_answer=silence,
        endpoint_likely=silence,
        endpoint_closed=silence,
        endpoint_open=silence,
    )


def _scaled(policy: Policy, factor: float) -> Policy:
    """All but the longest silence, which is where it is so that nobody waits for long."""
    return replace(
        policy,
        endpoint_sure=round(factor * policy.endpoint_sure),
        endpoint_answer=round(factor * policy.endpoint_answer),
        endpoint_likely=round(factor * policy.endpoint_likely),
        endpoint_closed=round(factor * policy.endpoint_closed),
    )


def measure(folder: Path, tell: Tell) -> EndingsFigures:
    """Raises `UnreadableRecording` and `ModelMissing`."""
    labelled = [one for one in recordings(folder) if usable(one)]
    if not labelled:
        raise UnreadableRecording(f"{folder} holds no recording labelled complete or incomplete that has a transcript.")
    batch, model = VoiceBatch(find(SILERO_VAD.name)), TurnModel(find(SMART_TURN.name))
    scripts = [script(one, batch, model) for one in labelled]
    rows = []
    ways = list(settings())
    for number, way in enumerate(ways):
        cases = []
        for place, (one, said) in enumerate(zip(labelled, scripts, strict=True)):
            cases.append(_case(one, said, way))
            tell(number * len(labelled) + place + 1, len(ways) * len(labelled))
        rows.append(Row(way.name, tuple(cases)))
    return EndingsFigures(tuple(rows))


def usable(one: Recording) -> bool:
    """Whether it is a turn, complete or broken off, whose words are known."""
    known = one.entry["set"] in ("turn", "utterance") and one.label in ("complete", "incomplete")
    return known and bool(one.entry.get("transcript")) and one.entry.get("language", LANGUAGE) == LANGUAGE


def _case(one: Recording, said: Script, way: Setting) -> Case:
    pause = one.entry.get("pause_after")
    given = answer(
        said if way.listens else replace(said, judge=None),
        way.asked,
        Delays(),
        way.policy,
        way.phrases,
    )
    complete = one.label == "complete"
    pause = None if complete or not pause else round(pause * 1000)
    return Case(one.name, one.held_back, complete, pause, given.after, given.requests)


def script(one: Recording, batch: VoiceBatch, model: TurnModel) -> Script:
    """What a recording says, and when, to real ears. Its speech ends with the last voiced sample of the labelled."""
    mulaw = one.mulaw()
    end = one.entry.get("speech_end") or one.speech[-1][1]
    loud = voiced(mulaw[: round(end * g711.SAMPLE_RATE)])
    last = int(loud[-1]) + 1
    audio = mulaw[: round(end * g711.SAMPLE_RATE)] + g711.SILENCE * (_AFTER * g711.SAMPLE_RATE)
    ends = word_ends(mulaw[:last], one.entry["transcript"].split())
    judge = cache(lambda milliseconds: model.judge(audio[: milliseconds * 8]))
    return Script(windows(audio, batch), ends, round(last / 8), judge)


def word_ends(mulaw: bytes, words: Sequence[str]) -> list[tuple[int, str]]:
    """Where each word ends, milliseconds: each takes as much of the voiced time; `mulaw` ends with the last one."""
    frames = np.zeros(-(-len(mulaw) // _FRAME), bool)
    frames[voiced(mulaw) // _FRAME] = True
    places = np.flatnonzero(frames)
    for before, after in pairwise(places):
        frames[before:after] |= after - before <= _GAP
    spoken = np.cumsum(frames)
    last = len(mulaw) // 8
    behind = [int(np.searchsorted(spoken, spoken[-1] * number / len(words))) + 1 for number in range(1, len(words))]
    return list(zip([*(min(frame * _FRAME // 8, last) for frame in behind), last], words, strict=True))


def windows(audio: bytes, batch: VoiceBatch) -> list[tuple[float, float]]:
    """Probability of speech and level of each window, as calls have them."""
    voice = batch.join()
    heard = []
    for start in range(0, len(audio), WINDOW):
        voice.feed(audio[start : start + WINDOW])
        heard += [(round(one.probability, 3), round(one.level, 1)) for one in batch.run()]
    voice.leave()
    return heard


# ---------------------------------------------------------------- for people


def tables(figures: EndingsFigures) -> Sequence[RenderableType]:
    """The curve for both halves, and the recordings that show where it ends."""
    return _curve(figures), _worst(figures)


def _curve(figures: EndingsFigures) -> Table:
    table = Table(title=f"Replies in a pause; ms from the end of speech to the reply (limit {LATEST}); requests a turn")
    table.add_column("What decides", no_wrap=True)
    table.add_column("Half")
    for name in ("Real pause", "Pause of 1 s", "P50", "P95", "Worst", "Requests"):
        table.add_column(name, justify="right")
    halves: Mapping[str, Sequence[bool]] = {"both": (False, True), "tuning": (False,), "held back": (True,)}
    for row in figures.rows:
        for half, members in halves.items():
            cases = [case for case in row.cases if case.held_back in members]
            real = [case.cut_off for case in cases if not case.complete and case.real]
            every = [case.answered is not None and case.answered < LONGEST_PAUSE for case in cases if not case.complete]
            waits = [case.answered for case in cases if case.complete and case.answered is not None]
            worst = "never" if len(waits) < sum(case.complete for case in cases) else str(max(waits, default="–"))
            figure = [str(percentile(waits, percent)) for percent in (50, 95)]
            name = row.setting if half == "both" else ""
            asked = [case.requests for case in cases if case.complete]
            each = f"{sum(asked) / len(asked):.1f}" if asked else "–"
            table.add_row(name, half, _of(real), _of(every), *figure, worst, each)
    return table


def _of(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)}"


def _worst(figures: EndingsFigures) -> Table:
    table = Table(title="Recordings that were cut off in a real pause, or answered later than the limit")
    table.add_column("What decides", no_wrap=True)
    table.add_column("Recording")
    table.add_column("Its pause", justify="right")
    table.add_column("Answered", justify="right")
    for row in figures.rows:
        if not row.setting.startswith(("all", "words and")):
            continue
        for case in row.cases:
            late = case.answered is None or case.answered > LATEST
            if late or (not case.complete and case.real and case.cut_off):
                table.add_row(row.setting, case.recording, str(case.pause or "–"), str(case.answered))
    return table
