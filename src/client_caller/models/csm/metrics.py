"""`/metrics` of the server, in Prometheus' format; read from the loop when asked."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from client_caller.models.csm.loop import Loop


class Metrics(Collector):
    """Of one loop."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        loop, pace = self._loop, self._loop.pace
        yield GaugeMetricFamily("csm_calls", "Slots in use.", loop.calls)
        yield GaugeMetricFamily("csm_slots", "Slots there are.", loop.slots)
        yield GaugeMetricFamily("csm_step_p95_seconds", "A step's 95th percentile, of the last 10 s.", pace.step_time)
        yield CounterMetricFamily("csm_frames", "Frames spoken, 80 ms each.", pace.frames)
        yield CounterMetricFamily("csm_steps", "Steps of the engine.", pace.steps)
        yield CounterMetricFamily("csm_step_seconds", "Time that the steps took.", pace.seconds)
