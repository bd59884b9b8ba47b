"""`client-caller bench turns`: how well the floor changes hands, on labelled recordings."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from client_caller.cli import turns_barge_in, turns_endings, turns_vad
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain
from client_caller.cli.turns_part import Part
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing
from client_caller.simulator.clips import UnreadableRecording

PARTS: Mapping[str, Part] = {
    "vad": turns_vad,
    "endings": turns_endings,
    "barge-in": turns_barge_in,
}


def turns(
    audio: Annotated[Path, typer.Option(help="A folder of recordings, with a manifest.json that labels them.")],
    only: Annotated[str | None, typer.Option(metavar="|".join(PARTS), help="One part of it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Who speaks, and who should? Measured on recordings, each of which goes through G.711.

    vad: is speech told from noise, and how soon is it heard after half a minute of hold music?

    endings: is who pauses waited for, and who has finished answered soon? With each kind of evidence by itself.

    barge-in: is the floor given to who interrupts, soon, and to no listener's word, cough or noise?

    What was chosen on the tuning half of the speakers can be trusted where it holds on the held-back half, too.
    """
    if only is not None and only not in PARTS:
        raise typer.BadParameter(f"There is no part {only!r}, but: {', '.join(PARTS)}.", param_hint="--only")
    measured_on = machine()
    try:
        figures = {name: _measure(name, audio) for name in ([only] if only else PARTS)}
    except (EngineError, ModelMissing, UnreadableRecording) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    console = Console()
    if as_json:
        parts = {name: asdict(measured) for name, measured in figures.items()}
        console.print_json(json.dumps({"machine": measured_on, **parts}))
        return
    for name, measured in figures.items():
        for table in PARTS[name].tables(measured):
            console.print(table)
    console.print(measured_on, soft_wrap=True, highlight=False, style="dim")


def _measure(name: str, audio: Path) -> Any:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task(f"{name} …", total=None)
        return PARTS[name].measure(audio, lambda done, total: progress.update(task, completed=done, total=total))
