"""What `bench turns` asks of each of its parts. A part is a module."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import RenderableType

Tell = Callable[[int, int], None]
"""How much of the work is done, and how much there is, in any unit."""


class Part(Protocol):
    """Measures one side of turn-taking on a folder of labelled recordings (`labelled_audio`)."""

    def measure(self, folder: Path, tell: Tell, /) -> Any:
        """The figures, a dataclass that JSON can hold. Raises `UnreadableRecording` and what engines and models do."""
        ...

    def tables(self, figures: Any, /) -> Sequence[RenderableType]:
        """The figures for people."""
        ...
