"""`client-caller report`: a call as a page to look at and listen to."""

from pathlib import Path
from typing import Annotated

import typer

from client_caller.calls.report import write_report
from client_caller.cli.past_calls import ConfigOption, FolderArgument, folder_of, say, telling


def report(
    call: FolderArgument,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; report.html in the call's folder if not given.")
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write one HTML file about a call: its sound, every word heard or not, and the latency of each turn."""
    with telling():
        path = write_report(folder_of(call, config), out)
    say(f"{path}")
    if show:
        typer.launch(path.absolute().as_uri())
