"""`client-caller bench`: the figures that we promise, measured on your machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from client_caller.cli import bench_models
from client_caller.cli.bench_callers import callers
from client_caller.cli.bench_density import Density, DensityBench, Disturbed
from client_caller.cli.bench_heard import heard
from client_caller.cli.bench_latency import latency
from client_caller.cli.bench_turns import turns
from client_caller.cli.past_calls import complain, say
from client_caller.engines.protocols import EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD

app = typer.Typer(help="Measure what calls cost, and whether what was heard is known.", no_args_is_help=True)
app.command()(latency)
app.command()(heard)
app.command()(callers)
app.command()(turns)
app.add_typer(bench_models.app, name="models")


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
    import uvloop  # not there on Windows

    with _telling():
        figures = uvloop.run(DensityBench(calls, seconds, find(SILERO_VAD.name)).run())
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
    say(
        f"  {figures.cpu_ms_per_call_second:.2f} ms of CPU per call-second, with the engines' doubles, "
        f"which take {figures.doubles_ms_per_call_second:.2f} by themselves"
    )
    say(f"  {figures.mb_per_call:.2f} MB per call")
    say(f"  {figures.mb_kept:+.1f} MB after the calls had ended; {figures.mb_growth:+.1f} MB more after as many again")
    say(f"  {figures.late} of {figures.beats} beats more than 20 ms late; of a bare loop's, {figures.bare_late}")
    say(f"  {figures.own_late} of them because the server itself computed for 20 ms or more")
    say(
        f"  {figures.opening_wait_ms:.1f} ms was the longest that anything waited for the server's computing while "
        f"calls came in; {figures.wait_ms:.1f} ms while none did"
    )
    say(f"  {figures.torn} of {figures.words} words heard with a hole in them")
    say(
        f"  {figures.callers_busy:.0%} of a core was what the callers took; "
        f"{figures.callers_late} of their beats were late"
    )
    if figures.late > figures.own_late + figures.bare_late:
        say("  The others: this machine was too busy. Measure again on one that has nothing else to do.")
    say(f"Late frames of our own making: {figures.own_late * figures.calls}.")
