"""How fast the engine is, and whether one more call would be too many."""

import time
from collections import deque
from collections.abc import Callable

SLOWEST_STEP = 0.040
"""Seconds that a step may take, its 95th percentile: half of the 80 ms of sound that it makes, so that those who speak
gain on playback even while others are let in (research/model-tier 4)."""
_REMEMBERED = 10.0
"""Seconds after which a measurement counts no more: an idle engine is not slow."""
_ENOUGH = 20
"""Measurements before they say anything."""


class Pace:
    """The engine's steps of the last seconds. Written by its thread, read by any other."""

    def __init__(self, slowest_step: float = SLOWEST_STEP, clock: Callable[[], float] = time.monotonic) -> None:
        self.frames = 0
        """Spoken by all calls so far."""
        self.steps = 0
        self.seconds = 0.0
        """That the steps took."""
        self._slowest_step = slowest_step
        self._clock = clock
        self._recent: deque[tuple[float, float]] = deque(maxlen=1000)

    def note(self, seconds: float, calls: int) -> None:
        """A step of so many speaking calls took so long."""
        self.steps += 1
        self.seconds += seconds
        self.frames += calls
        self._recent.append((self._clock(), seconds))

    @property
    def slow(self) -> bool:
        """Whether steps take so long that no call should be added."""
        return self.step_time > self._slowest_step

    @property
    def step_time(self) -> float:
        """The 95th percentile of the steps of the last 10 s, in seconds; 0 where there were too few to say."""
        since = self._clock() - _REMEMBERED
        recent = sorted(seconds for at, seconds in self._recent.copy() if at >= since)
        return recent[int(0.95 * len(recent))] if len(recent) >= _ENOUGH else 0.0
