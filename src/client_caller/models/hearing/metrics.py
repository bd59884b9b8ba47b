"""Prometheus metrics of every speech-to-text server of ours. No label holds anything of a caller."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

CALLS = Gauge("client_caller_hearing_calls", "Calls that are connected.", registry=REGISTRY)

REFUSED = Counter("client_caller_hearing_refused_total", "Calls refused: answers took too long.", registry=REGISTRY)

AUDIO = Counter("client_caller_hearing_audio_seconds_total", "Audio taken.", registry=REGISTRY)

STEP = Histogram(
    "client_caller_hearing_step_seconds",
    "One run of the model over a batch.",
    ["kind"],
    buckets=(0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0),
    registry=REGISTRY,
)
"""kind: partial, final."""

BATCH = Histogram(
    "client_caller_hearing_batch_calls",
    "Calls in a run of the model.",
    buckets=(1, 2, 3, 4, 6, 8, 12, 16),
    registry=REGISTRY,
)
