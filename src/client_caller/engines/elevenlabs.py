"""ElevenLabs' text to speech as it crosses the wire. Sans-I/O; `speech_line` and `speech_socket` hold the connections.

From elevenlabs.io/docs, "Multi-Context WebSocket" (reference and guide). Its facts that shape this file: voice, model,
format and language belong to the connection; text ends with a blank; the last message of a context comes only once it
is closed, and one that is closed after a flush is first spoken to its end, so nothing can cut it short; a connection
takes five contexts, and a sixth drops it; letters come with milliseconds that count from the audio of the same message;
an error has no context, and the connection ends with it. `eleven_v3` has no such endpoint.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.speech_wire import Piece, websocket_address

BASE_URL = "wss://api.elevenlabs.io"
MODEL = "eleven_flash_v2_5"
ROOM = 5
IDLE = 180
"""Seconds that a connection may be idle: the most that the vendor allows, since a new one costs a handshake."""
_LANGUAGE_MODELS = ("eleven_flash_v2_5", "eleven_turbo_v2_5")
"""Models that take a language; others refuse one, or guess it from the text."""


class _Letters(msgspec.Struct, rename={"starts": "charStartTimesMs", "lengths": "charDurationsMs"}):
    chars: list[str] = []
    starts: list[float] = []
    lengths: list[float] = []


class _Message(msgspec.Struct, rename={"context": "contextId", "final": "isFinal"}):
    context: str | None = None
    audio: str | None = None
    alignment: _Letters | None = None
    final: bool | None = None
    error: str | None = None
    message: str = ""


_decode = msgspec.json.Decoder(_Message).decode


class ElevenLabsWire:
    """One voice of one account; implements `speech_wire.Wire`."""

    name = "ElevenLabs"
    key_name = "ELEVENLABS_API_KEY"
    room = ROOM
    times_begin_anew = True

    def __init__(self, *, api_key: str | None, voice: str, model: str = MODEL, base_url: str = BASE_URL) -> None:
        """`voice`: a voice's id. Raises `EngineError` for a base_url that is none."""
        self.api_key = api_key
        origin = websocket_address(base_url, BASE_URL)
        self.address = f"{origin}/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input"
        self.headers: Mapping[str, str] = {"xi-api-key": api_key} if api_key else {}
        self._model = model

    def url(self, language: str) -> str:
        query = {
            "model_id": self._model,
            "output_format": "ulaw_8000",
            "inactivity_timeout": str(IDLE),
            "sync_alignment": "true",
            "auto_mode": "true",
        }
        if self._model in _LANGUAGE_MODELS:
            query["language_code"] = language.partition("-")[0]
        return f"{self.address}?{urlencode(query)}"

    def begin(self, context: str, text: str, language: str) -> Sequence[str]:
        speak = {"text": f"{text} ", "context_id": context, "flush": True}
        close = {"context_id": context, "close_context": True}
        return [msgspec.json.encode(message).decode() for message in (speak, close)]

    def give_up(self, context: str) -> None:
        """It was closed when it began, and what is flushed can't be stopped."""

    def read(self, message: str | bytes) -> Piece | None:
        try:
            said = _decode(message)
            mulaw = b64decode(said.audio or "", validate=True)
        except (msgspec.MsgspecError, ValueError):
            raise ValueError("not a message of ElevenLabs'") from None
        if said.error:
            return Piece(None, error=said.message or said.error, advice=_advice(said.error))
        if said.context is None:
            return None
        return Piece(said.context, mulaw, _letters(said.alignment), done=bool(said.final))


def _letters(alignment: _Letters | None) -> list[tuple[str, int]]:
    if alignment is None:
        return []
    samples = SAMPLE_RATE // 1000
    timed = zip(alignment.chars, alignment.starts, alignment.lengths, strict=False)
    return [(char, round((start + length) * samples)) for char, start, length in timed]


def _advice(error: str) -> str:
    if "api_key" in error or "auth" in error:
        return "Set a valid API key (ELEVENLABS_API_KEY)."
    if "voice" in error or "model" in error:
        return "Check voice and model under [tts]."
    return ""
