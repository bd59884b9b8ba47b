"""`client-caller diagrams`: the tables of `conversation/state.py`, drawn into the architecture document.

For those who change the tables: the drawing is made from them, so it can't tell anything else.
"""

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.conversation.state import CALL, REPLY, TURN

Table = Mapping[Enum, Mapping[Enum, Enum]]

TABLES: Mapping[str, Table] = {"call": CALL, "turn": TURN, "reply": REPLY}  # type: ignore[dict-item]
"""What may stand between the markers `<!-- diagram: NAME -->` and `<!-- /diagram -->`."""

_PLACE = re.compile(r"(<!-- diagram: (\w+) -->\n).*?(<!-- /diagram -->)", re.DOTALL)


def diagrams(
    file: Annotated[Path, typer.Argument(help="The document to draw into.")] = Path("docs/architecture.md"),
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit with 1 if it is not current.")] = False,
) -> None:
    """Draw the state tables of a conversation into the architecture document."""
    errors = Console(stderr=True, style="red")
    try:
        text = file.read_text(encoding="utf-8")
        drawn = draw_into(text)
    except FileNotFoundError:
        errors.print(f"There is no {file} here: run this in the root of the repository.", soft_wrap=True)
        raise typer.Exit(1) from None
    except ValueError as error:
        errors.print(f"{file}: {error}", soft_wrap=True, markup=False)
        raise typer.Exit(1) from None
    if text == drawn:
        return
    if check:
        errors.print(f"{file} does not show the tables as they are: run `client-caller diagrams`.", soft_wrap=True)
        raise typer.Exit(1)
    file.write_text(drawn, encoding="utf-8")


def draw_into(text: str) -> str:
    """The document with every diagram drawn anew. Raise ValueError if one has no place, or a place no table."""
    places = [found[2] for found in _PLACE.finditer(text)]
    if sorted(places) != sorted(TABLES):
        found, needed = ", ".join(places) or "(none)", ", ".join(TABLES)
        raise ValueError(f"it has places for the diagrams {found}; it needs one for each of {needed}")
    return _PLACE.sub(lambda found: f"{found[1]}```mermaid\n{mermaid(TABLES[found[2]])}```\n{found[3]}", text)


def mermaid(table: Table) -> str:
    """A table as a Mermaid state diagram. Its first state is where it begins; those that nothing follows are ends."""
    lines = ["stateDiagram-v2", f"[*] --> {next(iter(table)).name}"]
    for state, steps in table.items():
        for following in dict.fromkeys(steps.values()):
            triggers = ", ".join(trigger.value for trigger, then in steps.items() if then is following)
            lines.append(f"{state.name} --> {following.name} : {triggers}")
        if not steps:
            lines.append(f"{state.name} --> [*]")
    return "\n    ".join(lines) + "\n"
