"""`client-caller bench latency`: measured at the wire, the way in which other frameworks were."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from client_caller.cli.latency_bench import Figures, LatencyBench
from client_caller.cli.latency_figures import Answer, Disturbance
from client_caller.cli.latency_ledger import STAGES
from client_caller.cli.latency_target import Delays, NotMeasured
from client_caller.cli.machine import machine
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.observe.latency import percentile
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.demo import CALLER_VOICE
from client_caller.simulator.utterances import Repertoire, recorded, spoken

PACE = 190
"""Words a minute of the synthetic caller: its "yeah", "okay" and "right" then last 300 to 365 ms, as other frameworks
heard them."""
SPEECH_END = "speech end (ears)"
CLAUSE = "clause complete"


def latency(
    calls: Annotated[int, typer.Option(min=1, help="One after the other.")] = 1,
    turns: Annotated[int, typer.Option(min=1, help="Questions in each call.")] = 8,
    interruptions: Annotated[int, typer.Option(min=0, help="In one more call; 0: no such call.")] = 7,
    words_per_second: Annotated[float, typer.Option(min=1, help="Of the language model.")] = 60.0,
    audio: Annotated[
        Path | None, typer.Option(help="A folder of recordings with manifest.json; without one, eSpeak NG speaks.")
    ] = None,
    interim: Annotated[
        float, typer.Option(min=0, help="Milliseconds from the end of a word to a partial transcript that has it.")
    ] = 100.0,
    on_partials: Annotated[
        bool, typer.Option("--on-partials/--in-pauses", help="Whether replies are begun while the caller still speaks.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another seed: other utterances, at other moments.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """How soon does the agent answer, how soon does it yield, and does it yield to a mere "uh-huh"?

    Calls a server of its own, with real drivers, over real sockets, in real time. Its model tier is played by doubles:
    transcript final 120 ms after speech, first token after 150 ms, first audio after 80 ms. How soon a word is in a
    partial transcript differs most between engines, and a reply that is begun on one is there by as much sooner: see
    `--interim`.
    """
    delays = Delays(interim=interim / 1000, words_per_second=words_per_second)
    console, notes = Console(), Console(stderr=True)
    measured_on = machine()
    try:
        find(SILERO_VAD.name)
        repertoire = recorded(audio) if audio is not None else asyncio.run(_synthetic())
        with _progress(notes) as progress:
            hums = len(repertoire.backchannels)
            task = progress.add_task(
                "Calling …", total=calls * turns + (interruptions + 2 * hums + 1 if interruptions else 0)
            )
            bench = LatencyBench(
                repertoire=repertoire,
                calls=calls,
                turns=turns,
                interruptions=interruptions,
                seed=seed,
                delays=delays,
                agent="eager" if on_partials else "agent",
                tell=lambda said: progress.update(
                    task, advance=said.punctual, description=f"{said.purpose} {said.name}", refresh=True
                ),
            )
            figures = asyncio.run(bench.run())
    except (EngineError, ModelMissing, NotMeasured, UnreadableRecording) as error:
        notes.print(str(error), style="red", soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        console.print_json(json.dumps({"machine": measured_on, "delays": asdict(delays), **asdict(figures)}))
    else:
        show(figures, measured_on, console)


def _progress(console: Console) -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    # Refreshed by hand: a thread that did it would hold our frames up by 6 ms.
    return Progress(*columns, console=console, transient=True, auto_refresh=False)


async def _synthetic() -> Repertoire:
    espeak = Espeak(voice=CALLER_VOICE, words_per_minute=PACE)
    try:
        return await spoken(espeak)
    finally:
        await espeak.close()


def show(figures: Figures, measured_on: str, console: Console) -> None:
    """Print the figures."""
    console.print(_turns(figures.answers))
    console.print(_milestones(figures.answers))
    if figures.interruptions:
        console.print(_disturbances("Interruption", figures.interruptions))
    if figures.backchannels:
        console.print(_disturbances("Backchannel", figures.backchannels))
    for line in summary(figures):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(measured_on, soft_wrap=True, highlight=False, style="dim")


def summary(figures: Figures) -> list[str]:
    """The figures that go into a record, one line each."""
    believed = [answer.wire for answer in figures.answers if answer.punctual and answer.wire is not None]
    missing = sum(answer.wire is None for answer in figures.answers)
    late = sum(not answer.punctual for answer in figures.answers)
    lines = [f"Voice to voice at the wire: {_spread(believed)} ms in {len(believed)} turns."]
    if late:
        lines.append(f"Left out: {late} turns in which our own frames were late.")
    if missing:
        lines.append(f"In {missing} turns the agent spoke too early, or not at all.")
    if figures.interruptions:
        clears = [one.clear for one in figures.interruptions if one.punctual and one.clear is not None]
        silences = [one.silent for one in figures.interruptions if one.punctual and one.clear is not None]
        yielded = sum(one.cut for one in figures.interruptions)
        lines.append(
            f"Barge-in: yielded {yielded} of {len(figures.interruptions)} times; to clear {_spread(clears)} ms, "
            f"to silence {_spread(silences)} ms."
        )
    if figures.backchannels:
        cut = sum(one.cut for one in figures.backchannels)
        disturbed = sum(one.clear is not None and not one.cut for one in figures.backchannels)
        lines.append(f"Backchannels: {cut} of {len(figures.backchannels)} cut the reply off, {disturbed} disturbed it.")
    return lines


def _spread(values: Sequence[float]) -> str:
    numbers = [_at(values, 50), _at(values, 95), _at(values, 100)]
    return "P50 {}, P95 {}, max {}".format(*numbers)


def _at(values: Sequence[float], percent: float) -> str:
    found = percentile([round(value) for value in values], percent)
    return "–" if found is None else str(found)


def _turns(answers: Sequence[Answer]) -> Table:
    table = Table("Utterance", title="Each turn, ms")
    for name in ("Wire", "Ledger", "Difference", "Late by"):
        table.add_column(name, justify="right")
    for answer in answers:
        wire = "spoke over" if answer.spoke_over else "no answer" if answer.wire is None else f"{answer.wire:.0f}"
        ledger = "–" if answer.ledger is None else str(answer.ledger)
        difference = "–" if answer.difference is None else f"{answer.difference:+.0f}"
        late = f"{answer.late:.1f}" if answer.punctual else f"[red]{answer.late:.1f}: left out[/red]"
        table.add_row(answer.utterance, wire, ledger, difference, late)
    return table


def _milestones(answers: Sequence[Answer]) -> Table:
    """When what happened: the server's own milestones, as the wire's clock has them. A milestone's share is by how much
    it moved the first sound, and nothing for what was hidden behind something slower."""
    table = Table("Milestone", title="Milestones, ms after the caller's last voiced sample")
    for name in ("P50", "P95", "Max", "Share, P50"):
        table.add_column(name, justify="right")
    good = [answer for answer in answers if answer.punctual and answer.wire is not None]
    rows: dict[str, list[float | None]] = {SPEECH_END: [answer.speech_end for answer in good]}
    for stage in STAGES:
        if stage == "first clause":
            rows[CLAUSE] = [answer.clause_complete for answer in good]
        rows[stage] = [answer.reached.get(stage) for answer in good]
    rows["heard at the wire"] = [answer.wire for answer in good]
    for name, values in rows.items():
        known = [value for value in values if value is not None]
        shares = [answer.shares[name] for answer in good if name in answer.shares]
        table.add_row(name, *(_at(known, percent) for percent in (50, 95, 100)), _at(shares, 50) if shares else "")
    return table


def _disturbances(kind: str, ones: Sequence[Disturbance]) -> Table:
    table = Table(kind, title=f"{kind}s, ms after the caller's first voiced sample")
    for name in ("Length", "Clear", "Silent", "Reply", "Late by"):
        table.add_column(name, justify="right")
    for one in ones:
        clear = "none" if one.clear is None else f"{one.clear:.0f}"
        late = f"{one.late:.1f}" if one.punctual else f"[red]{one.late:.1f}[/red]"
        reply = "cut" if one.cut else "went on" if one.clear is None else "disturbed"
        table.add_row(one.utterance, f"{one.length:.0f}", clear, f"{one.silent:.0f}", reply, late)
    return table
