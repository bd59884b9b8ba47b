"""What a connection does to messages: delay, jitter, standstills.

A stream's connection is TCP: nothing is lost or overtakes, so a lossy network shows as delay, and a retransmission as a
standstill after which everything arrives at once (head-of-line blocking).
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Impairments:
    """How bad a connection is; seconds. The same seed gives the same connection."""

    seed: int = 0
    delay: float = 0.0
    """One way, each way."""
    jitter: float = 0.0
    """Up to this much more, evenly distributed."""
    stall_every: float = 0.0
    """Mean time between two standstills, exponentially distributed; 0 for none."""
    stall: float = 0.2
    """How long a standstill lasts: the least retransmission timeout of Linux."""
    lost_at: float | None = None
    """The connection breaks without a word at this time after it was opened."""


PERFECT = Impairments()
_SLACK = 1e-6
"""Seconds by which a timer may fire early."""


class Path(Generic[_T]):
    """One direction of a connection: hands each message to `deliver` when it arrives, in order.

    It never does so before `send` has returned, so neither end is called back in the middle of what it does.
    """

    def __init__(self, impairments: Impairments, direction: str, deliver: Callable[[_T], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._impairments = impairments
        self._random = random.Random(f"{impairments.seed}/{direction}")
        self._deliver = deliver
        self._under_way: deque[tuple[float, _T]] = deque()
        self._last_arrival = self._loop.time()
        self._stall_starts = self._last_arrival
        self._timer: asyncio.TimerHandle | None = None
        self._next_stall()

    def send(self, message: _T) -> None:
        """Send a message off."""
        self._under_way.append((self._arrival(), message))
        self._wait()

    def close(self) -> None:
        """Drop what is still under way."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        # One timer for the whole path: two timers of the same time would fire in any order.
        if self._timer is None and self._under_way:
            self._timer = self._loop.call_at(self._under_way[0][0], self._arrive)

    def _arrive(self) -> None:
        now = self._loop.time() + _SLACK
        while self._under_way and self._under_way[0][0] <= now:
            self._deliver(self._under_way.popleft()[1])
        self._timer = None
        self._wait()

    def _arrival(self) -> float:
        arrival = self._loop.time() + self._impairments.delay
        if self._impairments.jitter:
            arrival += self._random.uniform(0, self._impairments.jitter)
        arrival = max(arrival, self._last_arrival)
        while arrival >= self._stall_starts:
            arrival = max(arrival, self._stall_starts + self._impairments.stall)
            self._next_stall()
        self._last_arrival = arrival
        return arrival

    def _next_stall(self) -> None:
        every = self._impairments.stall_every
        self._stall_starts += self._random.expovariate(1 / every) if every else float("inf")
