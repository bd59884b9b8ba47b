"""The one thread that owns the engine, and the calls that speak through it.

Requests come by a queue and are carried out between frames, so a clause ends at most one frame after its `cancel`;
sound leaves by `call_soon_threadsafe`. Nothing is locked, and no tensor is ever touched by the event loop.
"""

import asyncio
import heapq
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable

from client_caller.models.csm.engine import CsmEngine, Prefix
from client_caller.models.csm.pace import Pace
from client_caller.models.csm.talker import Talker
from client_caller.models.csm.weights import Weights
from client_caller.models.csm.wire import Answer, Failed, Request

log = logging.getLogger(__name__)

_BROKEN = "the speech engine broke: it has to be started again"


class Full(Exception):
    """There is no room for one more call now."""


class Line:
    """One call, on the side of the event loop. Made by `Loop.open`."""

    def __init__(self, loop: "Loop", slot: int) -> None:
        self.slot = slot
        self._loop = loop
        self._events = asyncio.get_running_loop()
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._closed = False

    def ask(self, request: Request) -> None:
        """Have something done, after what was asked before. Who has hung up has nothing more to ask."""
        if not self._closed:
            self._loop.post(lambda: self._loop.carry_out(self, request))

    def close(self) -> None:
        """Stop speaking and give the slot back, within a frame. May be called twice."""
        if not self._closed:
            self._closed = True
            self._answers.put_nowait(None)
            self._loop.leave(self)

    async def __aiter__(self) -> AsyncIterator[Answer]:
        """What the call is told, until it is closed."""
        while (answer := await self._answers.get()) is not None:
            yield answer

    def tell(self, answer: Answer) -> None:
        """For the engine's thread."""
        self._events.call_soon_threadsafe(self._answers.put_nowait, answer)


class Loop:
    """Steps the engine as long as anybody speaks, and sleeps otherwise."""

    def __init__(self, engine: CsmEngine, weights: Weights, voice: Prefix, speaker: int, pace: Pace) -> None:
        """`voice`: what every call's slot begins with (`CsmEngine.saved`), spoken under the number `speaker`."""
        self.pace = pace
        self.broken = False
        """The engine failed: nothing more will be spoken."""
        self._engine = engine
        self._weights = weights
        self._voice = voice
        self._speaker = speaker
        self._free = list(range(engine.slots))
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._talkers: dict[Line, Talker] = {}
        self._thread = threading.Thread(target=self._run, name="csm", daemon=True)

    @property
    def slots(self) -> int:
        """Calls that there is room for."""
        return self._engine.slots

    @property
    def calls(self) -> int:
        """Slots in use."""
        return self._engine.slots - len(self._free)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the frame in flight."""
        self._work.put(None)
        self._thread.join()

    def open(self) -> Line:
        """A slot for one more call, the lowest that is free: batches are the slots from the first on. Raises `Full`."""
        if self.broken or not self._free or self.pace.slow:
            raise Full
        line = Line(self, heapq.heappop(self._free))
        self.post(lambda: self._enter(line))
        return line

    def leave(self, line: Line) -> None:
        """Give a call's slot back. Whoever gets it next comes after this in the queue of the thread."""
        self.post(lambda: self._leave(line))
        heapq.heappush(self._free, line.slot)

    def post(self, work: Callable[[], None]) -> None:
        """Have the thread do something between two frames."""
        self._work.put(work)

    def carry_out(self, line: Line, request: Request) -> None:
        """For the engine's thread."""
        self._talkers[line].carry_out(request)

    # ---------------------------------------------------------------- the thread

    def _enter(self, line: Line) -> None:
        self._talkers[line] = Talker(self._engine, self._weights, line.slot, self._voice, self._speaker, line.tell)

    def _leave(self, line: Line) -> None:
        self._talkers.pop(line).leave()

    def _run(self) -> None:
        try:
            while self._drain():
                if speaking := [talker for talker in self._talkers.values() if talker.prepare()]:
                    self._step(speaking)
        except Exception:
            log.exception("the speech engine broke")
            self.broken = True
            for line in self._talkers:
                line.tell(Failed(None, _BROKEN))

    def _drain(self) -> bool:
        """Do what was asked; wait for it where nobody speaks. False where the thread is to end."""
        wait = not any(talker.busy for talker in self._talkers.values())
        while True:
            try:
                work = self._work.get(block=wait)
            except queue.Empty:
                return True
            if work is None:
                return False
            work()
            wait = False

    def _step(self, speaking: list[Talker]) -> None:
        begun = time.monotonic()
        step = self._engine.step(max(talker.slot for talker in speaking) + 1)
        for talker in speaking:
            talker.take(step.codes[talker.slot], bool(step.ended[talker.slot]), step.sound[talker.slot])
        self.pace.note(time.monotonic() - begun, len(speaking))
