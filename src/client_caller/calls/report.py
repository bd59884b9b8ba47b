"""The report of a call: one HTML file that needs nothing but itself.

It is made of the call's folder alone, by running its journal again. Nothing in it asks for anything from anywhere, and
a content security policy says so to the browser; what was said is escaped, so no text becomes markup.
"""

import base64
import hashlib
import io
import logging
import wave
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import soundfile
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from client_caller.calls.journal import read
from client_caller.calls.keeper import RECORDING
from client_caller.calls.lines import Header
from client_caller.calls.private_file import write_whole
from client_caller.calls.store import JOURNAL
from client_caller.calls.timeline import Timeline, timeline
from client_caller.calls.transcript import clock
from client_caller.calls.waveform import Waveform, waveform
from client_caller.conversation.history import AgentSaid, CallerSaid, ToolUsed
from client_caller.observe.latency import Milestone, TurnLatency, percentile

_log = logging.getLogger(__name__)

REPORT = "report.html"
_EMBEDDED = 10_000_000
"""Bytes of the largest recording that is put into the report: some five minutes."""
_WIDTH = 1020
"""Pixels of the time axis of a short call."""
_PIXELS_A_SECOND = 15
"""At least: a longer call's time axis is scrolled."""
_COLUMNS_A_PIXEL = 1.25

_GROUPS = {
    Milestone.SILENCE_KNOWN: "hearing",
    Milestone.TRANSCRIPT_ASKED: "hearing",
    Milestone.TRANSCRIPT_FINAL: "hearing",
    Milestone.TURN_OVER: "waiting",
    Milestone.REPLY_STARTED: "thinking",
    Milestone.FIRST_TOKEN: "thinking",
    Milestone.FIRST_CLAUSE: "thinking",
    Milestone.FIRST_AUDIO: "speaking",
    Milestone.FIRST_FRAME: "speaking",
}
"""Which part of the work a stage belongs to: its colour."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a report has of the recording."""

    drawing: Waveform
    audio: str | None
    """A `data:` address of the recording as FLAC; None where it is too large."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures at the top of the page."""

    median: int | None
    p95: int | None
    turns: int
    barge_ins: int
    backchannels: int
    words: int
    heard: int
    tools: int
    bad_line: int
    """Seconds."""


def write_report(folder: Path, to: Path | None = None) -> Path:
    """Write the report of the call in `folder`, into it or to another file; returns where it is.

    Raises `JournalError` and `OSError`.
    """
    path = to or folder / REPORT
    write_whole(path, render(folder).encode())
    return path


def render(folder: Path) -> str:
    """The page. Raises `JournalError` and `OSError`."""
    segments = read(folder / JOURNAL)
    line = timeline(segments)
    sound = _sound(folder / RECORDING)
    length = max(1, line.length, sound.drawing.milliseconds if sound else 0)
    page = Environment(
        loader=PackageLoader("client_caller.calls", "report_page"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters.update(clock=clock, lasted=_lasted, share=lambda at: f"{100 * at / length:.3f}%")
    page.tests.update(caller=_is(CallerSaid), agent=_is(AgentSaid), tool=_is(ToolUsed))
    script = page.loader.get_source(page, "report.js")[0] if page.loader else ""
    return page.get_template("report.html").render(
        header=segments[0].header,
        began=_began(segments[0].header),
        resumed=len(segments) - 1,
        line=line,
        length=length,
        sound=sound,
        totals=_totals(line),
        chips={"caller": _chips(line, CallerSaid, length), "agent": _chips(line, AgentSaid, length)},
        turn_words=[_words_before(line, offset + turn.speech_end) for offset, turn in line.turns],
        stages=_stages([turn for _, turn in line.turns]),
        groups=_GROUPS,
        longest=max((turn.voice_to_voice for _, turn in line.turns), default=1) or 1,
        width=max(_WIDTH, length * _PIXELS_A_SECOND // 1000),
        ticks=_ticks(length),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _sound(recording: Path) -> Sound | None:
    """None without a recording, or with one that can't be read: the report then does without."""
    if not recording.exists():
        return None
    try:
        with wave.open(str(recording)) as file:
            seconds = max(1, file.getnframes() // file.getframerate())
        width = max(_WIDTH, seconds * _PIXELS_A_SECOND)
        column = max(4, int(seconds * 1000 / (width * _COLUMNS_A_PIXEL)))
        return Sound(waveform(recording, column), _audio(recording))
    except (OSError, EOFError, wave.Error, soundfile.LibsndfileError) as error:
        _log.warning("The report has no recording: %s can't be read: %s", recording, error)
        return None


def _audio(recording: Path) -> str | None:
    if recording.stat().st_size >= _EMBEDDED:
        return None
    samples, rate = soundfile.read(recording, dtype="int16")
    flac = io.BytesIO()
    soundfile.write(flac, samples, rate, format="FLAC")
    return f"data:audio/flac;base64,{base64.b64encode(flac.getvalue()).decode()}"


def _chips(line: Timeline, kind: type[CallerSaid | AgentSaid], length: int) -> list[tuple[CallerSaid | AgentSaid, int]]:
    """One side's entries, each with the milliseconds until its next: the room for its words on the time axis."""
    entries = [entry for entry in line.entries if isinstance(entry, kind)]
    ends = [entry.started for entry in entries[1:]] + [length]
    return [(entry, end - entry.started) for entry, end in zip(entries, ends, strict=False)]


def _words_before(line: Timeline, at: int) -> str:
    """What the caller had said last at a time."""
    said = [entry for entry in line.entries if isinstance(entry, CallerSaid) and not entry.backchannel]
    return next((entry.text for entry in reversed(said) if entry.started <= at), "")


def _totals(line: Timeline) -> Totals:
    latencies = [turn.voice_to_voice for _, turn in line.turns]
    words = [word for reply in line.words.values() for word in reply]
    return Totals(
        percentile(latencies, 50),
        percentile(latencies, 95),
        len(latencies),
        len(line.barge_ins),
        sum(isinstance(entry, CallerSaid) and entry.backchannel for entry in line.entries),
        len(words),
        sum(word.heard for word in words),
        sum(isinstance(entry, ToolUsed) for entry in line.entries),
        round(line.bad_line / 1000),
    )


def _stages(turns: Sequence[TurnLatency]) -> list[tuple[Milestone, int | None, int | None, int]]:
    """Each stage that occurred, with median and P95 of its share and the number of turns that waited for it."""
    shares = {
        milestone: [stage.share for turn in turns for stage in turn.stages if stage.milestone is milestone]
        for milestone in _GROUPS
    }
    return [
        (milestone, percentile(values, 50), percentile(values, 95), sum(value > 0 for value in values))
        for milestone, values in shares.items()
        if values
    ]


def _ticks(length: int) -> Iterable[int]:
    """Milliseconds at which the time axis is labelled: at most some twenty to a screen."""
    steps = (1000, 2000, 5000, 10_000)
    pixels = max(_PIXELS_A_SECOND, _WIDTH * 1000 / length) / 1000
    return range(0, length, next((step for step in steps if step * pixels >= 55), steps[-1]))


def _began(header: Header) -> str:
    return f"{datetime.fromtimestamp(header.began / 1000, UTC):%d %B %Y, %H:%M:%S} UTC"


def _lasted(milliseconds: int) -> str:
    """`2 min 5 s`."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _is(kind: type) -> Callable[[object], bool]:
    return lambda entry: isinstance(entry, kind)
