"""Turns of all calls judged by ear, off the event loop, and only as many as come in time.

A judgement takes some 60 ms of CPU, and one that comes after the call has decided without it was for nothing. So there
is one worker, and whoever would wait too long is told so at once instead of being queued.

The worker is a thread: neither the model nor numpy holds the interpreter while it computes. It yields to the event loop
by its niceness, which on one core keeps the heartbeat of 50 calls within 7 ms (P99, ten judgements a second) where a
plain thread makes it 9, a process 13, and no judging 5: experiments/turn_judges.py.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from client_caller.observe.metrics import TURN_JUDGEMENTS

DEADLINE = 0.25
"""Seconds from the question within which an answer is of use: the turn is decided soon after."""
TYPICAL = 0.065
"""Seconds that a judgement takes, until the first ones have shown it: experiments/turn_model.py."""
LEARNING = 1 / 8
"""Weight of the newest judgement in what is typical: that of TCP's round-trip estimate, RFC 6298."""
NICENESS = 5
"""Of the worker above the process: the event loop goes first, and the worker is still served beside other programs."""


class TurnJudges:
    """One worker for all calls of a process. Use in the event loop."""

    def __init__(self, judge: Callable[[bytes], float], clock: Callable[[], float] = time.perf_counter) -> None:
        """`judge`: `audio.turn_model.TurnModel.judge`, or what stands for it. `clock`: seconds."""
        self._judge = judge
        self._clock = clock
        self._worker = ThreadPoolExecutor(1, "turn-judge", initializer=_yield_to_others)
        self._unfinished: list[Future[float]] = []
        self._typical = TYPICAL

    async def ask(self, mulaw: bytes) -> float | None:
        """How likely the caller has finished, by the audio of their turn (mu-law at 8 kHz), 0 to 1.

        None, at once, if that would take longer than `DEADLINE`: decide without it. Ask once or twice in a pause, and
        cancel if the caller goes on: that makes room for another. Raises what the model raises.
        """
        if not self._in_time():
            TURN_JUDGEMENTS.labels("refused").inc()
            return None
        asked = self._clock()
        work = self._worker.submit(self._timed, mulaw)
        self._unfinished.append(work)
        probability = await asyncio.wrap_future(work)
        TURN_JUDGEMENTS.labels("late" if self._clock() - asked > DEADLINE else "in_time").inc()
        return probability

    @property
    def busy(self) -> bool:
        """Whether a judgement is under way: what a virtual clock has to wait for."""
        return any(not work.done() for work in self._unfinished)

    def close(self) -> None:
        """Stop the worker. Judgements that it has not begun are cancelled."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _in_time(self) -> bool:
        """An idle worker always takes one: else nothing would show that a slow machine is fast again."""
        self._unfinished = [work for work in self._unfinished if not work.done()]
        return not self._unfinished or (len(self._unfinished) + 1) * self._typical <= DEADLINE

    def _timed(self, mulaw: bytes) -> float:
        """In the worker."""
        started = self._clock()
        probability = self._judge(mulaw)
        self._typical += LEARNING * (self._clock() - started - self._typical)
        return probability


def _yield_to_others() -> None:
    """On Linux each thread has a niceness of its own; elsewhere it is the process's, and stays."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
