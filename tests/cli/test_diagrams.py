"""The laws of `client-caller diagrams`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli.diagrams import draw_into, mermaid
from client_caller.cli.main import app
from client_caller.conversation.state import CALL, REPLY, TURN

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"
PLACES = "".join(f"<!-- diagram: {name} -->\n<!-- /diagram -->\n" for name in ("call", "turn", "reply"))


def test_the_architecture_document_shows_the_tables_as_they_are() -> None:
    """Whoever changes a table draws it anew."""
    assert CliRunner().invoke(app, ["diagrams", "--check", str(DOCUMENT)]).exit_code == 0


def test_a_stale_diagram_is_reported_and_redrawn(tmp_path: Path) -> None:
    """--check changes nothing and says what to do; without it the document is made current, its own words untouched."""
    document = tmp_path / "document.md"
    stale = f"Before.\n{PLACES}After.\n"
    document.write_text(stale)
    checked = CliRunner().invoke(app, ["diagrams", "--check", str(document)])
    assert checked.exit_code == 1
    assert "run `client-caller diagrams`" in checked.stderr
    assert document.read_text() == stale
    assert CliRunner().invoke(app, ["diagrams", str(document)]).exit_code == 0
    drawn = document.read_text()
    assert drawn.startswith("Before.\n")
    assert drawn.endswith("After.\n")
    assert drawn.count("```mermaid") == 3
    assert CliRunner().invoke(app, ["diagrams", "--check", str(document)]).exit_code == 0


@pytest.mark.parametrize("text", ["No place at all.", PLACES + PLACES, PLACES.replace("turn", "shape")])
def test_every_table_has_one_place(tmp_path: Path, text: str) -> None:
    """A diagram that is missing, doubled or of no table is an error that names those that are needed."""
    document = tmp_path / "document.md"
    document.write_text(text)
    result = CliRunner().invoke(app, ["diagrams", str(document)])
    assert result.exit_code == 1
    assert "one for each of call, turn, reply" in result.stderr
    assert document.read_text() == text


def test_a_missing_document_is_an_error_that_says_where_to_be(tmp_path: Path) -> None:
    """The command is for the root of the repository."""
    result = CliRunner().invoke(app, ["diagrams", str(tmp_path / "none.md")])
    assert result.exit_code == 1
    assert "root of the repository" in result.stderr


@pytest.mark.parametrize("table", [CALL, TURN, REPLY])
def test_every_step_of_a_table_is_in_its_diagram(table: object) -> None:
    """One arrow for each pair of states that follow each other, with all its triggers; a beginning, and every end."""
    assert isinstance(table, dict)
    drawing = mermaid(table)
    for state, steps in table.items():
        for trigger, following in steps.items():
            arrow = next(line for line in drawing.splitlines() if f" {state.name} --> {following.name} :" in line)
            assert trigger.value in arrow.split(" : ")[1].split(", ")
        assert (f" {state.name} --> [*]\n" in drawing) == (not steps)
    assert drawing.count("[*] --> ") == 1


def test_drawing_twice_changes_nothing() -> None:
    """The command is idempotent."""
    assert draw_into(draw_into(PLACES)) == draw_into(PLACES)


def test_the_command_is_for_developers() -> None:
    """It is not among those that a caller's host is shown."""
    assert "diagrams" not in CliRunner().invoke(app, ["--help"]).stdout
