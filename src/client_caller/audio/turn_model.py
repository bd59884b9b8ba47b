"""Has the caller finished? Smart Turn v3.2 judges it by ear: melody, pace and words, not silence alone.

The model takes the caller's last eight seconds at 16 kHz as log-mel features and answers with one probability. Batching
gains nothing (four at once cost four times as much), so there is none.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from client_caller.audio import g711, log_mel
from client_caller.audio.resample import resample

SAMPLES = log_mel.SAMPLES * g711.SAMPLE_RATE // log_mel.SAMPLE_RATE
"""How much of a call the model looks at, at 8 kHz: 8 s."""


class TurnModel:
    """The loaded model. Holds no state of any call, and may be used by several threads at once."""

    def __init__(self, model_path: Path) -> None:
        """Load and warm up, about 0.1 s: once per process, never on a call's arrival."""
        options = onnxruntime.SessionOptions()
        # Two threads cost more CPU for little less time (47 ms against 43), and spinning ones steal from the event
        # loop: research/embedded-and-limits 2.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(model_path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.judge(g711.SILENCE * g711.FRAME)

    def judge(self, mulaw: bytes) -> float:
        """How likely the caller has finished, 0 to 1, by the audio of their turn up to now; its last 8 s count.

        Meant for a pause: the audio should end with the 0.1 to 0.3 s of silence that made one ask. It should not begin
        with an earlier turn: one that was finished makes this one sound unfinished (docs/benchmarks.md, latency). Where
        nobody spoke the answer means nothing (digital silence is 0.99 complete).
        """
        samples = resample(g711.decode_float(mulaw[-SAMPLES:]), g711.SAMPLE_RATE, log_mel.SAMPLE_RATE)
        features = log_mel.log_mel(samples)[np.newaxis]
        (probability,) = self._session.run(None, {"input_features": features})
        return float(probability[0, 0])
