"""CUDA graphs of a step, one for each batch size: thousands of launches as one.

A step is about 7,500 kernels at real size; launched one by one they take 45 to 60 ms on any GPU, more than the work
itself (research/model-tier 1.5).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import torch

Result = TypeVar("Result")

_WARM_UP = 3
"""Steps before the capture: libraries choose their kernels and take their memory in the first ones."""


class Graphs(Generic[Result]):
    """Replays `step(count)` as it was captured for the next larger batch size; its result is that of all those rows.

    The result is overwritten by the next replay. The step must be pure device work on tensors that stay where they are.
    """

    def __init__(self, step: Callable[[int], Result], sizes: Sequence[int], generator: Any) -> None:
        """Captures at once, a second or so for each of `sizes`. `generator`: what the step draws from."""
        self._sizes = sorted(sizes)
        pool = torch.cuda.graph_pool_handle()  # one for all: no two of them ever run at once
        self._captured = [_captured(step, size, generator, pool) for size in reversed(self._sizes)][::-1]

    def __call__(self, count: int) -> Result:
        graph, result = self._captured[bisect_left(self._sizes, count)]
        graph.replay()
        return result


def _captured(step: Callable[[int], Result], size: int, generator: Any, pool: Any) -> tuple[Any, Result]:
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(_WARM_UP):
            step(size)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    with torch.cuda.graph(graph, pool=pool):
        result = step(size)
    return graph, result
