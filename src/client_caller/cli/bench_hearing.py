"""`client-caller bench models hearing`: how soon a realtime transcription server tells what it heard."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from client_caller.audio.voices import VoiceBatch
from client_caller.cli.bench_progress import progress
from client_caller.cli.hearing_bench import files, measure, prepared
from client_caller.cli.hearing_figures import Figures
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain, say
from client_caller.engines.protocols import EngineError
from client_caller.engines.realtime_stt import BASE_URL, RealtimeStt
from client_caller.engines.realtime_wire import RealtimeTranscription
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.simulator.clips import UnreadableRecording


def hearing(
    audio: Annotated[list[Path], typer.Option(help="A recording of a caller, or a folder of them; may be repeated.")],
    url: Annotated[str, typer.Option(help="Where the server listens.")] = BASE_URL,
    calls: Annotated[int, typer.Option(min=1, help="Calls at once; each plays all recordings.")] = 1,
    language: Annotated[str, typer.Option(help='Of the recordings; "auto": the server finds it out.')] = "en",
    model: Annotated[str | None, typer.Option(help="Its name at the server; ours have but one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """How soon are words there: guesses while somebody speaks, final words when they stop?

    Plays recordings to a running server at the speed of speech, and asks for the final words when a call would. For
    Whisper, Nemotron, or whatever vLLM serves behind /v1/realtime:

        client-caller models serve whisper --model base.en

        client-caller bench models hearing --audio FOLDER --calls 4

    Nothing that was said is shown or kept.
    """
    measured_on = machine()
    try:
        engine = RealtimeStt(base_url=url)
        voices = VoiceBatch(find(SILERO_VAD.name))
        recordings = [prepared(path, voices) for path in files(audio)]
        with progress(f"{calls} calls …") as tell:
            figures = asyncio.run(
                measure(engine, lambda: RealtimeTranscription(model, language, ()), recordings, calls, tell)
            )
    except (EngineError, ModelMissing, UnreadableRecording) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    if as_json:
        Console().print_json(json.dumps({"machine": measured_on, "url": url, **asdict(figures)}))
    else:
        Console().print(table(figures))
        say(measured_on)


def table(figures: Figures) -> Table:
    """One row for each figure that there is."""
    shown = Table(
        title=f"{figures.calls} calls, {figures.recordings} recordings each, {figures.words} words: milliseconds"
    )
    shown.add_column("From … to …")
    for name in ("Times", "P50", "P95", "Highest"):
        shown.add_column(name, justify="right")
    for name, spread in (
        ("speech begun -> first guess", figures.first_guess),
        ("word spoken -> guessed", figures.guessed),
        ("word spoken -> certain", figures.certain),
        ("speech over -> final words", figures.after_speech),
        ("final words asked for -> there", figures.after_request),
        ("our own audio due -> sent", figures.sent_late),
    ):
        if spread is not None:
            cells = (spread.p50, spread.p95, spread.highest)
            shown.add_row(name, str(spread.count), *(f"{cell:.0f}" for cell in cells))
    return shown
