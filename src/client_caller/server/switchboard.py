"""Which calls this server has on the line, which it expects, and whether it takes more."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from client_caller.calls.call import Call
from client_caller.conversation.history import Entry
from client_caller.observe.metrics import ACTIVE_CALLS, CALLS
from client_caller.telephony.tokens import StreamTokens

REMEMBERED = 10_000
"""Calls remembered at most, so that the provider's last question about each finds an answer."""

NOTICE = 2.0
"""Seconds that a connection may take to notice that it is closed, once the provider has moved on."""


class Refused(Exception):
    """A stream is not let in; `str(error)` is the reason, from a metric's fixed set."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is left of a call from before."""

    call: Call
    over: bool
    """Whether it came to its end; otherwise it was cut off."""
    history: tuple[Entry, ...]


class Past(Protocol):
    """What this and earlier processes remember of calls."""

    async def find(self, provider_id: str) -> Earlier | None: ...


@dataclass(slots=True)
class Connection:
    """One connection of a call, from its start message to its end."""

    call: Call
    earlier: tuple[Entry, ...]
    lose: Callable[[str], None] = lambda reason: None
    """Tells the call that its line is gone; set once there is a session to tell."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Line:
    call: Call
    earlier: tuple[Entry, ...] = ()
    live: Connection | None = None
    reason: str | None = None
    """Why its last connection ended."""


class Switchboard:
    def __init__(self, *, max_calls: int, tokens: StreamTokens, new_id: Callable[[], str]) -> None:
        """`new_id` names a call; `max_calls` counts those on the line and those just answered."""
        self.draining = False
        """Set to take no new calls; those on the line go on, and may be resumed."""
        self._max_calls = max_calls
        self._tokens = tokens
        self._new_id = new_id
        self._lines: dict[str, _Line] = {}
        self._live = 0

    @property
    def live(self) -> int:
        return self._live

    @property
    def owed(self) -> int:
        """Calls with nobody on the line that are not done with: a stream is expected, or the webhook that ends it."""
        return self._tokens.waiting + sum(1 for line in self._lines.values() if line.reason)

    def why_not(self) -> str | None:
        """Why a new call can't be taken: `draining` or `busy`; None if it can."""
        if self.draining:
            return "draining"
        return "busy" if self.live + self._tokens.waiting >= self._max_calls else None

    def expect(self, provider_id: str, *, caller: str, callee: str, earlier: Earlier | None = None) -> str:
        """A call was answered: its stream will come with the token that this returns."""
        line = self._line(provider_id, caller, callee)
        if earlier:
            line.call, line.earlier = earlier.call, earlier.history
        line.reason = None
        return self._tokens.issue(provider_id)

    def connect(self, provider_id: str, token: str, *, open_to_all: bool) -> Connection:
        """A stream has started. Raises `Refused` unless its token is right and its call is not on another one.

        With `open_to_all` a stream may come without a token, and then without a webhook before it.
        """
        if (token or not open_to_all) and not self._tokens.redeem(provider_id, token):
            raise Refused("token")
        line = self._line(provider_id)
        if line.live:
            raise Refused("already_connected")
        line.live = Connection(line.call, line.earlier)
        line.reason = None
        self._live += 1
        ACTIVE_CALLS.inc()
        return line.live

    def ended(self, connection: Connection, reason: str) -> None:
        """A connection is over, and everything of its session is freed."""
        line = self._lines[connection.call.provider_id]
        line.live, line.reason = None, reason
        if reason == "caller_hung_up":
            del self._lines[connection.call.provider_id]  # the provider has no more questions
        connection.over.set()
        self._live -= 1
        ACTIVE_CALLS.dec()
        CALLS.labels(reason).inc()

    def hung_up(self, provider_id: str) -> None:
        """The provider says that the call is over."""
        self._tokens.withdraw(provider_id)
        line = self._lines.get(provider_id)
        if line and line.live:
            line.live.lose("caller_hung_up")
        else:
            self.forget(provider_id)

    def forget(self, provider_id: str) -> None:
        """The provider was told that the call is over."""
        self._lines.pop(provider_id, None)

    async def outcome(self, provider_id: str) -> str | None:
        """Why the call's last connection ended, waiting for it if it still does; None for a call unknown here."""
        line = self._lines.get(provider_id)
        if line and line.live:
            await self._settle(line.live)
        return line.reason if line else None

    async def _settle(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(NOTICE):
                await connection.over.wait()
        except TimeoutError:
            connection.lose("connection_lost")
            await connection.over.wait()

    def _line(self, provider_id: str, caller: str = "", callee: str = "") -> _Line:
        line = self._lines.get(provider_id)
        if line is None:
            self._forget_one()
            line = self._lines[provider_id] = _Line(Call(self._new_id(), provider_id, caller=caller, callee=callee))
        return line

    def _forget_one(self) -> None:
        """Make room for one more, of the oldest call that is not on the line."""
        if len(self._lines) >= REMEMBERED:
            idle = next((name for name, line in self._lines.items() if not line.live), None)
            self._lines.pop(idle or "", None)
