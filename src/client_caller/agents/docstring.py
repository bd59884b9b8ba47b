"""What a tool's docstring tells the language model: when to use it, and what each argument means."""

import re

_SECTION = re.compile(r"(?:Args|Arguments|Parameters):\s*$")
_ENTRY = re.compile(r"(\s+)(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
_FIELD = re.compile(r":param\s+(?:\S+\s+)?(\w+):\s*(.*)")


def summary(docstring: str) -> str:
    """The first paragraph, as one line; empty where there is none."""
    lines: list[str] = []
    for line in docstring.strip().splitlines():
        if not line.strip() or _SECTION.match(line) or _FIELD.match(line):
            break
        lines.append(line.strip())
    return " ".join(lines)


def parameters(docstring: str) -> dict[str, str]:
    """The description of each parameter: from `:param name: text` lines, or from a section headed `Args:`.

    `docstring` is cleaned (`inspect.getdoc`): the section's heading stands at its left edge. A description may go on
    in lines that are indented further than the line of its name.
    """
    found: dict[str, list[str]] = {}
    name = None
    indent = 0
    in_section = False
    for line in docstring.splitlines():
        depth = len(line) - len(line.lstrip())
        if field := _FIELD.match(line):
            name, indent, in_section = field[1], 0, False
            found[name] = [field[2]]
        elif _SECTION.match(line):
            name, indent, in_section = None, 0, True
        elif in_section and (entry := _ENTRY.match(line)) and (not indent or depth <= indent):
            name, indent = entry[2], depth
            found[name] = [entry[3]]
        elif name and depth > indent:
            found[name].append(line.strip())
        elif line.strip():
            name, in_section = None, False
    return {name: " ".join(part for part in parts if part) for name, parts in found.items()}
