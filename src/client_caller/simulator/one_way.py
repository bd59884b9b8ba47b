"""One direction of a connection on a clock of samples; `impairments.Path` is the same for an event loop."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

from client_caller.simulator.agenda import Agenda

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Way:
    """How long messages are under way; samples."""

    delay: int = 0
    jitter: int = 0
    """Up to this much more, evenly distributed."""
    stall_every: int = 0
    """Mean time between two standstills, exponentially distributed; 0 for none."""
    stall: int = 0
    """How long a standstill lasts; then everything arrives at once."""


class OneWay(Generic[_T]):
    """Hands each message to `deliver` when it arrives. As on TCP, nothing is lost or overtakes."""

    def __init__(self, agenda: Agenda, way: Way, random: Random, deliver: Callable[[_T], object]) -> None:
        self._agenda = agenda
        self._way = way
        self._random = random
        self._deliver = deliver
        self._last_arrival = 0
        self._stall_starts = self._next_stall(0)

    def send(self, message: _T) -> None:
        """Send a message off."""
        way = self._way
        arrival = self._agenda.now + way.delay
        if way.jitter:
            arrival += int(self._random.random() * (way.jitter + 1))
        arrival = max(arrival, self._last_arrival)
        while way.stall_every and arrival >= self._stall_starts:
            arrival = max(arrival, self._stall_starts + way.stall)
            self._stall_starts = self._next_stall(self._stall_starts)
        self._last_arrival = arrival
        self._agenda.at(arrival, self._deliver, message)

    def _next_stall(self, after: int) -> int:
        every = self._way.stall_every
        return after + int(self._random.expovariate(1 / every)) if every else 0
