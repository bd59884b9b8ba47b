"""A caller's telephone in the middle of a call: the clockwork between a person, the far end and the connection.

Every 20 ms, on an absolute schedule, the caller hears what was played and says the next piece. Marks come back at the
very sample at which they are due. Who carries the frames to the side that is called is somebody else's business.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from client_caller.audio.g711 import FRAME
from client_caller.simulator.impairments import PERFECT, Impairments, Path
from client_caller.simulator.network import FRAME_SECONDS, FarEnd, StreamIdentity


class Party(Protocol):
    """Who holds the telephone: an ear and a mouth, nothing else."""

    def live(self, heard: bytes) -> bytes | None:
        """Hear the last 20 ms (160 bytes of mu-law) and say the next, or None to hang up."""
        ...


class Phone:
    """One stream from its opening to its end. Make it inside the event loop."""

    def __init__(
        self,
        party: Party,
        identity: StreamIdentity,
        carry: Callable[[str], None],
        impairments: Impairments = PERFECT,
    ) -> None:
        """`carry` takes each frame as it reaches the side that is called."""
        self._loop = asyncio.get_running_loop()
        self._party = party
        self._lost_at = impairments.lost_at
        self.far_end = FarEnd(identity, self._loop.time())
        self._carry = carry
        self._to_us = Path[str | None](impairments, "to us", self._arrived)
        self._to_far_end = Path[str | None](impairments, "to the far end", self._receive)
        self._mark_timer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[str] = self._loop.create_future()

    def take(self, frame: str | None) -> None:
        """A frame of the side that is called leaves it now; None when it closes the connection."""
        if not self._over.done():
            self._to_far_end.send(frame)

    def press(self, digit: str) -> None:
        """The caller presses a key."""
        if not self._over.done():
            self._to_us.send(self.far_end.key(digit))

    async def talk(self) -> str:
        """Carry on until the stream is over: `hung_up` by the caller, `closed` by the other side, or `lost`.

        Raises what went wrong with the caller, or `network.Refused` if we were sent nonsense.
        """
        for frame in self.far_end.opening():
            self._to_us.send(frame)
        clock = self._loop.create_task(self._live())
        try:
            return await self._over
        finally:
            clock.cancel()
            self._to_us.close()
            self._to_far_end.close()
            self._listen_for_marks(False)

    async def _live(self) -> None:
        try:
            beat = 0
            while True:
                beat += 1
                await asyncio.sleep(self.far_end.opened + beat * FRAME_SECONDS - self._loop.time())
                if self._lost_at is not None and beat * FRAME_SECONDS >= self._lost_at:
                    return self._finish("lost")
                self._return(self.far_end.advance(self.far_end.opened + beat * FRAME_SECONDS))
                said = self._party.live(bytes(self.far_end.played[(beat - 1) * FRAME : beat * FRAME]))
                if said is None:
                    return self._hang_up()
                self._to_us.send(self.far_end.voice(said))
        except Exception as error:
            self._fail(error)

    def _hang_up(self) -> None:
        self._to_us.send(self.far_end.stop())
        self._to_us.send(None)

    def _arrived(self, frame: str | None) -> None:
        if frame is None:
            return self._finish("hung_up")
        try:
            self._carry(frame)
        except Exception as error:
            self._fail(error)

    def _receive(self, frame: str | None) -> None:
        if frame is None:
            self._finish("closed")
        if frame is None or self._over.done():
            return
        try:
            self._return(self.far_end.receive(frame, self._loop.time()))
        except Exception as error:
            self._fail(error)

    def _marks_due(self) -> None:
        self._mark_timer = None
        self._return(self.far_end.advance(self._loop.time()))

    def _return(self, frames: tuple[str, ...]) -> None:
        self._listen_for_marks(True)
        for frame in frames:
            self._to_us.send(frame)

    def _listen_for_marks(self, listen: bool) -> None:
        if self._mark_timer is not None:
            self._mark_timer.cancel()
        due = self.far_end.due
        self._mark_timer = self._loop.call_at(due, self._marks_due) if listen and due is not None else None

    def _finish(self, how: str) -> None:
        if not self._over.done():
            self._over.set_result(how)

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)
