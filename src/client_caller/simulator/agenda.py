"""What is to happen, and when, on a clock of samples: simulated time without an event loop.

A hundred times as fast as the virtual clock of asyncio (`virtual_time`), for parts that never wait.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any


class Agenda:
    """Deeds in the order of their times; those of the same time in the order in which they were put down."""

    def __init__(self) -> None:
        self.now = 0
        """Samples at 8 kHz since the beginning."""
        self._deeds: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._number = 0

    def at(self, time: int, deed: Callable[..., object], *arguments: Any) -> None:
        """Do this at that time, or now if it is past."""
        self._number += 1
        heappush(self._deeds, (max(time, self.now), self._number, deed, arguments))

    def step(self) -> None:
        """Go on to the next deed, and do it. There has to be one."""
        self.now, _, deed, arguments = heappop(self._deeds)
        deed(*arguments)
