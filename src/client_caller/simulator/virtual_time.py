"""An asyncio event loop whose clock jumps when there is nothing to do.

A minute of a call then takes as long as its computation, and twice the same call takes the same decisions: timers are
the only thing that moves the clock, and they move it exactly to their own time. What really computes elsewhere (an
engine's process, a thread) is waited for, and meanwhile the clock stands still.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

PATIENCE = 20.0
"""Real seconds without a sign of life before the loop is called stuck: far above an engine's longest computation."""
_LOOK_AGAIN = 0.02
"""Real seconds between two looks at `busy` while waiting: what computes may end without writing to us."""


class Stuck(RuntimeError):
    """Nothing can ever happen again: no callback is ready, no timer is set and nothing arrives."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector event loop with virtual time, which starts at 0 and is counted in whole nanoseconds.

    `busy` says whether something outside this loop is at work for it, such as an engine's process with an answer due.
    Work handed to threads (`run_in_executor`, `asyncio.to_thread`) counts as busy by itself. A wait for anything else
    outside, such as a socket of another process, would be jumped over by the next timer: say it by `busy`.
    """

    def __init__(self, busy: Callable[[], bool] = lambda: False, patience: float = PATIENCE) -> None:
        self._now = 0.0
        self._in_threads = 0
        super().__init__(_JumpingSelector(lambda: self._in_threads > 0 or busy(), self._jump, patience))

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        """As asyncio has it; virtual time stands still until the thread is done, however long it sleeps."""
        future = super().run_in_executor(executor, func, *args)
        self._in_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._in_threads -= 1

    def _jump(self, seconds: float) -> None:
        # Whole nanoseconds, so that sums of many small steps stay exact. asyncio runs what is due within the clock's
        # resolution, which is never finer than that: a rounded jump always reaches its timer.
        self._now = round(self._now + seconds, 9)


class _JumpingSelector(selectors.BaseSelector):
    """A real selector that jumps instead of waiting, unless something is at work for us."""

    def __init__(self, busy: Callable[[], bool], jump: Callable[[float], None], patience: float) -> None:
        self._real = selectors.DefaultSelector()
        self._busy = busy
        self._jump = jump
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and not self._busy():
            self._jump(timeout)
            return []
        return self._wait(has_timer=timeout is not None)

    def _wait(self, has_timer: bool) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for real input. With a timer set, no longer than something is at work for us."""
        give_up = time.monotonic() + self._patience
        while time.monotonic() < give_up:
            ready = self._real.select(_LOOK_AGAIN)
            if ready or (has_timer and not self._busy()):
                return ready
        if self._busy():
            raise Stuck(f"an engine has been busy for {self._patience:g} s of real time without answering")
        raise Stuck(
            f"nothing can happen any more: no timer is set, nothing is at work and nothing arrived in "
            f"{self._patience:g} s of real time; some task waits for what nobody will send"
        )

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


def run_virtual(main: Coroutine[Any, Any, _T], busy: Callable[[], bool] = lambda: False) -> _T:
    """Like `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(busy)) as runner:
        return runner.run(main)
