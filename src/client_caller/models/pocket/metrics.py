"""All Prometheus metrics of the server of Pocket TTS. No label holds anything of a caller."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

SPEAKING = Gauge("client_caller_pocket_speaking", "Texts that are being spoken.", registry=REGISTRY)

WAITING = Gauge("client_caller_pocket_waiting", "Texts that wait for a voice.", registry=REGISTRY)

REFUSED = Counter("client_caller_pocket_refused_total", "Requests refused: too many waited.", registry=REGISTRY)

AUDIO = Counter("client_caller_pocket_audio_seconds_total", "Sound made.", registry=REGISTRY)

BUSY = Histogram(
    "client_caller_pocket_text_seconds",
    "What a text takes, from the voice's first work on it to its last.",
    buckets=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0),
    registry=REGISTRY,
)

FIRST = Histogram(
    "client_caller_pocket_first_audio_seconds",
    "From the request to its first sound, the wait for a voice included.",
    buckets=(0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0),
    registry=REGISTRY,
)
