"""Which captured graph is replayed. Capture itself needs a GPU; `bench models csm` compares its codes there."""

import pytest

torch = pytest.importorskip("torch")

from client_caller.models.csm import graphs  # noqa: E402
from client_caller.models.csm.graphs import Graphs  # noqa: E402


class Graph:
    """A graph that only counts its replays."""

    def __init__(self) -> None:
        self.replays = 0

    def replay(self) -> None:
        self.replays += 1


def test_the_next_larger_batch_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each size is captured once, and three calls are spoken by the graph of four."""
    captured = {size: Graph() for size in (1, 4, 16)}
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "pool")
    monkeypatch.setattr(graphs, "_captured", lambda step, size, generator, pool: (captured[size], step(size)))
    asked: list[int] = []

    def step(size: int) -> str:
        asked.append(size)
        return f"rows of {size}"

    replay = Graphs(step, (4, 16, 1), None)
    assert sorted(asked) == [1, 4, 16]
    assert [replay(count) for count in (1, 2, 4, 5, 16)] == [f"rows of {size}" for size in (1, 4, 4, 16, 16)]
    assert {size: graph.replays for size, graph in captured.items()} == {1: 1, 4: 2, 16: 2}
