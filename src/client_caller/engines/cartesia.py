"""Cartesia's text to speech as it crosses the wire. Sans-I/O; `speech_line` and `speech_socket` hold the connection.

From docs.cartesia.ai, "Text to Speech (WebSocket)" of API version 2026-03-01 and "Concurrency limits and timeouts": one
connection carries dozens of contexts, so a process needs one; mu-law at 8 kHz is a format of its own; word times are
seconds from the beginning of the context; once a context is cancelled, nothing more is made for it.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.speech_wire import Piece, websocket_address

BASE_URL = "wss://api.cartesia.ai"
MODEL = "sonic-3"
VERSION = "2026-03-01"
ROOM = 24
""""Dozens" of contexts, says Cartesia, and gives no number; how many an account may have is the plan's business."""


class _WordTimes(msgspec.Struct):
    words: list[str] = []
    end: list[float] = []


class _Message(msgspec.Struct):
    type: str
    context_id: str | None = None
    data: str = ""
    word_timestamps: _WordTimes | None = None
    title: str = ""
    message: str = ""
    error: str = ""
    """In place of title and message, before version 2026-03-01."""
    status_code: int = 0


_decode = msgspec.json.Decoder(_Message).decode


class CartesiaWire:
    """One voice of one account; implements `speech_wire.Wire`."""

    name = "Cartesia"
    key_name = "CARTESIA_API_KEY"
    room = ROOM
    times_begin_anew = False

    def __init__(self, *, api_key: str | None, voice: str, model: str = MODEL, base_url: str = BASE_URL) -> None:
        """`voice`: a voice's id. Raises `EngineError` for a base_url that is none."""
        self.api_key = api_key
        self.address = f"{websocket_address(base_url, BASE_URL)}/tts/websocket"
        self.headers: Mapping[str, str] = {"Cartesia-Version": VERSION} | ({"X-API-Key": api_key} if api_key else {})
        self._voice = voice
        self._model = model

    def url(self, language: str) -> str:
        return self.address

    def begin(self, context: str, text: str, language: str) -> Sequence[str]:
        request = {
            "model_id": self._model,
            "transcript": text,
            "voice": {"mode": "id", "id": self._voice},
            "language": language.partition("-")[0],
            "context_id": context,
            "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": SAMPLE_RATE},
            "add_timestamps": True,
            "continue": False,
        }
        return [msgspec.json.encode(request).decode()]

    def give_up(self, context: str) -> str:
        return msgspec.json.encode({"context_id": context, "cancel": True}).decode()

    def read(self, message: str | bytes) -> Piece | None:
        try:
            said = _decode(message)
            mulaw = b64decode(said.data, validate=True)
        except (msgspec.MsgspecError, ValueError):
            raise ValueError("not a message of Cartesia's") from None
        if said.type == "error":
            reason = ": ".join(filter(None, (said.title, said.message or said.error)))
            return Piece(said.context_id, error=reason or str(said.status_code), advice=_advice(said))
        if said.context_id is None:
            return None
        times = said.word_timestamps or _WordTimes()
        words = [(word, round(end * SAMPLE_RATE)) for word, end in zip(times.words, times.end, strict=False)]
        return Piece(said.context_id, mulaw, words, done=said.type == "done")


def _advice(said: _Message) -> str:
    if said.status_code in (401, 403):
        return "Set a valid API key (CARTESIA_API_KEY)."
    if said.status_code == 429:
        return "The account has no room for more at a time."
    return "Check voice and model under [tts]." if 400 <= said.status_code < 500 else ""
