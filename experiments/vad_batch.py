"""What does hearing cost? CPU per window and call, over the number of calls in a run.

    python experiments/vad_batch.py

CPU time (user and system) of `VoiceBatch.run` with one window waiting per call: the best of five repetitions, because
on a shared machine everything above the best is somebody else.
"""

import time

from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.models.cache import find

CALLS = (1, 2, 4, 8, 16, 32, 64, 128)
WINDOWS = 4096
REPETITIONS = 5


def cost(calls: int) -> float:
    """CPU microseconds per window."""
    batch = VoiceBatch(find("silero-vad"))
    voices = [batch.join() for _ in range(calls)]
    audio = bytes(range(256)) * (WINDOW // 256)
    best = float("inf")
    for _ in range(REPETITIONS):
        started = time.process_time()
        for _ in range(WINDOWS // calls):
            for voice in voices:
                voice.feed(audio)
            batch.run()
        best = min(best, time.process_time() - started)
    return best / (WINDOWS // calls * calls) * 1e6


def main() -> None:
    print("calls  us/window  ms of CPU per call-second")
    for calls in CALLS:
        us = cost(calls)
        print(f"{calls:5d}  {us:9.1f}  {us * 8000 / WINDOW / 1000:.2f}")


if __name__ == "__main__":
    main()
