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
TICK = 0.001
"""Seconds between two looks at how long others have to wait."""

Tell = Callable[[float, float], None]
"""Told with each beat by how many seconds it was late, and how many seconds of CPU this process used since the last.

If they are as many as the beat is late, we were; if they are few, the machine let us wait."""


class LoopWatch:
    """Counts the beats of a loop on an absolute schedule, and those that came late."""

    def __init__(self, tell: Tell = lambda late, cpu: None, period: float = PERIOD) -> None:
        """`period` in seconds."""
        self.beats = 0
        self.late = 0
        self._tell = tell
        self._period = period

    async def run(self) -> None:
        """Beat until cancelled."""
        loop = asyncio.get_running_loop()
        due, cpu = loop.time(), time.process_time()
        while True:
            due += self._period
            await asyncio.sleep(due - loop.time())
            before, cpu = cpu, time.process_time()
            late = loop.time() - due
            self.beats += 1
            self.late += late > LATE
            self._tell(late, cpu - before)


class LongestWait:
    """For how long, at worst, anything in a loop had to wait because this process computed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._watching = asyncio.create_task(LoopWatch(self._note, TICK).run())

    def stop(self) -> None:
        self._watching.cancel()

    def _note(self, late: float, cpu: float) -> None:
        self.seconds = max(self.seconds, min(late, cpu))


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
