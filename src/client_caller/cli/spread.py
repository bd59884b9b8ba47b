"""Many measured times as a few figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from client_caller.observe.latency import percentile


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles by nearest rank, as the latency ledger has them."""

    count: int
    p50: float
    p95: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """None of none."""
        middle, high = percentile(values, 50), percentile(values, 95)
        return None if middle is None or high is None else cls(len(values), middle, high, max(values))

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p95:.0f}"
