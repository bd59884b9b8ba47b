"""`client-caller models serve pocket`, as far as it goes without its extra."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import serving
from client_caller.cli.main import app


def test_help_teaches() -> None:
    """Where the weights come from and what to configure."""
    shown = CliRunner().invoke(app, ["models", "serve", "pocket", "--help"], terminal_width=200).output
    for part in ("models pull cpu", "[tts]", 'voice = "alba"', "--at-once", "Nothing is fetched"):
        assert part in shown


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the commands that install it, PyTorch first."""
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    done = CliRunner().invoke(app, ["models", "serve", "pocket", "--weights", str(tmp_path)])
    assert done.exit_code == 1
    assert "pip install torch" in done.output
    assert "pip install 'client-caller[cpu]'" in done.output
