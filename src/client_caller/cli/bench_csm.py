"""`client-caller bench models csm`: what our own voice costs."""

import json
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from client_caller.cli.bench_progress import progress
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain

if TYPE_CHECKING:
    from client_caller.models.csm.speed import Speed


def csm(
    size: Annotated[
        Literal["tiny", "real"],
        typer.Option(help="real: CSM-1B's, for a GPU; tiny: a ten-thousandth, for any machine."),
    ] = "tiny",
    device: Annotated[Literal["cuda", "cpu"] | None, typer.Option(help="Without it: the GPU, if there is one.")] = None,
    steps: Annotated[int, typer.Option(min=5, help="Steps to measure at each batch size.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """How long does the voice take for 80 ms of sound, for 1 to 16 calls at once?

    On weights of random numbers, which are made at once and cost what real ones do. On a GPU it also says what CUDA
    graphs save, and whether they speak the same codes.
    """
    if find_spec("torch") is None or find_spec("transformers") is None:
        complain("This takes PyTorch: pip install torch, then: pip install 'client-caller[csm]'")
        raise typer.Exit(1)
    import torch

    from client_caller.models.csm.speed import measure

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    measured_on = machine()
    with progress("csm …") as tell:
        figures = measure(size, device, "bfloat16" if device == "cuda" else "float32", steps, tell)
    console = Console()
    if as_json:
        console.print_json(json.dumps({"machine": measured_on, **asdict(figures)}))
        return
    console.print(_table(figures))
    console.print(
        f"First sound of a clause {figures.first_audio:.1f} ms, 300 tokens written anew {figures.prefill:.1f} ms.",
        highlight=False,
    )
    if figures.gpu_gigabytes is not None:
        agree = "speak the same codes as" if figures.graphs_agree else "do not speak the same codes as"
        console.print(
            f"GPU memory {figures.gpu_gigabytes:.1f} GB. CUDA graphs {agree} single kernels.", highlight=False
        )
    console.print(f"{measured_on}; {figures.device}, {figures.dtype}", soft_wrap=True, highlight=False, style="dim")


def _table(figures: "Speed") -> Table:
    table = Table(title=f"CSM, {figures.size} size: milliseconds for 80 ms of sound of each call")
    for name in ("Calls", "Median", "95th percentile", "CUDA graphs", "95th percentile"):
        table.add_column(name, justify="right")
    for batch in figures.batches:
        cells = (batch.eager, batch.eager_p95, batch.graph, batch.graph_p95)
        table.add_row(str(batch.calls), *("" if cell is None else f"{cell:.1f}" for cell in cells))
    return table
