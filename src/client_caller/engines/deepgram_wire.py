"""Deepgram's live transcription as it crosses the wire, and what one call's audio has become. Sans-I/O.

From developers.deepgram.com, "Live Audio", "Finalize", "Audio Keep Alive" and "Close Stream". Two of its facts shape
this file. `Finalize` is answered by a result with `from_finalize`, whose transcript is empty where the engine's own
endpointing was faster; and it may go unanswered where hardly any audio was waiting. So a request counts as answered
by whatever final result reaches past the audio before it.
"""

from collections import deque
from dataclasses import dataclass

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.protocols import Final, Finished, Partial, SttResult
from client_caller.engines.stt_dialect import DialectError, Message

FINALIZE = '{"type":"Finalize"}'
KEEP_ALIVE = '{"type":"KeepAlive"}'
CLOSE_STREAM = '{"type":"CloseStream"}'

MAX_TAIL = 5 * SAMPLE_RATE
"""Samples of audio without a final that are kept for a second connection."""
_SLACK = SAMPLE_RATE // 10
"""Samples that a final may end before a request: 0.1 s, the length of silence after which a request is made."""


class _Alternative(msgspec.Struct):
    transcript: str = ""
    confidence: float | None = None


class _Channel(msgspec.Struct):
    alternatives: list[_Alternative] = []


class _Results(msgspec.Struct, tag="Results"):
    channel: _Channel
    start: float = 0.0
    duration: float = 0.0
    """Seconds of the connection's audio."""
    is_final: bool = False
    from_finalize: bool = False


class _Error(msgspec.Struct, tag="Error"):
    description: str = ""
    message: str = ""


class _Named(msgspec.Struct):
    type: str


_NAME = msgspec.json.Decoder(_Named)
_MESSAGE = msgspec.json.Decoder(_Results | _Error)


@dataclass(slots=True)
class _Waiting:
    request: int
    position: int
    """Samples sent on this connection before the request."""


class Transcription:
    """One call's audio on its way to words, over one connection after another; implements `Dialect`.

    Positions are samples on the present connection, whose clock starts at zero.
    """

    def __init__(self) -> None:
        self._tail = bytearray()
        self._tail_start = 0
        self._waiting: deque[_Waiting] = deque()
        self._partial = False
        self._due: list[Message] = []
        self.keep_alive, self.goodbye, self.ready = KEEP_ALIVE, CLOSE_STREAM, True

    def connected(self) -> None:
        """What has no final goes out once more, a second of it at a time."""
        tail, asked = self.reconnected()
        pieces = [tail[start : start + SAMPLE_RATE] for start in range(0, len(tail), SAMPLE_RATE)]
        self._due = [*pieces, *([FINALIZE] if asked else [])]

    def outgoing(self) -> list[Message]:
        due, self._due = self._due, []
        return due

    def audio(self, mulaw: bytes) -> Message:
        self.sent(mulaw)
        return mulaw

    def ask(self, request: int) -> list[Message]:
        self.asked(request)
        return [FINALIZE]

    def sent(self, mulaw: bytes) -> None:
        """This audio goes out now."""
        self._tail += mulaw
        self._cut_tail(self._sent - MAX_TAIL)

    def asked(self, request: int) -> None:
        """A `Finalize` goes out now, behind all audio sent so far."""
        self._waiting.append(_Waiting(request, self._sent))

    def reconnected(self) -> tuple[bytes, bool]:
        """The clock starts anew: what has to be sent first is the audio that has no final, and whether a `Finalize`."""
        for waiting in self._waiting:
            waiting.position -= self._tail_start
        self._tail_start = 0
        return bytes(self._tail), bool(self._waiting)

    def received(self, text: str | bytes) -> list[SttResult]:
        """What a message says. A request may be answered twice over; the first counts. Raises `DialectError`."""
        try:
            if _NAME.decode(text).type not in ("Results", "Error"):
                return []  # Metadata, SpeechStarted, UtteranceEnd, and what is yet to be invented.
            message = _MESSAGE.decode(text)
        except msgspec.MsgspecError:
            raise DialectError("sent a message that is not its protocol") from None
        if isinstance(message, _Error):
            raise DialectError(f"reported: {message.description or message.message or 'an unnamed error'}")
        alternative = message.channel.alternatives[0] if message.channel.alternatives else _Alternative()
        words = alternative.transcript.strip()
        if not message.is_final:
            return self._interim(words)
        end = round((message.start + message.duration) * SAMPLE_RATE)
        self._cut_tail(end)
        results: list[SttResult] = [Final(words, alternative.confidence)] if words else self._interim("")
        self._partial = False
        return results + self._answered(end, message.from_finalize)

    @property
    def _sent(self) -> int:
        return self._tail_start + len(self._tail)

    def _interim(self, words: str) -> list[SttResult]:
        """An empty guess is news only where it takes back words."""
        if not words and not self._partial:
            return []
        self._partial = bool(words)
        return [Partial(words)]

    def _cut_tail(self, position: int) -> None:
        done = min(max(0, position - self._tail_start), len(self._tail))
        del self._tail[:done]
        self._tail_start += done

    def _answered(self, end: int, from_finalize: bool) -> list[Finished]:
        answered: list[Finished] = []
        while self._waiting and self._waiting[0].position <= end + _SLACK:
            answered.append(Finished(self._waiting.popleft().request))
        if from_finalize and not answered and self._waiting:
            answered.append(Finished(self._waiting.popleft().request))
        return answered
