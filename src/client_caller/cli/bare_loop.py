"""What this machine does to an event loop that has nothing else to do than to wake up 50 times a second.

The baseline of `client-caller bench density`, in a process of its own: prints, after the seconds that it is told to
run, how often it woke and how often it was late, as JSON.
"""

import asyncio
import json
import sys

PERIOD = 0.02
LATE = 0.02
"""Seconds."""


class LoopWatch:
    """Counts the beats of a loop on an absolute schedule, and those that came late."""

    def __init__(self) -> None:
        self.beats = 0
        self.late = 0

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += PERIOD
            await asyncio.sleep(due - loop.time())
            self.beats += 1
            self.late += loop.time() - due > LATE


async def measure(seconds: float) -> LoopWatch:
    """Beat for so long."""
    watch = LoopWatch()
    beating = asyncio.create_task(watch.run())
    await asyncio.sleep(seconds)
    beating.cancel()
    return watch


if __name__ == "__main__":
    import uvloop  # not there on Windows, where `bench density` is not either

    result = uvloop.run(measure(float(sys.argv[1])))
    print(json.dumps({"beats": result.beats, "late": result.late}))
