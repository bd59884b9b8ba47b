"""The events that our server and its clients exchange.

Names and fields are those of vLLM's `/v1/realtime` (see `engines.realtime_wire`); a client of vLLM's finds what it
expects. Beyond them: `session.created` says which audio is taken; `session.update` may choose it, the language ("auto":
whichever is spoken) and the hints; a delta has `unstable` words behind it; `transcription.done` has words with times.
"""

import base64
import binascii
import re
from typing import Literal
from uuid import uuid4

import msgspec
import numpy as np

from client_caller.audio import g711
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.recogniser import Floats
from client_caller.models.hearing.words import text_of

Format = Literal["pcm16", "g711_ulaw"]
RATES: dict[Format, int] = {"pcm16": 16_000, "g711_ulaw": 8_000}
"""What can be sent, and its samples a second."""
MAX_MESSAGE = 1 << 18
"""Bytes of a message: six seconds of audio at 16 kHz, which are heard for speech in one go."""
MAX_HINTS = 50
"""Phrases of a prompt; the recogniser cuts it off at its own limit of tokens."""


class WireError(Exception):
    """A message that can't be used. `str(error)` says why, and repeats nothing of it."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Update(msgspec.Struct, tag="session.update"):
    """Who is calling. Counts before the first audio."""

    model: str | None = None
    input_audio_format: Format = "pcm16"
    language: str | None = None
    """BCP 47, or "auto", which is also meant where none is given."""
    prompt: str = ""
    hints: list[str] = []

    def wishes(self, languages: frozenset[str]) -> Wishes:
        """What a session is told. Raises `WireError` for a language that is not one of `languages`."""
        prompt = " ".join(part for part in (self.prompt.strip(), ", ".join(self.hints[:MAX_HINTS])) if part)
        spoken = (self.language or "auto").lower().replace("_", "-").split("-")[0]
        if spoken != "auto" and spoken not in languages:
            known = ", ".join(sorted(languages))
            raise WireError("unknown_language", f"this model does not know that language; it knows {known}")
        return Wishes(None if spoken == "auto" else spoken, prompt)


class Append(msgspec.Struct, tag="input_audio_buffer.append"):
    """Some more audio."""

    audio: str
    """Base64."""

    def samples(self, written: Format) -> Floats:
        """(n,), between -1 and 1. Raises `WireError`."""
        try:
            raw = base64.b64decode(self.audio, validate=True)
        except (binascii.Error, ValueError):
            raise WireError("invalid_audio", "audio is not base64") from None
        if written == "g711_ulaw":
            return g711.decode_float(raw)
        if len(raw) % 2:
            raise WireError("invalid_audio", "audio has half a sample: pcm16 takes two bytes each")
        return np.frombuffer(raw, "<i2").astype(np.float32) / np.float32(32768)


class Commit(msgspec.Struct, tag="input_audio_buffer.commit"):
    """Final: give the final words of everything so far. Else nothing here: vLLM begins to listen then."""

    final: bool = False


_MESSAGE = msgspec.json.Decoder(Update | Append | Commit)


def decode(message: str | bytes) -> Update | Append | Commit:
    """A client's message. Raises `WireError`."""
    try:
        event: Update | Append | Commit = _MESSAGE.decode(message)
    except msgspec.ValidationError as error:
        if "Invalid value" in str(error) and "$.type" in str(error):
            raise WireError("unknown_event", "there is no event of that type") from None
        raise WireError("invalid_event", f"the event has a wrong field: {_place(error)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WireError("invalid_json", "the message is not JSON") from None
    return event


def created() -> str:
    return _encode({"type": "session.created", "id": f"sess-{uuid4().hex}", "input_audio_formats": list(RATES)})


def told(event: Guess | Final) -> str:
    """What a session tells, as a message."""
    if isinstance(event, Guess):
        return _encode({"type": "transcription.delta", "delta": event.delta, "unstable": event.unstable})
    words = [
        {"word": word.text, "start": word.start, "end": word.end, "confidence": word.confidence} for word in event.words
    ]
    done = {"type": "transcription.done", "text": text_of(event.words), "language": event.language, "words": words}
    return _encode(done | ({} if event.confidence is None else {"confidence": event.confidence}))


def error(reason: str, code: str) -> str:
    return _encode({"type": "error", "error": reason, "code": code})


def _encode(event: dict[str, object]) -> str:
    return msgspec.json.encode(event).decode()


def _place(error: msgspec.ValidationError) -> str:
    """Where in the message, without its content."""
    named = re.search(r"at `\$\.([\w.\[\]]+)`|field `(\w+)`", str(error))
    return (named[1] or named[2]) if named else "the message itself"
