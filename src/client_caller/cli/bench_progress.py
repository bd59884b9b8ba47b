"""What the benchmarks of the model tier share: how far they are, and how many calls at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

Tell = Callable[[int, int], None]
"""Is given how much is done and how much there is."""


@contextmanager
def progress(what: str) -> Iterator[Tell]:
    """A bar on standard error for as long as the block runs."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def counts(text: str) -> list[int]:
    """From "1,2,4" to numbers of calls. Raises `typer.BadParameter`."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        raise typer.BadParameter(
            f"{text!r} is no list of numbers of calls. It looks like 1,2,4,8", param_hint="--calls"
        )
    return numbers
