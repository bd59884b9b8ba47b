"""How the commands about past calls find them, and how they fail."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.calls.journal import JournalError
from client_caller.calls.store import JOURNAL, Store, StoreError, database_in
from client_caller.settings import SettingsError, load

CallArgument = Annotated[str, typer.Argument(metavar="CALL", help="A call's id, the beginning of one, or `last`.")]
FolderArgument = Annotated[
    str, typer.Argument(metavar="CALL", help="A call's id, the beginning of one, `last`, or a call's folder.")
]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The configuration file to use.")]


@contextmanager
def open_store(config: Path | None) -> Iterator[Store]:
    """The configured list of calls. Raises `SettingsError` and `StoreError`."""
    calls = load(config).settings.calls
    url = calls.database_url.get_secret_value() if calls.database_url else database_in(calls.data_dir)
    with closing(Store(url)) as store:
        yield store


def folder_of(call: str, config: Path | None) -> Path:
    """The folder of a call on the list, or a folder that is one. Raises what `open_store` does."""
    if (Path(call) / JOURNAL).exists():
        return Path(call)
    with open_store(config) as store:
        return Path(store.find(call).folder)


@contextmanager
def telling() -> Iterator[None]:
    """Turns what may go wrong with a call's files or the list into one sentence, and exit code 1."""
    try:
        yield
    except (JournalError, SettingsError, StoreError) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.strerror else str(error))
        raise typer.Exit(1) from None


def say(line: str) -> None:
    """As it is, however narrow the terminal: a path must survive being copied."""
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def complain(line: str) -> None:
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
