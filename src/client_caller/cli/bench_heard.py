"""`client-caller bench heard`: what the history says was heard, against what the far end played."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from client_caller.cli.cut_judge import Tally
from client_caller.cli.cuts_bench import CutsBench
from client_caller.cli.heard_bench import HeardBench
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.wiretap import Judgement

LINES = {
    "perfect": PERFECT,
    "40 to 70 ms each way": Impairments(delay=0.04, jitter=0.03),
    "the same, with stalls": Impairments(delay=0.04, jitter=0.03, stall_every=3.0, stall=0.3),
}
"""The lines of the calls through the whole stack. A stall is 300 ms without a message, every 3 s on average."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls through the whole stack over one line; in words where nothing else is said."""

    calls: int
    interruptions: int
    played: int
    in_flight: int
    history: int
    differing: int
    """Calls whose history lacks what was proven in time, or has what was not played."""


def heard(
    calls: Annotated[int, typer.Option(min=1, help="Calls through the whole stack, over each line.")] = 20,
    interruptions: Annotated[int, typer.Option(min=1, help="How often each of those callers cuts in.")] = 5,
    cuts: Annotated[int, typer.Option(min=0, help="Cuts of conversation, player and far end; 0: none.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Another seed: other moments to cut in.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Is what the history says was heard what was really heard, word for word?

    Simulated callers interrupt the agent at random moments, on virtual clocks. The history is compared with the audio
    that the far end really played. First some calls through the whole stack; then very many cuts of those parts that
    decide what was heard, over lines with random delays, standstills and lost marks, on all cores.

    Exits with 1 if one word is in a history that was not heard, or one is missing without a reason.
    """
    try:
        judgements = _calls(calls, interruptions, seed)
        tallies = _cuts(cuts, seed) if cuts else {}
    except (EngineError, ModelMissing) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    good = [_good_calls(judgements, interruptions), all(tally.good for tally in tallies.values())]
    if as_json:
        summary = {name: asdict(_summary(ones)) for name, ones in judgements.items()}
        made = {name: asdict(tally) for name, tally in tallies.items()}
        typer.echo(json.dumps({"machine": machine(), "calls": summary, "cuts": made}))
    else:
        _show_calls(judgements, interruptions)
        if tallies:
            _show_cuts(tallies)
    if not all(good):
        raise typer.Exit(1)


def _calls(calls: int, interruptions: int, seed: int) -> dict[str, list[Judgement]]:
    model = find(SILERO_VAD.name)
    with tempfile.TemporaryDirectory() as folder, Console(stderr=True).status("Calls through the whole stack …"):
        return {
            name: HeardBench(calls, interruptions, seed, line, model, Path(folder, str(number))).run()
            for number, (name, line) in enumerate(LINES.items())
        }


def _cuts(cuts: int, seed: int) -> dict[str, Tally]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("Cutting in …", total=cuts)
        return CutsBench(cuts, seed).run(lambda made: progress.advance(task, made))


def _good_calls(judgements: Mapping[str, list[Judgement]], interruptions: int) -> bool:
    ones = [one for of_line in judgements.values() for one in of_line]
    return all(one.exact and one.interruptions >= interruptions for one in ones)


def _summary(ones: Iterable[Judgement]) -> Calls:
    ones = list(ones)
    return Calls(
        len(ones),
        sum(one.interruptions for one in ones),
        sum(len(one.played) for one in ones),
        sum(one.in_flight for one in ones),
        sum(len(one.history) for one in ones),
        sum(not one.exact for one in ones),
    )


def _show_calls(judgements: Mapping[str, list[Judgement]], interruptions: int) -> None:
    console = Console()
    table = Table("Line", "Calls", "Cut-ins", "Played", "In flight", "History", "Differ")
    for name, of_line in judgements.items():
        table.add_row(name, *map(str, asdict(_summary(of_line)).values()))
    console.print(table)
    console.print(
        "In words. In flight: played, but the proof was still on its way when the caller cut in. History: what it has.",
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
    console.print(f"All that was proven, and nothing that was not played: {exact} of {len(everything)} calls.")


def _show_cuts(tallies: Mapping[str, Tally]) -> None:
    console = Console()
    cuts = Table("Line", "Cuts", title="In how many cuts words are missing: played, and not in the history")
    words = Table("Line", "Played", title="Words of replies that were cut off")
    for name in ("None", "One", "Two", "More"):
        cuts.add_column(name, justify="right")
    for name in ("Not heard", "On its way", "Mark lost", "No reason"):
        words.add_column(name, justify="right")
    for line, of in tallies.items():
        missing = [of.missing.get(count, 0) for count in range(3)]
        cuts.add_row(line, *_counts(of.cuts, *missing, of.cuts - sum(missing)))
        words.add_row(line, *_counts(of.played, of.extra, of.on_its_way, of.lost, of.unexplained))
    console.print(cuts)
    console.print(words)
    console.print(
        "Not heard: in the history, and not played. The others are missing: their proof was on its way when the agent "
        "was silenced, or its mark was lost, or there is no reason.",
        soft_wrap=True,
    )
    made = sum(of.cuts for of in tallies.values())
    extra = sum(of.extra for of in tallies.values())
    console.print(f"Words in a history that were not heard: {extra} in {made:,} cuts.", highlight=False)


def _counts(*counts: int) -> list[str]:
    return [f"{count:,}" for count in counts]
