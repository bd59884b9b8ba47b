"""Many calls full of interruptions, on all cores, each compared word for word with what its far end played."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice

from client_caller.cli.cut_call import CutCall, Line
from client_caller.cli.cut_judge import Tally, judge

LINES = (
    Line("no delay"),
    Line("0 to 150 ms each way", delay=150),
    Line("… and jitter of 60 ms", delay=150, jitter=60),
    Line("… and standstills of 300 ms", delay=150, jitter=60, stall_every=3000, stall=300),
    Line("… and 5 % of the marks lost", delay=150, jitter=60, stall_every=3000, stall=300, lost=0.05),
)
"""Each call draws its own delays from its line; what is added to one stays in the next."""
CUTS = 50
"""Of one call."""


@dataclass(frozen=True, slots=True)
class CutsBench:
    """At least so many cuts, evenly over the lines. The same seed gives the same figures on any number of cores."""

    cuts: int
    seed: int

    def run(self, tell: Callable[[int], None]) -> dict[str, Tally]:
        """By line; `tell` is told how many cuts were made since it was last told. Raises `cut_call.Stuck`."""
        tallies = {line.name: Tally() for line in LINES}
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(os.cpu_count(), context, _leave_interrupts) as processes:
            for name, tally in processes.map(_call, self._calls()):
                tallies[name] += tally
                tell(tally.cuts)
        return tallies

    def _calls(self) -> Iterator[tuple[Line, str]]:
        calls = -(-self.cuts // CUTS)
        for number, line in enumerate(islice(cycle(LINES), max(calls, len(LINES)))):
            yield line, f"{self.seed}/{number}"


def _call(which: tuple[Line, str]) -> tuple[str, Tally]:
    call = CutCall(*which)
    call.run(CUTS)
    return which[0].name, judge(call)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that was started; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
