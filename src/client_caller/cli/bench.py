"""`client-caller bench`: the figures that we promise, measured on your machine."""

import asyncio
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from client_caller.cli.bench_callers import callers
from client_caller.cli.bench_density import Density, DensityBench, Disturbed
from client_caller.cli.bench_heard import HeardBench
from client_caller.cli.bench_latency import latency
from client_caller.cli.bench_turns import turns
from client_caller.cli.past_calls import complain, say
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.wiretap import Judgement

app = typer.Typer(help="Measure what calls cost, and whether what was heard is known.", no_args_is_help=True)
app.command()(latency)
app.command()(callers)
app.command()(turns)

LINES = {
    "perfect": PERFECT,
    "40 to 70 ms each way": Impairments(delay=0.04, jitter=0.03),
    "the same, with stalls": Impairments(delay=0.04, jitter=0.03, stall_every=3.0, stall=0.3),
}
"""The lines over which the history is put to the test. A stall is 300 ms without a message, every 3 s on average."""


@app.command()
def heard(
    calls: Annotated[int, typer.Option(min=1, help="Calls over each line, all at once.")] = 20,
    interruptions: Annotated[int, typer.Option(min=1, help="How often each caller cuts in.")] = 5,
    seed: Annotated[int, typer.Option(help="Another seed: other moments to cut in.")] = 1,
) -> None:
    """Is what the history says was heard what was really heard, word for word?

    Simulated callers interrupt the agent at random moments, on the virtual clock. The history is compared with the
    audio that the far end really played. Exits with 1 on any difference.
    """
    with _telling():
        model = find(SILERO_VAD.name)
        with tempfile.TemporaryDirectory() as folder:
            judgements = {
                name: HeardBench(calls, interruptions, seed, line, model, Path(folder, str(number))).run()
                for number, (name, line) in enumerate(LINES.items())
            }
    if not _show_heard(judgements, interruptions):
        raise typer.Exit(1)


@app.command()
def density(
    calls: Annotated[int, typer.Option(min=1, help="Calls at once.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="How long they are measured.")] = 60.0,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON object.")] = False,
) -> None:
    """What does a call cost in CPU and memory, and does any of its frames come late?

    Real calls over signed webhooks and WebSockets on this machine, in real time, with real voice activity detection and
    journals; speech to text, language model and text to speech are doubles that cost next to nothing. Linux only.
    """
    with _telling():
        figures = asyncio.run(DensityBench(calls, seconds, find(SILERO_VAD.name)).run())
    if as_json:
        typer.echo(json.dumps(asdict(figures)))
    else:
        _show_density(figures)


@contextmanager
def _telling() -> Iterator[None]:
    """Turns what is missing into one sentence, and exit code 1."""
    try:
        yield
    except (Disturbed, EngineError, ModelMissing) as error:
        complain(str(error))
        raise typer.Exit(1) from None


def _show_density(figures: Density) -> None:
    say(f"{figures.calls} calls at once for {figures.seconds:g} s in one process:")
    say(f"  {figures.cpu_ms_per_call_second:.2f} ms of CPU per call-second")
    say(f"  {figures.mb_per_call:.2f} MB per call")
    say(f"  {figures.mb_kept:+.1f} MB after the calls had ended; {figures.mb_growth:+.1f} MB more after as many again")
    say(f"  {figures.late} of {figures.beats} beats more than 20 ms late; of a bare loop's, {figures.bare_late}")
    say(f"  {figures.own_late} of them because the server itself computed for 20 ms or more")
    say(f"  {figures.torn} of {figures.words} words heard with a hole in them")
    if figures.late > figures.own_late + figures.bare_late:
        say("  The others: this machine was too busy. Measure again on one that has nothing else to do.")
    say(f"Late frames of our own making: {figures.own_late * figures.calls}.")


def _show_heard(judgements: dict[str, list[Judgement]], interruptions: int) -> bool:
    console = Console()
    table = Table("Line", "Calls", "Cut-ins", "Played", "In flight", "History", "Differ")
    for name, of_line in judgements.items():
        table.add_row(name, *map(str, _row(of_line)))
    console.print(table)
    console.print(
        "In words. In flight: played, but the proof was still on its way when the caller cut in.",
        soft_wrap=True,
    )
    everything = [one for of_line in judgements.values() for one in of_line]
    for one in everything:
        if not one.exact:
            console.print(f"A difference at {one.difference}", markup=False, soft_wrap=True)
    too_few = [one for one in everything if one.interruptions < interruptions]
    if too_few:
        console.print(f"In {len(too_few)} calls the agent was interrupted less than {interruptions} times.")
    exact = sum(one.exact for one in everything)
    console.print(f"History equals heard text, word for word: {exact} of {len(everything)} calls.")
    return exact == len(everything) and not too_few


def _row(of_line: Iterable[Judgement]) -> tuple[int, int, int, int, int, int]:
    ones = list(of_line)
    return (
        len(ones),
        sum(one.interruptions for one in ones),
        sum(len(one.played) for one in ones),
        sum(one.in_flight for one in ones),
        sum(len(one.history) for one in ones),
        sum(not one.exact for one in ones),
    )
