"""Realtime transcription as vLLM and our own servers speak it, and what one call's audio has become. Sans-I/O.

The events are those of vLLM's `/v1/realtime` (docs.vllm.ai, "Realtime API"; vllm/entrypoints/openai/realtime), whose
names come from OpenAI's Realtime API. Four of its facts shape this file. The server speaks first: `session.created`. A
`commit` that is not final starts a transcription, a final one ends it, and `transcription.done` answers that. Audio
that arrives between a final commit and its answer is thrown away, so ours waits here. A transcription without any audio
has no answer, so it gets a moment of silence.

Our own servers say more (`models.hearing.wire`): in `session.created` which audio it takes beside 16 kHz PCM, so that
mu-law goes out as it came in; with a delta, `unstable` words behind it that may still change; with the final words how
sure it is of them. It also reads `language` and `hints` of `session.update`, which vLLM leaves unread.
"""

import base64
from collections.abc import Sequence

import msgspec
import numpy as np

from client_caller.audio import g711
from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.audio.resample import Doubler
from client_caller.engines.protocols import Final, Finished, Partial, SttResult
from client_caller.engines.stt_dialect import DialectError, Message

MULAW = "g711_ulaw"
PCM = "pcm16"
MAX_TAIL = 30 * SAMPLE_RATE
"""Samples without final words that are kept for a second connection: what Whisper hears at once."""


class _Event(msgspec.Struct):
    type: str
    input_audio_formats: list[str] = []
    delta: str = ""
    unstable: str = ""
    text: str = ""
    confidence: float | None = None
    error: str | dict[str, object] = ""


_EVENT = msgspec.json.Decoder(_Event)


class RealtimeTranscription:
    """One call's audio on its way to words; implements `Dialect`."""

    def __init__(self, model: str | None, language: str, hints: Sequence[str]) -> None:
        self.keep_alive = self.goodbye = None
        self._model = model
        self._language = language
        self._hints = hints
        self._created = False
        self._format = PCM
        self._doubler = Doubler()
        self._tail = bytearray()
        self._request: int | None = None
        self._text = ""
        self._shown = ""
        self._due: list[Message] = []

    @property
    def ready(self) -> bool:
        return self._created and self._request is None

    def connected(self) -> None:
        """Wait until the server has spoken."""
        self._created = False
        self._text = ""
        self._due = []

    def outgoing(self) -> list[Message]:
        due, self._due = self._due, []
        return due

    def audio(self, mulaw: bytes) -> Message:
        self._tail += mulaw
        del self._tail[:-MAX_TAIL]
        return self._append(mulaw)

    def ask(self, request: int) -> list[Message]:
        self._request = request
        return [*([] if self._tail else [self._append(SILENCE * FRAME)]), _commit(final=True)]

    def received(self, message: Message) -> list[SttResult]:
        try:
            event = _EVENT.decode(message)
        except msgspec.MsgspecError:
            raise DialectError("sent a message that is not its protocol") from None
        match event.type:
            case "session.created":
                self._begin(event)
            case "transcription.delta":
                self._text += event.delta
                return self._partial((self._text + event.unstable).strip())
            case "transcription.done":
                return self._done(event)
            case "error":
                raise DialectError(f"reported: {_said(event) or 'an unnamed error'}")
        return []

    def _begin(self, event: _Event) -> None:
        """Say who is calling, and everything again that has no final words."""
        self._created = True
        self._format = MULAW if MULAW in event.input_audio_formats else PCM
        self._doubler = Doubler()
        update = {"type": "session.update", "input_audio_format": self._format, "language": self._language}
        if self._model:
            update["model"] = self._model
        self._due = [_encode(update | ({"hints": list(self._hints)} if self._hints else {})), _commit(final=False)]
        for start in range(0, len(self._tail), SAMPLE_RATE):
            self._due.append(self._append(bytes(self._tail[start : start + SAMPLE_RATE])))
        if self._request is not None:
            self._due += self.ask(self._request)

    def _done(self, event: _Event) -> list[SttResult]:
        if self._request is None:
            raise DialectError("answered what nobody had asked")
        finished = Finished(self._request)
        self._request = None
        self._tail.clear()
        self._due.append(_commit(final=False))
        words = event.text.strip()
        results: list[SttResult] = [Final(words, event.confidence)] if words else self._partial("")
        self._text = self._shown = ""
        return [*results, finished]

    def _partial(self, words: str) -> list[SttResult]:
        """A guess is news only where it changes something."""
        if words == self._shown:
            return []
        self._shown = words
        return [Partial(words)]

    def _append(self, mulaw: bytes) -> str:
        audio = mulaw
        if self._format == PCM:
            doubled = self._doubler.feed(g711.decode_float(mulaw))
            audio = np.clip(np.rint(doubled * 32768), -32768, 32767).astype("<i2").tobytes()
        return _encode({"type": "input_audio_buffer.append", "audio": base64.b64encode(audio).decode()})


def _commit(*, final: bool) -> str:
    return _encode({"type": "input_audio_buffer.commit", "final": final})


def _encode(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()


def _said(event: _Event) -> str:
    """vLLM's error is a text, OpenAI's an object with a message."""
    return event.error if isinstance(event.error, str) else str(event.error.get("message") or "")
