"""How late an event loop wakes up, and whose fault it is.

Run as a module it is the baseline of `client-caller bench density`: a loop that has nothing else to do than to wake up
50 times a second, in a process of its own, for as many seconds as it is told; it prints what it found as JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable

PERIOD = 0.02
LATE = 0.02
"""Seconds."""


class LoopWatch:
    """Counts the beats of a loop on an absolute schedule, and those that came late."""

    def __init__(self, tell: Callable[[float], None] = lambda cpu: None) -> None:
        """`tell` is given, for each late beat, the seconds of CPU that this process used since the beat before.

        If they are as many as the beat is late, we were; if they are few, the machine let us wait.
        """
        self.beats = 0
        self.late = 0
        self._tell = tell

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due, cpu = loop.time(), time.process_time()
        while True:
            due += PERIOD
            await asyncio.sleep(due - loop.time())
            before, cpu = cpu, time.process_time()
            self.beats += 1
            if loop.time() - due > LATE:
                self.late += 1
                self._tell(cpu - before)


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
