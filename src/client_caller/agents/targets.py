"""From what a person types, `module:name` or `file.py:name`, to the thing itself."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from client_caller.agents.part import nearest


class TargetError(Exception):
    """What was named could not be loaded. `str(error)` says why, and what to do."""


def find(target: str) -> object:
    """The attribute of a module, which is imported by name, or from a file when it ends in `.py`.

    The working directory, and the folder of a file, can be imported from. Raises `TargetError`.
    """
    place, colon, name = target.rpartition(":")
    if not (colon and place and name):
        raise TargetError(f"{target!r}: write module:name or path/to/file.py:name, for instance {_example(target)}.")
    module = _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
    found: object = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            public = [known for known in dir(found) if not known.startswith("_")]
            raise TargetError(f"{target!r}: {place} has no {part!r}: {nearest(part, public)}") from None
    return found


def _example(target: str) -> str:
    place = target.strip(":").partition(":")[0] or "agent.py"
    return f"{place}:agent"


def _by_name(place: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise _broken(place, error) from error
        raise TargetError(
            f"There is no module {error.name!r}, neither installed nor in the working directory ({here}). "
            f"A file can be named too: path/to/{place.rpartition('.')[2]}.py:name."
        ) from None
    except Exception as error:
        raise _broken(place, error) from error


def _from_file(path: Path) -> ModuleType:
    path = path.resolve()
    if not path.is_file():
        raise TargetError(f"There is no file {path}.")
    # Under its bare name a file called calendar.py would take the place of the standard library's module.
    name = f"client_caller_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a name that ends in .py always has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _broken(path.name, error) from error
    return module


def _broken(place: str, error: Exception) -> TargetError:
    return TargetError(f"{place} can't be imported: {type(error).__name__}: {error}")
