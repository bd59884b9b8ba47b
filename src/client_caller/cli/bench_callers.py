"""`client-caller bench callers`: difficult people, each with a rule for how they want to be treated."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from client_caller.cli.callers_bench import CallersBench, Verdict
from client_caller.cli.past_calls import complain
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.simulator.difficult import UnknownCaller, load_callers


def callers(
    only: Annotated[str | None, typer.Option(help="The name of one of them.")] = None,
    journals: Annotated[Path | None, typer.Option(help="Where each call leaves its journal, for replay.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdicts as JSON.")] = False,
) -> None:
    """Does the agent get along with difficult callers: those who mumble, pause, cough, interrupt, say nothing?

    Simulated calls on the virtual clock: the callers and the agent speak with eSpeak NG, voice activity detection is
    real, speech to text and the language model are doubles. Each caller has rules that are checked against what the
    far end really played, and the history. Exits with 1 if one of them is broken.
    """
    try:
        verdicts, seconds = _run(only, journals)
    except (EngineError, ModelMissing, OSError, UnknownCaller) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps([asdict(verdict) for verdict in verdicts]))
    else:
        _show(verdicts, seconds)
    if any(verdict.failure for verdict in verdicts):
        raise typer.Exit(1)


def _run(only: str | None, journals: Path | None) -> tuple[list[Verdict], float]:
    """The verdicts, and how many real seconds they took."""
    chosen = load_callers(only)
    model = find(SILERO_VAD.name)
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as temporary,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        ) as progress,
    ):
        folder = journals or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        task = progress.add_task("Calling …", total=len(chosen))
        bench = CallersBench(
            chosen, model, folder, lambda verdict: progress.update(task, advance=1, description=verdict.name)
        )
        return bench.run(), time.perf_counter() - started


def _show(verdicts: Sequence[Verdict], seconds: float) -> None:
    console = Console()
    table = Table("Caller", "Who", "Call", "Rules", "")
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    for one in verdicts:
        verdict = "[green]passed[/]" if one.failure is None else "[red]failed[/]"
        table.add_row(one.name, escape(one.about), f"{one.seconds:.1f} s", str(one.rules), verdict)
    console.print(table)
    for one in verdicts:
        if one.failure is not None:
            told = f"{one.name}: {one.failure.rule}: {one.failure.evidence}"
            console.print(told, markup=False, highlight=False, soft_wrap=True)
    passed = sum(one.failure is None for one in verdicts)
    calls = sum(one.seconds for one in verdicts)
    console.print(f"{passed} of {len(verdicts)} passed: {calls:.0f} s of calls in {seconds:.0f} s.", highlight=False)
