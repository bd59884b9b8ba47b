"""Speech to text behind Deepgram's live WebSocket: the caller's mu-law goes out as it came in."""

from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines import server_text
from client_caller.engines.deepgram_wire import Transcription
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.engines.stt_socket import CLOSE_PATIENCE, OPEN_PATIENCE, SttSocket

MAX_HINTS = 50
"""Deepgram advises 20 to 50 key terms; beyond 500 tokens of them it stops transcribing without a word."""


class Deepgram:
    """One account or server, for any number of calls; implements `SpeechToText`. Each call has its own connection."""

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str = "wss://api.deepgram.com",
        model: str = "nova-3",
        language: str | None = None,
        endpointing: int = 300,
        finish_patience: float = 0.8,
    ) -> None:
        """`language` None: the call's. `endpointing`: milliseconds of silence after which Deepgram makes words final
        on its own; its guide for conversations has 300, and `finish` does not wait for it. `finish_patience`: seconds
        after which `finish` counts as answered; Deepgram's slowest one in a hundred take about 0.35 s.
        """
        self._address = _address(base_url)
        self._api_key = api_key
        self._model = model
        self._language = language
        self._endpointing = endpointing
        self._finish_patience = finish_patience

    async def open(self, context: CallContext) -> SttSocket:
        """Connect for one call. The first 50 of `context.hints` are given as key terms. Raises `EngineError`."""
        url = f"{self._address}?{urlencode(self._query(context))}"

        async def connected() -> ClientConnection:
            return await self._connect(url)

        place = f"Deepgram at {self._address}"
        return SttSocket(place, Transcription(), connected, await connected(), self._finish_patience)

    async def close(self) -> None:
        """Nothing is shared between calls."""

    def _query(self, context: CallContext) -> list[tuple[str, str]]:
        hint = "keyterm" if self._model.startswith("nova-3") else "keywords"
        return [
            ("model", self._model),
            ("language", self._language or context.language),
            ("encoding", "mulaw"),
            ("sample_rate", str(SAMPLE_RATE)),
            ("channels", "1"),
            ("interim_results", "true"),
            ("punctuate", "true"),
            ("endpointing", str(self._endpointing)),
            *((hint, text) for text in context.hints[:MAX_HINTS]),
        ]

    async def _connect(self, url: str) -> ClientConnection:
        try:
            return await connect(
                url,
                additional_headers={"Authorization": f"Token {self._api_key}"} if self._api_key else {},
                compression=None,
                open_timeout=OPEN_PATIENCE,
                close_timeout=CLOSE_PATIENCE,
                ping_interval=5,
                ping_timeout=5,
            )
        except InvalidStatus as error:
            raise self._refused(error) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise EngineError(
                "stt", f"Deepgram at {self._address} can't be reached ({type(error).__name__}). Is base_url right?"
            ) from None

    def _refused(self, error: InvalidStatus) -> EngineError:
        status = error.response.status_code
        told = error.response.headers.get("dg-error") or server_text.message_of(bytes(error.response.body or b""))
        said = server_text.printable(told, self._api_key, ())
        advice = "Set a valid API key (DEEPGRAM_API_KEY)." if status in (401, 403) else "Check model and language."
        reason = f"Deepgram at {self._address} refused the call: {status}{f', {said}' if said else ''}. {advice}"
        return EngineError("stt", reason)


def _address(base_url: str) -> str:
    """Where to connect, from what people write: ws or http, with or without `/v1`."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise EngineError("stt", "The base_url of stt is not a WebSocket address. It looks like wss://api.deepgram.com")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/').removesuffix('/v1')}/v1/listen"
