"""The benchmark of the engine."""

import json

import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from client_caller.cli.main import app


def test_every_figure_is_there() -> None:
    """One row for each batch size; without a GPU no figures of graphs; JSON for machines."""
    done = CliRunner().invoke(app, ["bench", "models", "csm", "--device", "cpu", "--steps", "5", "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert [batch["calls"] for batch in figures["batches"]] == [1, 2, 4, 8, 16]
    assert all(0 < batch["eager"] <= batch["eager_p95"] for batch in figures["batches"])
    assert {batch["graph"] for batch in figures["batches"]} == {figures["graphs_agree"]} == {None}
    assert figures["first_audio"] > 0
    assert figures["prefill"] > 0
