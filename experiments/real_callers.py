"""What becomes of real callers? Recordings of the shared audio call the demonstration, on the virtual clock.

    python experiments/real_callers.py [file …]

The law, for each stretch of labelled speech longer than 0.5 s: it belongs to exactly one entry of the history, a turn
or a backchannel. Neighbours may share an entry for one of four reasons, found in the journal: the pause between them
was shorter than the silence that endpointing asked for just then; the caller spoke over the agent, and went on before
it was clear that they did not want the floor; the caller went on before the answer's first sound; or nobody could have
heard the pause. The recording's caller channel is the input, sample for sample after G.711, with silence around it.

    37 calls (30 utterances, 6 passages, the caller of a real call), 37 recordings equal to the input
    129 stretches above 0.5 s, 90 turns, 7 backchannels; the law is broken 0 times
    31 pauses within the 0.48 s that a complete ending asks for
    11 pauses within the 1.10 s that an open ending asks for
     4 pauses within the 1.00 s that speech over the agent's words asks for
     6 pauses over before the answer's first sound
     6 pauses of 0.12 to 0.26 s, too short to be heard
    32 calls ended by the caller's hanging up, 5 by the agent, who took something for a goodbye

The words themselves mean nothing here: PocketSphinx knows only the demonstration's script and takes all else for parts
of it, so which endings sound open is chance, and the figures move a little with every change of the rules. About 80 s.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from client_caller.audio import g711
from client_caller.calls.journal import Segment, read
from client_caller.calls.replay import history_in, rerun
from client_caller.conversation.barge_in import patience_with
from client_caller.conversation.commands import EndCall
from client_caller.conversation.events import CallEnded
from client_caller.conversation.history import CallerSaid
from client_caller.conversation.memory import Memory
from client_caller.conversation.state import ReplyState, TurnState

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
LONG = 500
"""Milliseconds above which a stretch of speech has to be found in the history."""
NOT_SPEECH = {"utt/u30_es.flac": [(8.0, 8.66)]}
"""Stretches labelled as speech that are none. Two knocks, each 50 dB down in 0.3 s and without pitch: autocorrelation
0.4 at most, where the speech before them has 0.6 to 0.9. The transcript has no words for them."""
TOLERANCE = 150
"""Milliseconds by which the labels' ends may be wrong (the audio's README)."""
SAMPLES = g711.SAMPLE_RATE // 1000
"""In a millisecond."""


Stretch = tuple[float, float]
"""Start and end of speech, in seconds of a recording."""


KIND = re.compile(r"^pause of [\d.]+ s, (heard as [\d.]+ s, )?")
"""What two reasons of one kind differ in."""


class Span(NamedTuple):
    """Milliseconds on the call's clock."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Moment:
    """How things stood after one event."""

    at: int
    turn: TurnState
    silent_since: int
    asked: int
    """The silence that would end the caller's turn in a pause."""
    why: str
    """What asks for it."""
    agent_audible: bool


@dataclass(frozen=True)
class Outcome:
    """What became of one caller."""

    stretches: int
    """Of labelled speech longer than `LONG`."""
    turns: int
    backchannels: int
    merged: tuple[str, ...]
    """For each pause within an entry, why it did not end it."""
    broken: tuple[str, ...]
    """Where the law on speech does not hold."""
    exact: bool
    """The recording's caller channel is the input."""
    ended: str
    """Why the call ended."""


def entries() -> dict[str, Any]:
    """The shared audio's manifest, by file."""
    return {entry["file"]: entry for entry in json.loads((AUDIO / "manifest.json").read_text())["files"]}


def speech_in(entry: Mapping[str, Any]) -> list[Stretch]:
    """The labelled speech of a file, in seconds, but for what lies in a stretch that is not to be scored."""
    ignored = [*entry.get("ignore", ()), *NOT_SPEECH.get(entry["file"], ())]
    return [
        (start, end)
        for start, end in entry["speech"]
        if not any(first <= start and end <= last for first, last in ignored)
    ]


