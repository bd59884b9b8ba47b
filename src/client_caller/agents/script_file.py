"""A script as a YAML file.

Plain words are read as in YAML 1.2: `yes`, `no`, `on` and `7:30` are words, as anybody who writes down a conversation
expects, and not truth values or numbers.
"""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from client_caller.agents.script import Script

QUOTE = "A text with a colon, or with ? [ ] { } # in a list, goes in quotes."
"""What is nearly always wrong with a script that is not YAML."""


class ScriptError(Exception):
    """A script can't be used. `str(error)` names the file, the line, the part, and what is allowed there."""


def load_script(path: Path) -> Script:
    """Read and check a script. Raises `ScriptError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: can't be read as text: {error}") from error
    return parse_script(text, str(path))


def parse_script(text: str, name: str) -> Script:
    """As `load_script`, with the text of a file called `name`."""
    try:
        _refuse_references(text, name)
        root = yaml.compose(text, _Loader)
        if not isinstance(root, yaml.MappingNode):
            raise ScriptError(f"{name}: a script is a mapping that begins with `greeting: …`.")
        _refuse_duplicates(root, name)
        given = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScriptError(f"{name}:{line}: not YAML: {error.problem}. {QUOTE}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ScriptError(f"{name}: not YAML: {error}") from error
    try:
        return Script.model_validate(given)
    except ValidationError as error:
        problems = [_told(detail, root, name) for detail in error.errors(include_url=False)]
        raise ScriptError("\n".join(problems)) from None


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - PyYAML's own way: none of those it is born with


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?[0-9]+$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?[0-9]+\.[0-9]+$"), list("-0123456789"))


def _line(part: yaml.Node | yaml.Event) -> int:
    assert part.start_mark is not None, "whatever is read from a text has a place in it"
    return part.start_mark.line + 1


def _refuse_references(text: str, name: str) -> None:
    """Anchors, aliases and explicit tags: no script needs them, and a sentence that begins with such a sign is meant
    as it stands."""
    for event in yaml.parse(text, _Loader):
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise ScriptError(f"{name}:{_line(event)}: not YAML for a script: &, * and ! can't be used. {QUOTE}")


def _refuse_duplicates(node: yaml.Node, name: str) -> None:
    """YAML readers take the last of two equal keys; the writer of a script meant both."""
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise ScriptError(f"{name}:{_line(key)}: {key.value!r} is here for the second time.")
            seen.add(key.value)
            _refuse_duplicates(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, name)


def _told(detail: ErrorDetails, root: yaml.Node, name: str) -> str:
    node, path = _part(root, detail["loc"])
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "missing":
        message = f"{detail['loc'][-1]!r} is missing"
    place = f"{name}:{_line(node)}"
    return f"{place}: {path}: {message}" if path else f"{place}: {message}"


def _part(root: yaml.Node, location: tuple[int | str, ...]) -> tuple[yaml.Node, str]:
    """The part of the file that an error is about, and its path. What has no place in the file is left out of both."""
    node, path = root, ""
    for step in location:
        if isinstance(node, yaml.MappingNode):
            inner = [value for key, value in node.value if key.value == step]
            label = f".{step}"
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            inner = node.value[step : step + 1]
            label = f"[{step}]"
        else:
            inner, label = [], ""
        if inner:
            node, path = inner[0], path + label
    return node, path.removeprefix(".")
