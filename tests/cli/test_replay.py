"""The laws of `client-caller replay`."""

from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

Run = Callable[..., Result]


def test_replay_says_same_decisions_or_shows_the_first_difference(made: Path, run: Run) -> None:
    """By id or by folder; exit code 1 on a difference or on a journal that can't be read."""
    assert run("replay", "last").output == "7 events, 3 commands, same decisions.\n"
    assert run("replay", str(made / "20261120-a1")).exit_code == 0
    journal = made / "20261120-a1" / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"command":"Release","reply":1', '"command":"Release","reply":2'))
    result = run("replay", "20261120-a1")
    assert result.exit_code == 1
    assert "the call:  Speak(reply=1, clause=0, text='Hello there'), Release(reply=2)" in result.output
    assert "replayed:  Speak(reply=1, clause=0, text='Hello there'), Release(reply=1)" in result.output
    journal.write_text("nonsense\n")
    result = run("replay", "20261120-a1")
    assert result.exit_code == 1
    assert "journal.jsonl, line 1" in result.output
