"""What Whisper's listeners count besides. No label holds anything of a caller."""

from prometheus_client import Counter

from client_caller.models.hearing.metrics import REGISTRY

DOUBTED = Counter(
    "client_caller_hearing_doubted_total", "Transcripts that were not believed.", ["reason"], registry=REGISTRY
)
"""reason: `hallucination.Reason`."""

SPECULATION = Counter(
    "client_caller_hearing_finals_total", "Final words, by when they were worked out.", ["when"], registry=REGISTRY
)
"""when: ahead (they were there when they were asked for), asked."""
