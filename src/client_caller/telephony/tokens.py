"""The second lock on a media stream: a token that opens it once.

A signature alone can be replayed, since it covers nothing but the URL. So every answered webhook puts a random token
into the stream's parameters; it is good for one connection, of one call, within a minute.
"""

import hmac
import secrets
from collections.abc import Callable

LIFETIME = 60.0
"""Seconds. Twilio opens the stream within one or two of the webhook's answer; verbs before it may take longer."""

LIMIT = 10_000
"""Tokens kept at most: far more calls than one process can hold. The oldest is forgotten first."""


class StreamTokens:
    """Tokens issued and not yet used. In this process's memory: webhook and stream must reach the same process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never run backwards."""
        self._clock = clock
        self._waiting: dict[str, tuple[str, float]] = {}  # by call, oldest first

    def issue(self, call: str) -> str:
        """A new token for a call; its earlier one, if any, no longer holds."""
        self._waiting.pop(call, None)
        self._forget_expired()
        if len(self._waiting) >= LIMIT:
            del self._waiting[next(iter(self._waiting))]
        token = secrets.token_urlsafe(32)
        self._waiting[call] = (token, self._clock() + LIFETIME)
        return token

    def redeem(self, call: str, token: str) -> bool:
        """Whether `token` opens this call, for the first and last time. A wrong guess does not spend it."""
        self._forget_expired()
        expected, _ = self._waiting.get(call, ("", 0.0))
        if not expected or not hmac.compare_digest(expected.encode(), token.encode(errors="replace")):
            return False
        del self._waiting[call]
        return True

    def withdraw(self, call: str) -> None:
        """The call will not come."""
        self._waiting.pop(call, None)

    @property
    def waiting(self) -> int:
        """How many calls have been answered and not connected yet."""
        self._forget_expired()
        return len(self._waiting)

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._waiting:
            call, (_, until) = next(iter(self._waiting.items()))
            if until > now:
                return
            del self._waiting[call]
