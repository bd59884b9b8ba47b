"""`bench models llm` against llama.cpp's own server, with a tiny model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli.main import app

pytest.importorskip("xllamacpp")

LLAMA_SERVER = Path(__file__).parents[2] / "engines" / "llama_server.py"


@pytest.fixture(scope="module")
def llama_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with one place, in a process of its own."""
    command = [sys.executable, str(LLAMA_SERVER), str(tmp_path_factory.mktemp("llama"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        address = process.stdout.readline().decode().strip()
        assert address, "llama.cpp's server did not start"
        yield f"{address}/v1"
        process.stdin.close()


def test_how_soon_and_how_fast_it_answers(llama_url: str) -> None:
    """Every figure of every number of calls is there, and so many of each as were asked for."""
    extra = '{"grammar": "root ::= [a-z]+", "ignore_eos": true}'
    options = ["--model", "tiny", "--url", llama_url, "--calls", "1,2", "--rounds", "1", "--extra-body", extra]
    done = CliRunner().invoke(app, ["bench", "models", "llm", *options, "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert [load["calls"] for load in figures["loads"]] == [1, 2]
    for load in figures["loads"]:
        for kind in ("cold", "warmed", "after_cancel", "beside"):
            assert load[kind]["count"] == load["calls"]
            assert 0 < load[kind]["p50"] <= load[kind]["p95"]
        assert load["rate"]["count"] == 2 * load["calls"]
        assert load["rate"]["p50"] > 0
