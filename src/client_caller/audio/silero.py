"""Silero VAD at its native 8 kHz, one run for many calls.

The model takes 256 new samples (32 ms) together with the 32 before them, and carries a recurrent state from window to
window. Its batch axis is free, so the windows of different calls go through it together.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

Floats = npt.NDArray[np.float32]

WINDOW = 256
"""New samples in a window at 8 kHz, fixed by the model: 32 ms."""
CONTEXT = 32
"""Samples before a window that the model wants to see again; zeros before the first."""
STATE = 128
"""Width of each of the two rows of recurrent state; zeros at the start."""


class Silero:
    """The loaded model. Holds no state of any call, and may be used by several threads at once."""

    def __init__(self, model_path: Path) -> None:
        """Load and warm up, about 50 ms: once per process, never on a call's arrival."""
        options = onnxruntime.SessionOptions()
        # More threads cost more CPU for the same result (117 us a window against 87 with two), and spinning ones
        # steal from the event loop: research/embedded-and-limits 1.1.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(model_path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(8000, dtype=np.int64)
        self.run(np.zeros((1, CONTEXT + WINDOW), np.float32), np.zeros((2, 1, STATE), np.float32))

    def run(self, windows: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Judge one window of each of B calls.

        `windows`: (B, CONTEXT + WINDOW), samples between -1 and 1. `state`: (2, B, STATE), as returned by the run
        before. Returns the probabilities of speech, (B,), and the new state, (2, B, STATE).
        """
        probabilities, after = self._session.run(None, {"input": windows, "state": state, "sr": self._rate})
        return probabilities[:, 0], after
