"""The laws of `client-caller models serve whisper`, as far as they need no model; tests/tiers has the rest."""

import pytest
from typer.testing import CliRunner

from client_caller.cli import serving
from client_caller.cli.main import app


def test_the_help_has_a_command_for_each_machine() -> None:
    """What to type on a GPU, on a laptop, and how calls come to use it."""
    shown = CliRunner().invoke(app, ["models", "serve", "whisper", "--help"]).stdout
    assert "--model large-v3-turbo --device cuda" in shown
    assert "--guess-window 10" in shown
    assert "CLIENT_CALLER_STT_ENGINE=realtime" in shown


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["models", "serve", "whisper"])
    assert result.exit_code == 1
    assert result.stderr == "faster_whisper not installed. pip install 'client-caller[whisper]'\n"
