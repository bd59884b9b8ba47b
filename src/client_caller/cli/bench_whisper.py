"""`client-caller bench models whisper`: what the transcripts of our own speech to text cost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import numpy.typing as npt
import typer
from rich.console import Console
from rich.table import Table

from client_caller.audio import g711
from client_caller.audio.resample import resample
from client_caller.cli.bench_progress import counts, progress
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain, say
from client_caller.cli.serve_whisper import ComputeType, Device, Threads, precision
from client_caller.models.hearing.recogniser import SAMPLE_RATE
from client_caller.simulator import clips
from client_caller.simulator.clips import UnreadableRecording

if TYPE_CHECKING:
    from client_caller.models.whisper.speed import Cost, Speed

Size = Literal["tiny", "base.en", "small.en", "distil-large-v3", "large-v3-turbo"]
TOY: Size = "tiny"
SECONDS = 3
"""Of noise, where no recording is given: an ordinary turn."""


def whisper(
    size: Annotated[
        Size | None,
        typer.Option(help="Weights of random numbers in this size. Without it tiny, which any machine makes at once."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Real weights instead: as for models serve whisper.")] = None,
    audio: Annotated[Path | None, typer.Option(help="With --model: a recording of somebody who speaks.")] = None,
    device: Device = "cpu",
    compute_type: ComputeType = "default",
    threads: Threads = 0,
    calls: Annotated[str, typer.Option(help="How many calls share a run.")] = "1,2,4,8,16",
    runs: Annotated[int, typer.Option(min=1, help="Runs of each kind; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """What do partial and final transcripts cost, for 1 to 16 calls at once?

    On a GPU, what calls would have:

        client-caller bench models whisper --size large-v3-turbo --device cuda

    Random weights write as many words as the server allows, two to three times those of real speech, so these figures
    are upper bounds. Real weights are measured on a recording:

        client-caller bench models whisper --model base.en --audio caller.wav
    """
    batches = counts(calls)
    if (model is None) != (audio is None):
        raise typer.BadParameter("--model and --audio belong together: real weights need somebody who speaks.")
    if model is not None and size is not None:
        raise typer.BadParameter("--size is of random weights, --model names real ones: give one of them.")
    _require(made_up=model is None)
    from client_caller.models.whisper.faster import FasterWhisper, WhisperUnavailable
    from client_caller.models.whisper.speed import measure

    chosen = precision(compute_type, device)
    measured_on = machine()
    try:
        samples = _noise() if audio is None else _spoken(audio)
        with progress(f"{model or size or TOY} …") as tell, _weights(model, size or TOY) as weights:
            load = partial(FasterWhisper, weights, device=device, compute_type=chosen, threads=threads)
            figures = measure(lambda shortest: load(shortest=shortest), samples, batches, runs, tell)
    except (UnreadableRecording, WhisperUnavailable) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    settings = {"machine": measured_on, "device": device, "compute_type": chosen, "threads": threads}
    name = model or f"random weights, {size or TOY}"
    if as_json:
        Console().print_json(json.dumps(settings | {"model": name} | asdict(figures)))
    else:
        Console().print(table(figures))
        say(f"{name}, on {figures.seconds:.1f} s of speech for each call")
        say(f"{measured_on}; {device}, {chosen}, --threads {threads}")


def table(figures: "Speed") -> Table:
    shown = Table(title="Milliseconds of one run for all calls (of CPU)")
    for name in ("Calls", "Guess in 10 s", "Guess in 30 s", "Final words"):
        shown.add_column(name, justify="right")
    for batch in figures.batches:
        shown.add_row(str(batch.calls), *map(_told, (batch.short_guess, batch.guess, batch.final)))
    return shown


def _told(cost: "Cost") -> str:
    return f"{cost.wall:.0f} ({cost.cpu:.0f})"


def _require(*, made_up: bool) -> None:
    if find_spec("faster_whisper") is None:
        complain("Whisper is not installed: pip install 'client-caller[whisper]'")
        raise typer.Exit(1)
    if made_up and (find_spec("torch") is None or find_spec("transformers") is None):
        complain("Random weights take PyTorch: pip install torch, then: pip install 'client-caller[tiers]'")
        raise typer.Exit(1)


@contextmanager
def _weights(model: str | None, size: Size) -> Iterator[str]:
    """What to load: the real ones, or random ones in a folder that is there while the block runs."""
    if model is not None:
        yield model
        return
    from client_caller.models.whisper.made_up import make

    with TemporaryDirectory() as folder:
        yield str(make(size, Path(folder)))


def _noise() -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).normal(0, 0.1, SECONDS * SAMPLE_RATE).astype(np.float32)


def _spoken(recording: Path) -> npt.NDArray[np.float32]:
    """As a telephone carries it. Raises `UnreadableRecording`."""
    return resample(g711.decode_float(clips.load(recording)), g711.SAMPLE_RATE, SAMPLE_RATE)
