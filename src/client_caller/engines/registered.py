"""Engines of other packages, registered by entry point: `[project.entry-points."client_caller.engines"]`.

An entry point's name is the stage and the engine's name, such as `tts.acme`; it stands for a function that takes the
options of that stage and returns the engine. How to write one: docs/engines.md.
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from client_caller.engines.protocols import EngineError, Stage

GROUP = "client_caller.engines"


def names_registered(stage: Stage) -> tuple[str, ...]:
    """The engines for a stage that installed packages offer, in alphabetical order."""
    return tuple(sorted(_registered(stage)))


def load_registered(stage: Stage, name: str) -> Callable[[Any], Any]:
    """What makes this engine from the options of its stage. Raises `EngineError`."""
    if (point := _registered(stage).get(name)) is None:
        raise EngineError(stage, f"No installed package registers the engine {name} for {stage}.")
    try:
        make = point.load()
    except Exception as error:  # whatever another package's modules do when they are imported
        owner = point.dist.name if point.dist else "a package"
        reason = (
            f"The engine {name} of {owner} can't be loaded ({type(error).__name__}: {error}). Is it installed whole?"
        )
        raise EngineError(stage, reason) from None
    if not callable(make):
        raise EngineError(stage, f"The engine {name} is registered as {point.value}, which is no function.")
    return make  # type: ignore[no-any-return]


def _registered(stage: Stage) -> dict[str, EntryPoint]:
    prefix = f"{stage}."
    found = entry_points(group=GROUP)
    return {point.name.removeprefix(prefix): point for point in found if point.name.startswith(prefix)}
