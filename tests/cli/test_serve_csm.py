"""`client-caller models serve csm`, as far as it goes without its extra."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli import serving
from client_caller.cli.main import app


def test_help_teaches() -> None:
    """Where the weights come from, what a voice file looks like, and what to configure."""
    shown = CliRunner().invoke(app, ["models", "serve", "csm", "--help"], terminal_width=200).output
    for part in ("sesame/csm-1b", "[consent]", 'engine = "csm"', "--slots", "Nothing is fetched"):
        assert part in shown


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the commands that install it, PyTorch first."""
    monkeypatch.setattr(serving, "find_spec", lambda name: None if name == "torch" else object())
    done = CliRunner().invoke(app, ["models", "serve", "csm", "--weights", str(tmp_path), "--voice", "ada.toml"])
    assert done.exit_code == 1
    assert "torch not installed" in done.output
    assert "pip install 'client-caller[csm]'" in done.output
