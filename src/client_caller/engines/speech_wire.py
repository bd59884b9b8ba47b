"""What the voices with many clauses on one connection have in common on the wire: Cartesia, ElevenLabs. Sans-I/O.

Each clause is a *context* with an id of its own, so one connection serves many calls, and a barge-in ends a context
and not the connection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from client_caller.engines import server_text
from client_caller.engines.protocols import EngineError


@dataclass(frozen=True, slots=True)
class Piece:
    """What one message says."""

    context: str | None
    """None: an error of the whole connection, which is over then."""
    mulaw: bytes = b""
    said: Sequence[tuple[str, int]] = ()
    """Words or letters, each with the sample at which it ends."""
    done: bool = False
    """Nothing more comes for this context."""
    error: str | None = None
    """The server's own words."""
    advice: str = ""
    """What to do about the error."""


class Wire(Protocol):
    """A vendor's protocol, without I/O."""

    name: str
    """The vendor's."""
    address: str
    """Where it is, without credentials: for errors."""
    headers: Mapping[str, str]
    api_key: str | None
    key_name: str
    """The environment variable of the key."""
    room: int
    """Contexts that one connection takes at a time."""
    times_begin_anew: bool
    """Whether the times in a message count from its own audio; else from the beginning of the context."""

    def url(self, language: str) -> str: ...

    def begin(self, context: str, text: str, language: str) -> Sequence[str]:
        """The messages that ask for one clause, and no more than that."""
        ...

    def give_up(self, context: str) -> str | None:
        """The message that ends a context at once; None where the vendor has none, and it runs to its end."""
        ...

    def read(self, message: str | bytes) -> Piece | None:
        """None for what need not concern us. Raises `ValueError` for what is not the protocol."""
        ...


def websocket_address(base_url: str, example: str) -> str:
    """Where to connect, from what people write: ws or http. Raises `EngineError`."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise EngineError("tts", f"The base_url of tts is not a WebSocket address. It looks like {example}")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def reported(wire: Wire, piece: Piece, private: Sequence[str]) -> str:
    """A server's error, fit for people: without key, and without what is private."""
    said = server_text.printable(piece.error or "an unnamed error", wire.api_key, private)
    return f"reported: {said}. {piece.advice}".rstrip()


def failed(wire: Wire, what: str) -> EngineError:
    """`what` went wrong, as a sentence with the server's address."""
    return EngineError("tts", f"{wire.name} at {wire.address} {what}")
