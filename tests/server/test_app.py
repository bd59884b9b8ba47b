"""What operators ask: alive, ready, metrics. Nothing else answers."""

from collections.abc import Callable
from typing import Any

import pytest

Edge = Any


async def test_alive_and_ready(edge: Edge) -> None:
    """Ready only while calls could be answered: not without a heartbeat, not while draining."""
    assert (await edge.get("/healthz")).text == "ok"
    edge.ready = False
    unready = await edge.get("/readyz")
    assert (unready.status_code, unready.json()) == (503, {"state": "not ready", "calls": 0})
    edge.ready = True
    async with edge.call():
        ready = await edge.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"state": "ready", "calls": 1})
        edge.board.draining = True
        draining = await edge.get("/readyz")
        assert (draining.status_code, draining.json()) == (503, {"state": "draining", "calls": 1})
        assert (await edge.get("/healthz")).status_code == 200


async def test_without_a_token_there_are_no_metrics(edge: Edge) -> None:
    """Not even with some header."""
    assert (await edge.get("/metrics")).status_code == 404
    assert (await edge.get("/metrics", authorization="Bearer None")).status_code == 404


async def test_metrics_are_for_the_bearer_of_the_token(run_edge: Callable[..., Any]) -> None:
    """A wrong or missing token is 401; the right one sees the calls on the line, and nothing of a caller."""
    async with run_edge(metrics_token="secret-1") as edge:
        for headers in ({}, {"authorization": "secret-1"}, {"authorization": "Bearer secret"}):
            assert (await edge.get("/metrics", **headers)).status_code == 401
        async with edge.call("CAmetrics"):
            answer = await edge.get("/metrics", authorization="Bearer secret-1")
        assert answer.status_code == 200
        assert "client_caller_active_calls 1.0" in answer.text
        assert "CAmetrics" not in answer.text
        assert "+1555" not in answer.text


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json", "/voice", "/media"])
async def test_nothing_else_answers(edge: Edge, path: str) -> None:
    """No browsable interface, and no webhook by GET."""
    assert (await edge.get(path)).status_code in (404, 405)
