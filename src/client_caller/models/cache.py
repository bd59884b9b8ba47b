"""Where model files are kept, and whether what lies there is what the manifest says."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Literal

from client_caller.models.manifest import MODELS, ModelFile

Condition = Literal["present", "missing", "damaged", "unreadable"]


class ModelMissing(Exception):
    """A model file is not there, or is not what it should be. `str(error)` says which, where, and what to do."""


def cache_directory() -> Path:
    """The folder of all model files; it need not exist yet.

    `CLIENT_CALLER_MODELS` if set, else `client-caller/models` in the user's cache: `XDG_CACHE_HOME` (which counts only
    when absolute, as the XDG base directory specification has it), on Windows `LOCALAPPDATA`, else `~/.cache`.
    """
    if chosen := os.environ.get("CLIENT_CALLER_MODELS"):
        return Path(chosen).expanduser().absolute()
    for variable in ("XDG_CACHE_HOME", *(("LOCALAPPDATA",) if sys.platform == "win32" else ())):
        cache = Path(os.environ.get(variable, ""))
        if cache.is_absolute():
            return cache / "client-caller" / "models"
    return Path.home() / ".cache" / "client-caller" / "models"


def find(name: str) -> Path:
    """The verified model file of this manifest name (a `KeyError` if there is no such name).

    Reads the whole file for its checksum, a few milliseconds: for start-up, not for a call's arrival.
    Raises `ModelMissing`.
    """
    model = MODELS[name]
    path = cache_directory() / model.file
    condition = inspect(model, path)
    if condition == "present":
        return path
    raise ModelMissing(
        f"Model file {model.file} ({model.purpose}) is {condition}: {path}. To get it, run: client-caller models pull"
    )


def inspect(model: ModelFile, path: Path) -> Condition:
    """Whether the file at `path` is the model's, by its SHA-256."""
    try:
        with path.open("rb") as file:
            matches = hashlib.file_digest(file, "sha256").hexdigest() == model.sha256
    except FileNotFoundError:
        return "missing"
    except OSError:
        return "unreadable"
    return "present" if matches else "damaged"
