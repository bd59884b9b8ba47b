"""`client-caller calls`: the calls that were, and what remains of them."""

import os
import shutil
import zipfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from client_caller.calls.private_file import write_whole
from client_caller.calls.replay import history_of
from client_caller.calls.store import JOURNAL, CallRow, Store
from client_caller.calls.transcript import as_text
from client_caller.cli.past_calls import CallArgument, ConfigOption, complain, open_store, say, telling

app = typer.Typer(help="List, show, export and delete calls.", no_args_is_help=True)


@app.command(name="list")
def show_all(
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
    config: ConfigOption = None,
) -> None:
    """Show the latest calls."""
    with telling(), open_store(config) as store:
        rows = store.calls(limit)
    if not rows:
        say("There are no calls yet.")
        return
    table = Table("Call", "Began", "From", "To", "Length", "State", "Turns", "Barge-ins", "Median", box=None)
    for row in rows:
        ending = f"{row.state} ({row.reason})" if row.reason else row.state
        latency = f"{row.median_latency} ms" if row.median_latency is not None else ""
        began = f"{row.started:%Y-%m-%d %H:%M:%S}"
        numbers = (row.caller, row.callee)
        table.add_row(row.id, began, *numbers, _length(row), ending, str(row.turns), str(row.interruptions), latency)
    # As wide as it has to be: a cut call id is of no use to the other commands.
    console = Console()
    console.width = max(console.width, 150)
    console.print(table, markup=False, highlight=False)


@app.command()
def show(call: CallArgument, config: ConfigOption = None) -> None:
    """Show one call: its facts, and what was said and heard."""
    with telling():
        with open_store(config) as store:
            row = store.find(call)
        entries = history_of(Path(row.folder) / JOURNAL)
    for name, value in _facts(row).items():
        if value:
            say(f"{name + ':':<15}{value}")
    say("")
    say(as_text(entries).rstrip() or "Nothing was said.")


@app.command()
def export(
    call: CallArgument,
    to: Annotated[Path | None, typer.Option(help="A new .zip file or folder; CALL.zip if not given.")] = None,
    config: ConfigOption = None,
) -> None:
    """Copy everything of a call into a zip file or a folder."""
    with telling():
        with open_store(config) as store:
            row = store.find(call)
        target = to or Path(f"{row.id}.zip")
        if target.exists():
            raise FileExistsError(f"{target} is already there; give another place with --to.")
        facts = msgspec.json.format(msgspec.json.encode(_facts(row)), indent=2) + b"\n"
        if target.suffix == ".zip":
            _pack(Path(row.folder), facts, target)
        else:
            shutil.copytree(row.folder, target)
            write_whole(target / "call.json", facts)
    say(f"{target} holds everything of call {row.id}.")


@app.command()
def delete(
    call: CallArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Delete everything of a call: its folder, and its line in the list."""
    with telling(), open_store(config) as store:
        row = store.find(call)
        if row.state == "live":
            complain(f"Call {row.id} is still on the line; it can be deleted once it is over.")
            raise typer.Exit(1)
        if not yes:
            typer.confirm(f"Delete call {row.id} of {row.started:%Y-%m-%d %H:%M:%S} and {row.folder}?", abort=True)
        _remove(store, row)
    say(f"Call {row.id} is deleted.")


def _remove(store: Store, row: CallRow) -> None:
    """The folder first: if that fails, the call is still on the list."""
    folder = Path(row.folder)
    if folder.exists():
        if not (folder / JOURNAL).exists():
            raise FileNotFoundError(f"{folder} has no {JOURNAL} in it, so it is no call's folder: nothing was deleted.")
        shutil.rmtree(folder)
    store.delete(row.id)


def _pack(folder: Path, facts: bytes, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    with (
        open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{target.stem}/{path.name}")
        archive.writestr(f"{target.stem}/call.json", facts)
    draft.rename(target)


def _facts(row: CallRow) -> dict[str, str]:
    return {
        "call": row.id,
        "provider's id": row.provider_id,
        "direction": row.direction,
        "from": row.caller,
        "to": row.callee,
        "began": f"{row.started:%Y-%m-%d %H:%M:%S} UTC",
        "ended": f"{row.ended:%Y-%m-%d %H:%M:%S} UTC" if row.ended else "",
        "length": _length(row),
        "state": row.state,
        "reason": row.reason,
        "recording": row.recording,
        "consented": f"{row.consented:%Y-%m-%d %H:%M:%S} UTC" if row.consented else "",
        "turns": str(row.turns),
        "barge-ins": str(row.interruptions),
        "median latency": f"{row.median_latency} ms" if row.median_latency is not None else "",
        "folder": row.folder,
    }


def _length(row: CallRow) -> str:
    if row.ended is None:
        return ""
    minutes, seconds = divmod(round((row.ended - row.started).total_seconds()), 60)
    return f"{minutes}:{seconds:02}"
