"""`client-caller models pull cpu`: the weights of the profile `cpu`, from the model hub."""

from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from client_caller.models.cache import cache_directory
from client_caller.models.fetch import PullFailed
from client_caller.models.hub import Hub, Remote, make_room, part_of
from client_caller.models.weights import Weights

NAME = "cpu"


def pulled(sets: Sequence[Weights], *, tell: Callable[[str], None], complain: Callable[[str], None]) -> bool:
    """Fetch what is not here, and name each licence; whether all is here then."""
    try:
        with httpx.Client() as client:
            _fetch_missing(Hub(client), sets)
    except PullFailed as error:
        complain(str(error))
        return False
    except KeyboardInterrupt:
        complain("Stopped. What has come so far is kept: run the same command again, and it goes on from there.")
        return False
    for weights in sets:
        tell(f"{weights.name}: present ({weights.folder})\n  licence: {weights.licence}, {weights.terms}")
    return True


def _fetch_missing(hub: Hub, sets: Sequence[Weights]) -> None:
    """All that is to come is asked for before any of it comes: then there is room for it, or nothing was begun."""
    remotes: dict[Path, Remote] = {}
    for weights in sets:
        for name, file in weights.files.items():
            if (target := weights.folder / name) in weights.missing:
                remotes[target] = hub.look(file)
    here = sum(part.stat().st_size for target, remote in remotes.items() if (part := part_of(remote, target)).is_file())
    make_room(cache_directory(), sum(remote.size for remote in remotes.values()) - here)
    with _bars() as bars:
        for target, remote in remotes.items():
            bar = bars.add_task(f"{target.parent.name}/{target.name}", total=remote.size)
            hub.fetch(remote, target, lambda done, bar=bar: bars.update(bar, completed=done))  # type: ignore[misc]


def _bars() -> Progress:
    """Moves on a terminal, and leaves nothing in a log."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    return Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
