"""The agent that a person named on the command line."""

from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.agents.script_file import load_script
from client_caller.agents.targets import TargetError, find


def load_agent(target: str) -> Agent:
    """The agent named `module:attribute` or `path/to/file.py:attribute`, or that of a script, `path/to/script.yaml`.

    A script's agent follows the script when its language model is a `ScriptedModel`.

    Raises `TargetError`, and `ScriptError` for a script; both say what to do.
    """
    if target.endswith((".yaml", ".yml")):
        return load_script(Path(target)).agent()
    found = find(target)
    if isinstance(found, Agent):
        return found
    kind = type(found).__name__
    raise TargetError(f"{target!r} is of type {kind}, not an Agent: name what you made by `Agent(…)` in that module.")
