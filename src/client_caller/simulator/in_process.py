"""A call without sockets: the same frames through the same codec, straight into a call's shell.

For the virtual clock, and for many calls at once.
"""

from collections.abc import Callable
from typing import Protocol

from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.phone import Party, Phone
from client_caller.telephony.leg import Leg
from client_caller.telephony.twilio_stream import Audio, Digit, Mark, Started, Stopped, TwilioStream


class Shell(Protocol):
    """What a line needs of a call's shell (`runtime.session.CallSession`)."""

    def begin(self) -> None: ...
    def hear(self, mulaw: bytes, timestamp: int) -> None: ...
    def acknowledge(self, mark: str) -> None: ...
    def press(self, digit: str) -> None: ...
    def lose(self, reason: str) -> None: ...


class InProcessLine:
    """One stream between a simulated telephone and a shell in this process. Make it inside the event loop."""

    def __init__(
        self,
        party: Party,
        identity: StreamIdentity,
        make_shell: Callable[[Leg], Shell],
        impairments: Impairments = PERFECT,
    ) -> None:
        self.phone = Phone(party, identity, self._arrived, impairments)
        self._stream = TwilioStream()
        self._shell = make_shell(_StreamLeg(self._stream, self.phone))
        self._told = False

    async def talk(self) -> str:
        """Carry on until the stream is over, tell the shell, and say how it ended (`Phone.talk`)."""
        try:
            how = await self.phone.talk()
        except BaseException:
            self._lose("connection_lost")
            raise
        if how == "lost":
            self._lose("connection_lost")
        return how

    def _arrived(self, frame: str) -> None:
        match self._stream.receive(frame):
            case Started():
                self._shell.begin()
            case Audio(timestamp=timestamp, mulaw=mulaw):
                self._shell.hear(mulaw, timestamp)
            case Mark(name=name):
                self._shell.acknowledge(name)
            case Digit(digit=digit):
                self._shell.press(digit)
            case Stopped():
                self._lose("caller_hung_up")

    def _lose(self, reason: str) -> None:
        if not self._told:
            self._told = True
            self._shell.lose(reason)


class _StreamLeg:
    """A `Leg` that writes Twilio's frames onto the simulated line."""

    def __init__(self, stream: TwilioStream, phone: Phone) -> None:
        self._stream = stream
        self._phone = phone

    def send_audio(self, mulaw: bytes) -> None:
        self._phone.take(self._stream.media(mulaw))

    def send_mark(self, name: str) -> None:
        self._phone.take(self._stream.mark(name))

    def clear(self) -> None:
        self._phone.take(self._stream.clear())

    def hang_up(self, reason: str) -> None:
        self._phone.take(None)
