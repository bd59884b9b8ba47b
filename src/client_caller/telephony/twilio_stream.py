"""Twilio Media Streams, bidirectional (`<Connect><Stream>`): text frames in, typed messages out, and back.

Sans-I/O: `TwilioStream` holds the state of one stream's protocol and never sees the socket. Facts that shape it, from
Twilio's "WebSocket Messages" reference unless said otherwise:

- `connected` comes first, then one `start`, then `media`, `dtmf` and `mark`, then one `stop`. All are JSON text.
- `sequenceNumber`, `chunk` and `timestamp` are strings that hold numbers; `sampleRate` and `channels` are numbers.
- `media.timestamp` counts milliseconds from the start of the stream; in captured calls the first is not 0. A jump is
  audio that Twilio never had: the connection is TCP, so nothing is lost or reordered on it.
- After a `clear` Twilio returns all pending marks, so a returned mark alone does not prove that something was played.
"""

from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MAX_FRAME = 64 * 1024
"""Characters in one frame. Twilio's own are about 400; the largest that peers accept is 64 KiB."""

_Sid = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
_Milliseconds = Annotated[int, Meta(ge=0, le=24 * 60 * 60 * 1000)]
"""No call lasts longer than a day (Twilio's own limit)."""

# ---------------------------------------------------------------- what a stream says, typed


class Started(Struct, frozen=True):
    """The stream is open. Everything before this is nameless."""

    stream_sid: str
    call_sid: str
    account_sid: str
    parameters: dict[str, str]
    """The `<Parameter>`s of the TwiML; empty if there were none."""


class Audio(Struct, frozen=True, gc=False):
    """Some of the caller's voice."""

    timestamp: int
    """Of its first sample, milliseconds since the stream began. Rises from one message to the next."""
    mulaw: bytes
    """At 8 kHz, one byte per sample. Twilio sends 160: 20 ms."""


class Mark(Struct, frozen=True, gc=False):
    """A mark came back: what was sent before it was played, or was dropped by a `clear`."""

    name: str


class Digit(Struct, frozen=True, gc=False):
    """The caller pressed a key."""

    digit: str
    """One of 0-9, *, #, A-D."""


class Stopped(Struct, frozen=True, gc=False):
    """The stream is over, because the call is or because other TwiML took it."""


Received = Started | Audio | Mark | Digit | Stopped


class ProtocolError(Exception):
    """A frame that is not as it should be. `str(error)` is a sentence for people, without anything that was said."""

    def __init__(self, reason: str, message: str, *, fatal: bool) -> None:
        super().__init__(message)
        self.reason = reason
        """A short name from a fixed set: a metric's label."""
        self.fatal = fatal
        """Whether the stream has to end; otherwise the frame is ignored and the call goes on."""


# ---------------------------------------------------------------- the wire


class _Format(Struct, rename="camel", gc=False):
    encoding: Annotated[str, Meta(max_length=64)] = "an unnamed encoding"
    sample_rate: int = 0
    channels: int = 0


_EXPECTED = _Format("audio/x-mulaw", 8000, 1)


class _StartBody(Struct, rename="camel"):
    stream_sid: _Sid
    call_sid: _Sid
    account_sid: _Sid
    media_format: _Format
    custom_parameters: dict[str, str] = {}


class _MediaBody(Struct, gc=False):
    timestamp: _Milliseconds
    payload: Annotated[bytes, Meta(min_length=1)]
    track: str = "inbound"


class _MarkBody(Struct, gc=False):
    name: str


class _DigitBody(Struct, gc=False):
    digit: Annotated[str, Meta(pattern="^[0-9*#A-D]$")]


class _Connected(Struct, tag_field="event", tag="connected", gc=False):
    pass


class _Start(Struct, tag_field="event", tag="start", rename="camel"):
    stream_sid: _Sid
    start: _StartBody


class _Media(Struct, tag_field="event", tag="media", rename="camel", gc=False):
    stream_sid: _Sid
    media: _MediaBody


class _Mark(Struct, tag_field="event", tag="mark", rename="camel", gc=False):
    stream_sid: _Sid
    mark: _MarkBody


class _Digit(Struct, tag_field="event", tag="dtmf", rename="camel", gc=False):
    stream_sid: _Sid
    dtmf: _DigitBody


class _Stop(Struct, tag_field="event", tag="stop", rename="camel", gc=False):
    stream_sid: _Sid


class _AnyEvent(Struct, gc=False):
    event: str


class _Payload(Struct, gc=False):
    payload: bytes


class _SendMedia(Struct, tag_field="event", tag="media", rename="camel", gc=False):
    stream_sid: str
    media: _Payload


class _Clear(Struct, tag_field="event", tag="clear", rename="camel", gc=False):
    stream_sid: str


