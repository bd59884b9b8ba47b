"""The other end of the edge, without any call behind it: a session that says what it hears."""

import asyncio
from collections.abc import Sequence

from client_caller.calls.call import Call
from client_caller.conversation.history import Entry
from client_caller.telephony.leg import Leg

MARK_EVERY = 10
"""Frames between two marks: 200 ms."""


class EchoSession:
    """Behaves towards the server like `runtime.session.CallSession`: for testing the edge alone.

    `#` makes it hang up, `*` makes it clear what it has said, `0` makes it fail.
    """

    def __init__(self, call: Call, leg: Leg, earlier: Sequence[Entry]) -> None:
        self.call = call
        self.leg = leg
        self.earlier = tuple(earlier)
        self.heard: list[tuple[int, bytes]] = []
        self.marks: list[str] = []
        self.digits: list[str] = []
        self.reason: str | None = None
        self._over = asyncio.Event()

    def begin(self) -> None:
        self.leg.send_mark("begin")

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        self.heard.append((timestamp, mulaw))
        self.leg.send_audio(mulaw)
        if len(self.heard) % MARK_EVERY == 0:
            self.leg.send_mark(f"heard-{len(self.heard)}")

    def acknowledge(self, mark: str) -> None:
        self.marks.append(mark)

    def press(self, digit: str) -> None:
        self.digits.append(digit)
        if digit == "#":
            self.leg.hang_up("ended_by_agent")
            self.lose("ended_by_agent")
        elif digit == "*":
            self.leg.clear()
        elif digit == "0":
            raise RuntimeError("asked to fail")

    def lose(self, reason: str) -> None:
        if self.reason is None:
            self.reason = reason
            self._over.set()

    async def ended(self) -> str:
        await self._over.wait()
        assert self.reason is not None
        return self.reason
