"""The laws of `client-caller models serve nemotron`, as far as they need no model; tests/tiers has the rest."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import serving
from client_caller.cli.main import app


def test_the_help_says_where_the_weights_come_from() -> None:
    """What to type, and how calls come to use it."""
    shown = " ".join(CliRunner().invoke(app, ["models", "serve", "nemotron", "--help"]).stdout.split())
    assert "hf download nvidia/nemotron-speech-streaming-en-0.6b --local-dir nemotron" in shown
    assert "models serve nemotron --weights nemotron" in shown
    assert "CLIENT_CALLER_STT_ENGINE=realtime" in shown


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With what has to be installed before it."""
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    result = CliRunner().invoke(app, ["models", "serve", "nemotron", "--weights", str(tmp_path)])
    assert result.exit_code == 1
    assert "torch and transformers and tokenizers not installed" in result.stderr
    assert "pip install 'client-caller[nemotron]'" in result.stderr