_Wire = _Connected | _Start | _Media | _Mark | _Digit | _Stop
_EVENTS = frozenset({"connected", "start", "media", "mark", "dtmf", "stop"})
# Not strict: a number may come as a string, which is how Twilio writes its own.
_wire: msgspec.json.Decoder[_Wire] = msgspec.json.Decoder(_Wire, strict=False)
_any_event = msgspec.json.Decoder(_AnyEvent)
_encode = msgspec.json.Encoder().encode
_UNDECODABLE = (msgspec.DecodeError, UnicodeError, RecursionError)  # the last: brackets nested without end


class TwilioStream:
    """One stream's protocol state.

    Before `start` nobody has said who they are, so every error ends the stream; afterwards a bad frame costs only
    itself. `counts` tells what was tolerated: `unknown_event`, `repeated_audio` (a timestamp that did not rise; the
    audio is dropped) and `lost_audio_ms`.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._stream_sid: str | None = None
        self._stopped = False
        self._audio_until: int | None = None
        self._timestamp = -1

    def receive(self, frame: str | bytes) -> Received | None:
        """Take one frame; None if it says nothing to a call. Raises `ProtocolError` and nothing else."""
        message = self._parse(frame)
        if isinstance(message, _Media) and message.stream_sid == self._stream_sid and not self._stopped:
            return self._audio(message.media)  # first, since nearly all are
        if message is None or isinstance(message, _Connected):
            return None
        if isinstance(message, _Start):
            return self._start(message)
        if self._stream_sid is None:
            raise self._error("before_start", "The stream sent something before its start message.")
        if self._stopped:
            raise self._error("after_stop", "The stream sent something after its stop message.")
        if message.stream_sid != self._stream_sid:
            raise self._error("wrong_stream", "A message names another stream than the one that was started.")
        if isinstance(message, _Mark):
            return Mark(message.mark.name)
        if isinstance(message, _Digit):
            return Digit(message.dtmf.digit)
        self._stopped = True
        return Stopped()

    def media(self, mulaw: bytes) -> str:
        """The frame that queues audio at the far end: mu-law at 8 kHz without any file header, of any length."""
        return _encode(_SendMedia(self._name(), _Payload(mulaw))).decode()

    def mark(self, name: str) -> str:
        """The frame that asks for `name` back once all audio sent before has been played."""
        return _encode(_Mark(self._name(), _MarkBody(name))).decode()

    def clear(self) -> str:
        """The frame that drops what the far end has not played yet."""
        return _encode(_Clear(self._name())).decode()

    # ---- parts of receive

    def _parse(self, frame: str | bytes) -> _Wire | None:
        if isinstance(frame, bytes):
            raise self._error("binary_frame", "A binary frame came; Media Streams are JSON text.")
        if len(frame) > MAX_FRAME:
            raise self._error("oversize", f"A frame of more than {MAX_FRAME} characters came.", fatal=True)
        try:
            return _wire.decode(frame)
        except _UNDECODABLE:
            pass
        try:
            event = _any_event.decode(frame).event
        except msgspec.ValidationError as error:
            raise self._error("malformed", "A JSON frame without the name of an event came.") from error
        except _UNDECODABLE as error:
            raise self._error("broken_json", "A frame that is not JSON came.") from error
        if event in _EVENTS:
            raise self._error("malformed", f"A {event} message lacks a field, or one is not of its type.")
        self.counts["unknown_event"] += 1
        return None

    def _start(self, message: _Start) -> Started:
        if self._stream_sid is not None:
            raise self._error("second_start", "A second start message came; the first one holds.")
        body = message.start
        if body.stream_sid != message.stream_sid:
            raise self._error("wrong_stream", "The start message names two different streams.")
        if body.media_format != _EXPECTED:
            raise self._error(
                "wrong_format",
                f"The stream carries {_in_words(body.media_format)}; only {_in_words(_EXPECTED)} can be used. "
                "Remove any codec or rate setting from the stream.",
            )
        self._stream_sid = body.stream_sid
        return Started(body.stream_sid, body.call_sid, body.account_sid, body.custom_parameters)

    def _audio(self, body: _MediaBody) -> Audio | None:
        if body.track != "inbound":
            raise self._error("wrong_track", "Audio of another track than the caller's came; it is not listened to.")
        if body.timestamp <= self._timestamp:
            self.counts["repeated_audio"] += 1
            return None
        if self._audio_until is not None and body.timestamp > self._audio_until:
            self.counts["lost_audio_ms"] += body.timestamp - self._audio_until
        self._timestamp = body.timestamp
        self._audio_until = body.timestamp + len(body.payload) // 8
        return Audio(body.timestamp, body.payload)

    def _error(self, reason: str, message: str, *, fatal: bool = False) -> ProtocolError:
        return ProtocolError(reason, message, fatal=fatal or self._stream_sid is None)

    def _name(self) -> str:
        if self._stream_sid is None:
            raise RuntimeError("nothing can be sent before the stream's start message has come")
        return self._stream_sid


def _in_words(form: _Format) -> str:
    return f"{form.encoding} at {form.sample_rate} Hz with {form.channels} channel{'s' if form.channels != 1 else ''}"
