"""All Prometheus metrics, in one place.

No label holds anything of a caller: labels come from the fixed sets that the comments name. The registry is our own, so
that nothing else in the process shows up at `/metrics` unasked.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

ACTIVE_CALLS = Gauge("client_caller_active_calls", "Calls on the line.", registry=REGISTRY)

CALLS = Counter("client_caller_calls_total", "Connections of calls that ended.", ["reason"], registry=REGISTRY)
"""reason: as in `CallEnded.reason`."""

ADMISSIONS = Counter("client_caller_admissions_total", "Answers to voice webhooks.", ["result"], registry=REGISTRY)
"""result: accepted, busy, draining, resumed, over, given_up."""

REFUSALS = Counter("client_caller_refusals_total", "Requests that were not let in.", ["reason"], registry=REGISTRY)
"""reason: signature, token, already_connected, no_start, protocol."""

PROTOCOL_ERRORS = Counter(
    "client_caller_protocol_errors_total", "Frames that broke a provider's protocol.", ["reason"], registry=REGISTRY
)
"""reason: `telephony.twilio_stream.ProtocolError.reason`, or unknown_event, repeated_audio."""

LOST_AUDIO = Counter(
    "client_caller_lost_audio_seconds_total", "Caller's audio that the provider never had.", registry=REGISTRY
)

DROPPED_AUDIO = Counter(
    "client_caller_dropped_audio_seconds_total", "Audio that we gave up on.", ["where"], registry=REGISTRY
)
"""where: outbox (the far end does not read), voices (speech detection lagged), stt (speech to text lagged, or could not
be reached)."""

STALLED_LINES = Counter(
    "client_caller_stalled_lines_total", "Lines cut because the far end did not read.", registry=REGISTRY
)

LOOP_LAG = Histogram(
    "client_caller_event_loop_lag_seconds",
    "How late the heartbeat of the calls wakes up.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0),
    registry=REGISTRY,
)

TURN_JUDGEMENTS = Counter(
    "client_caller_turn_judgements_total", "Pauses that were to be judged by ear.", ["result"], registry=REGISTRY
)
"""result: in_time, late, refused (it would have been late)."""

VOICE_TO_VOICE = Histogram(
    "client_caller_voice_to_voice_seconds",
    "Caller's last voiced sample in to agent's first voiced sample out, per turn.",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0),
    registry=REGISTRY,
)
