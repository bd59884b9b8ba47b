"""What a streaming speech-to-text service says on its WebSocket, apart from sockets and clocks."""

from typing import Protocol

from client_caller.engines.protocols import SttResult

Message = str | bytes


class DialectError(Exception):
    """The service reported an error, or sent something that is not its protocol. `str(error)` follows its name."""


class Dialect(Protocol):
    """One call's audio on its way to words, over one connection after another. Sans-I/O; `stt_socket` carries it.

    Whatever it gives out as a message counts as sent; on the next connection it repeats what may have been lost.
    """

    @property
    def keep_alive(self) -> Message | None:
        """What is sent where there is no audio for some seconds; None where nothing has to be."""
        ...

    @property
    def goodbye(self) -> Message | None:
        """What is sent before the connection is closed."""
        ...

    @property
    def ready(self) -> bool:
        """Whether `audio` and `ask` may be called now; may change with each message received."""
        ...

    def connected(self) -> None:
        """A new connection: nothing was said on it yet."""
        ...

    def outgoing(self) -> list[Message]:
        """What has to be sent now, of its own accord: a greeting, or audio once more. Each message is given once."""
        ...

    def audio(self, mulaw: bytes) -> Message:
        """The message that carries the call's next audio."""
        ...

    def ask(self, request: int) -> list[Message]:
        """The messages that ask for the final words of all audio so far, to be answered by `Finished(request)`."""
        ...

    def received(self, message: Message) -> list[SttResult]:
        """What a message says. Raises `DialectError`."""
        ...
