"""The laws of `client-caller report`."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import Result

Run = Callable[..., Result]


def test_report_writes_a_page_and_opens_it(
    made: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Into the call's folder or where told; the path is printed; `--open` shows that very file."""
    opened: list[str] = []
    monkeypatch.setattr(typer, "launch", opened.append)
    assert run("report", "last").output == f"{made / '20261120-b2' / 'report.html'}\n"
    assert opened == []
    assert run("report", str(made / "20261120-a1"), "--out", "page.html", "--open").output == "page.html\n"
    assert opened == [(tmp_path / "page.html").as_uri()]
    assert "<!doctype html>" in (tmp_path / "page.html").read_text()