def call(recording: Path, folder: Path) -> None:
    """Run `client-caller demo --fast --caller recording`; it leaves its files in `folder`. Raises on a failed call."""
    program = "from client_caller.cli.main import app; app()"
    command = [sys.executable, "-c", program, "demo", "--fast", "--caller", str(recording), "--out", str(folder)]
    done = subprocess.run(
        command, env=os.environ | {"XDG_DATA_HOME": str(folder.parent)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the demonstration failed with {recording.name}: {done.stderr or done.stdout}")


def judge(folder: Path, recording: Path, speech: Sequence[Stretch]) -> Outcome:
    """Compare a finished call with what was said in it; `speech` in seconds of the recording."""
    segments = read(folder / "journal.jsonl")
    said = [entry for entry in history_in(segments) if isinstance(entry, CallerSaid)]
    place = placed(folder / "recording.wav", recording)
    began = (place or 0) // SAMPLES
    stretches = [Span(began + round(start * 1000), began + round(end * 1000)) for start, end in speech]
    found = [(stretch, owners(stretch, said)) for stretch in stretches]
    long = [(stretch, owned) for stretch, owned in found if stretch.length > LONG]
    pauses = [
        Span(before.end, after.start)
        for (before, owned), (after, owned_after) in pairwise(found)
        if set(owned) & set(owned_after)
    ]
    moments = list(watched(segments))
    reasons = [(pause, why_merged(pause, moments)) for pause in pauses]
    broken = [f"{describe(stretch, began)} is in {len(owned)} entries" for stretch, owned in long if len(owned) != 1]
    broken += [f"the pause {describe(pause, began)} lies within an entry" for pause, reason in reasons if not reason]
    return Outcome(
        stretches=len(long),
        turns=sum(not entry.backchannel for entry in said),
        backchannels=sum(entry.backchannel for entry in said),
        merged=tuple(reason for _, reason in reasons if reason),
        broken=tuple(broken),
        exact=place is not None,
        ended=ending(segments),
    )


def placed(stereo: Path, recording: Path) -> int | None:
    """The sample at which the recording's caller channel holds the input, and nothing else but silence; else None."""
    channel = soundfile.read(stereo, dtype="int16")[0][:, 0]
    expected = g711.decode(g711.encode(soundfile.read(recording, dtype="int16")[0]))
    sounds, expected_sounds = np.flatnonzero(channel), np.flatnonzero(expected)
    if not len(sounds):
        return None
    place = int(sounds[0] - expected_sounds[0])
    same = place >= 0 and np.array_equal(channel[place : place + len(expected)], expected)
    return place if same and sounds[-1] < place + len(expected) else None


def owners(stretch: Span, said: Sequence[CallerSaid]) -> tuple[int, ...]:
    """The entries that hold some of a stretch of speech, but for its uncertain ends."""
    margin = min(TOLERANCE, stretch.length // 3)
    first, last = stretch.start + margin, stretch.end - margin
    return tuple(number for number, entry in enumerate(said) if entry.started <= last and entry.ended >= first)


def watched(segments: Sequence[Segment]) -> Iterator[Moment]:
    """The call's journal, run again."""
    for segment in segments:
        for step, _, conversation in rerun(segment):
            memory = conversation.memory
            asked, why = asked_silence(memory)
            audible = memory.reply is not None and memory.reply.state is ReplyState.AUDIBLE
            turn = memory.turn
            yield Moment(step.event.at, turn.state, turn.last_speech, asked, why, audible)


def asked_silence(c: Memory) -> tuple[int, str]:
    """The silence, in milliseconds, that would end the caller's turn as things stand, and what asks for it."""
    turn = c.turn
    if c.reply is not None and c.reply.state is ReplyState.AUDIBLE:
        return patience_with(understood=turn.understood, policy=c.policy), "speech over the agent's words"
    if not turn.understood:
        return c.silence_needed, "a transcript that is not final"
    return c.silence_needed, "an open ending" if c.silence_needed == c.policy.endpoint_open else "a complete ending"


def why_merged(pause: Span, moments: Sequence[Moment]) -> str | None:
    """Why a pause between two stretches of speech did not end the entry that holds both; None for no good reason."""
    within = [moment for moment in moments if pause.start <= moment.at <= pause.end + TOLERANCE]
    seconds = f"pause of {pause.length / 1000:.2f} s"
    heard = [number for number, moment in enumerate(within) if moment.turn is TurnState.PAUSING]
    if not heard:
        return f"{seconds}, too short to be heard" if pause.length <= 2 * TOLERANCE else None
    if any(moment.turn is TurnState.QUIET for moment in within[heard[0] :]):
        audible = any(moment.agent_audible for moment in within)
        return None if audible else f"{seconds}, over before the answer's first sound"
    last = within[heard[-1]]
    if pause.length - TOLERANCE >= last.asked:
        return None
    over = next((moment.at for moment in within if moment.at > last.at), last.at) - last.silent_since
    return f"{seconds}, heard as {over / 1000:.2f} s, within the {last.asked / 1000:.2f} s that {last.why} asks for"


def ending(segments: Sequence[Segment]) -> str:
    """Why the call ended."""
    for step in reversed(segments[-1].steps):
        for command in step.commands:
            if isinstance(command, EndCall):
                return command.reason
        if isinstance(step.event, CallEnded):
            return step.event.reason
    return "never"


def describe(span: Span, began: int) -> str:
    return f"{(span.start - began) / 1000:.2f} to {(span.end - began) / 1000:.2f} s"


def main(files: Sequence[str]) -> None:
    manifest = entries()
    chosen = files or [name for name in manifest if name.startswith(("utt/", "long/", "calls/call40_caller"))]
    outcomes = []
    print(f"{'file':30s} stretches  turns  backchannels  merged  recording=input  ended")
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            call(AUDIO / name, Path(folder, "call"))
            outcome = judge(Path(folder, "call"), AUDIO / name, speech_in(manifest[name]))
        outcomes.append(outcome)
        print(
            f"{name:30s} {outcome.stretches:9d} {outcome.turns:6d} {outcome.backchannels:13d} {len(outcome.merged):7d}"
            f"  {'yes' if outcome.exact else 'NO':15s}  {outcome.ended}"
        )
        for line in (*outcome.merged, *(f"BROKEN: {place}" for place in outcome.broken)):
            print(f"    {line}")
    summarise(outcomes)


def summarise(outcomes: Sequence[Outcome]) -> None:
    reasons = Counter(KIND.sub("", reason) for outcome in outcomes for reason in outcome.merged)
    print(
        f"\n{len(outcomes)} calls, {sum(outcome.exact for outcome in outcomes)} recordings equal to the input; "
        f"{sum(outcome.stretches for outcome in outcomes)} stretches, {sum(outcome.turns for outcome in outcomes)} "
        f"turns, {sum(outcome.backchannels for outcome in outcomes)} backchannels; "
        f"the law is broken {sum(len(outcome.broken) for outcome in outcomes)} times"
    )
    for reason, number in reasons.most_common():
        print(f"{number:4d} pauses {reason}")
    for reason, number in Counter(outcome.ended for outcome in outcomes).most_common():
        print(f"{number:4d} calls ended: {reason}")


if __name__ == "__main__":
    main(sys.argv[1:])
