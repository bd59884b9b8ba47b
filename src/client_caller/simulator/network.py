"""The provider's end of one stream, as Twilio's Media Streams have it.

Sans-I/O: frames and times go in, frames come out. Facts from Twilio's "WebSocket Messages" reference unless said
otherwise: `sequenceNumber`, `chunk` and `timestamp` are strings; media that we send may be of any length and is played
in order, 8 samples a millisecond; a mark comes back once all audio sent before it was played, at once if there is none;
`clear` drops what has not been played and returns every pending mark. In captured calls the first timestamp is not 0.

`FarEnd.played` is the ground truth of a simulated call: what the caller's ear really got, sample by sample.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE, SILENCE

FRAME_SECONDS = 0.02
"""Between two media messages of the caller's voice."""
FIRST_TIMESTAMP = 155
"""Of the first media message, milliseconds; as seen in a captured call."""
_SLACK = 1e-3
"""Of one sample: forgives the rounding of times."""


class Refused(Exception):
    """We were sent a frame that Twilio would not understand."""


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """What names a stream on the wire."""

    call_sid: str
    stream_sid: str
    account_sid: str = "AC" + "0" * 32
    parameters: Mapping[str, str] = field(default_factory=dict)
    """The `<Parameter>`s of the TwiML."""


@dataclass(frozen=True, slots=True)
class Cleared:
    """A `clear` that reached the far end."""

    at: int
    """Samples played before it."""
    dropped: int
    """Samples that will not be played."""
    marks: tuple[str, ...]
    """Returned without having been played."""


class FarEnd:
    """One stream's far end. Times are seconds on any clock that does not run backwards; it opens at `opened`."""

    def __init__(self, identity: StreamIdentity, opened: float) -> None:
        self.identity = identity
        self.opened = opened
        self.played = bytearray()
        """Mu-law, one byte a sample since `opened`; silence where we had sent nothing."""
        self.clears: list[Cleared] = []
        self.returned: list[tuple[str, int]] = []
        """Marks that came back because all before them was played, each with how many samples had been played then."""
        self._buffer = bytearray()
        self._taken = 0
        """Samples that have left the buffer by being played or dropped."""
        self._marks: deque[tuple[int, str]] = deque()
        """Each with how many samples must be taken before it is due."""
        self._sequence = 0
        self._chunk = 0

    # ---- what it sends

    def opening(self) -> tuple[str, str]:
        """The stream's first two messages."""
        start = {
            "accountSid": self.identity.account_sid,
            "streamSid": self.identity.stream_sid,
            "callSid": self.identity.call_sid,
            "tracks": ["inbound"],
            "customParameters": dict(self.identity.parameters),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": SAMPLE_RATE, "channels": 1},
        }
        connected = msgspec.json.encode({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        return connected.decode(), self._message("start", start)

    def voice(self, mulaw: bytes) -> str:
        """The message that carries the caller's next 20 ms (160 bytes of mu-law)."""
        timestamp = FIRST_TIMESTAMP + self._chunk * 20
        self._chunk += 1
        return self._message(
            "media", {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(timestamp), "payload": mulaw}
        )

    def key(self, digit: str) -> str:
        """The message of a key that the caller pressed."""
        return self._message("dtmf", {"track": "inbound_track", "digit": digit})

    def stop(self) -> str:
        """The stream's last message, when the caller has hung up."""
        return self._message("stop", {"accountSid": self.identity.account_sid, "callSid": self.identity.call_sid})

    # ---- what it is sent

    def receive(self, frame: str, now: float) -> tuple[str, ...]:
        """Take one of our messages; the marks that come back at once. Raises `Refused`."""
        returned = self.advance(now)
        message = self._understood(frame)
        if isinstance(message, _Media):
            self._buffer += message.media.payload
        elif isinstance(message, _Mark):
            self._marks.append((self._taken + len(self._buffer), message.mark.name))
            returned += self._returned()
        else:
            returned += self._clear()
        return returned

    def advance(self, now: float) -> tuple[str, ...]:
        """Play up to `now`; the marks that come back."""
        missing = math.floor((now - self.opened) * SAMPLE_RATE + _SLACK) - len(self.played)
        if missing <= 0:
            return ()
        sound = self._buffer[:missing]
        del self._buffer[:missing]
        self._taken += len(sound)
        self.played += sound
        returned = self._returned()
        self.played += SILENCE * (missing - len(sound))
        return returned

    @property
    def due(self) -> float | None:
        """When the next mark comes back, if nothing else happens."""
        if not self._marks:
            return None
        return self.opened + (len(self.played) + self._marks[0][0] - self._taken) / SAMPLE_RATE

    # ---- parts

    def _understood(self, frame: str) -> "_Media | _Mark | _Clear":
        try:
            message = _wire.decode(frame)
        except msgspec.DecodeError as error:
            raise Refused(f"a frame came that is no media, mark or clear message: {error}") from error
        if message.stream_sid != self.identity.stream_sid:
            raise Refused(f"a message for stream {message.stream_sid} came to {self.identity.stream_sid}")
        return message

    def _returned(self) -> tuple[str, ...]:
        due = []
        while self._marks and self._marks[0][0] <= self._taken:
            at, name = self._marks.popleft()
            due.append(name)
            self.returned.append((name, len(self.played) - (self._taken - at)))
        return self._echo(due)

    def _clear(self) -> tuple[str, ...]:
        dropped = len(self._buffer)
        marks = tuple(name for _, name in self._marks)
        self._taken += dropped
        self._buffer.clear()
        self._marks.clear()
        self.clears.append(Cleared(len(self.played), dropped, marks))
        return self._echo(marks)

    def _echo(self, marks: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._message("mark", {"name": name}) for name in marks)

    def _message(self, event: str, body: Mapping[str, Any]) -> str:
        self._sequence += 1
        sequence = str(self._sequence)
        message = {"event": event, "sequenceNumber": sequence, "streamSid": self.identity.stream_sid, event: body}
        return msgspec.json.encode(message).decode()


class _Payload(msgspec.Struct):
    payload: bytes


class _Name(msgspec.Struct):
    name: str


class _Media(msgspec.Struct, tag_field="event", tag="media", rename="camel"):
    stream_sid: str
    media: _Payload


class _Mark(msgspec.Struct, tag_field="event", tag="mark", rename="camel"):
    stream_sid: str
    mark: _Name


class _Clear(msgspec.Struct, tag_field="event", tag="clear", rename="camel"):
    stream_sid: str


_wire: msgspec.json.Decoder[_Media | _Mark | _Clear] = msgspec.json.Decoder(_Media | _Mark | _Clear)
