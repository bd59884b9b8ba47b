"""`client-caller replay`: does a call's conversation decide again as it did?"""

import typer

from client_caller.calls.replay import replay as run_again
from client_caller.calls.store import JOURNAL
from client_caller.cli.past_calls import ConfigOption, FolderArgument, folder_of, say, telling


def replay(call: FolderArgument, config: ConfigOption = None) -> None:
    """Run a call's conversation again from its journal, and compare every decision.

    Exits with 1 at the first difference, and shows it with what led to it.
    """
    with telling():
        result = run_again(folder_of(call, config) / JOURNAL)
    if result.difference is not None:
        say(str(result.difference))
        raise typer.Exit(1)
    say(f"{result.events} events, {result.commands} commands, same decisions.")
