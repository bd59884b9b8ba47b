"""Speech to text on one's own machines: our own server, or any that speaks vLLM's realtime transcription."""

from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from client_caller.engines import server_text
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.engines.realtime_wire import RealtimeTranscription
from client_caller.engines.stt_socket import CLOSE_PATIENCE, OPEN_PATIENCE, SttSocket

BASE_URL = "ws://127.0.0.1:8002"
"""Where `client-caller models serve whisper` and `... nemotron` listen."""
MAX_MESSAGE = 1 << 20
"""Bytes: the words of any one turn are far fewer."""


class RealtimeStt:
    """One server, for any number of calls; implements `SpeechToText`. Each call has its own connection."""

    def __init__(
        self,
        *,
        base_url: str = BASE_URL,
        model: str | None = None,
        api_key: str | None = None,
        language: str | None = None,
        finish_patience: float = 1.5,
    ) -> None:
        """`model`: its name at the server; ours has but one. `language` None: the call's; "auto": our server finds it
        out. `finish_patience`: seconds after which `finish` counts as answered; a conversation waits no longer."""
        self._address = _address(base_url)
        self._model = model
        self._api_key = api_key
        self._language = language
        self._finish_patience = finish_patience

    async def open(self, context: CallContext) -> SttSocket:
        """Connect for one call; its hints go along. Raises `EngineError`."""
        dialect = RealtimeTranscription(self._model, self._language or context.language, context.hints)
        place = f"Speech to text at {self._address}"
        return SttSocket(place, dialect, self.connect, await self.connect(), self._finish_patience)

    async def close(self) -> None:
        """Nothing is shared between calls."""

    async def connect(self) -> ClientConnection:
        """A connection for one call, on which nothing was said yet. Raises `EngineError`."""
        try:
            return await connect(
                self._address,
                additional_headers={"Authorization": f"Bearer {self._api_key}"} if self._api_key else {},
                compression=None,
                max_size=MAX_MESSAGE,
                open_timeout=OPEN_PATIENCE,
                close_timeout=CLOSE_PATIENCE,
                ping_interval=5,
                ping_timeout=5,
            )
        except InvalidStatus as error:
            raise self._refused(error) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise EngineError(
                "stt",
                f"Speech to text at {self._address} can't be reached ({type(error).__name__}). Is base_url right, and "
                "does the server run (client-caller models serve whisper, or nemotron)?",
            ) from None

    def _refused(self, error: InvalidStatus) -> EngineError:
        status = error.response.status_code
        said = server_text.printable(server_text.message_of(bytes(error.response.body or b"")), self._api_key, ())
        advice = {
            401: " Set its API key (api_key under [stt]).",
            403: " Is base_url right? vLLM serves this path only for models that transcribe while they listen.",
            404: " Is base_url right?",
            503: f" It has all the calls that it can bear{_later(error)}.",
        }.get(status, "")
        told = f", {said}" if said else ""
        return EngineError("stt", f"Speech to text at {self._address} refused the call: {status}{told}.{advice}")


def _later(error: InvalidStatus) -> str:
    seconds = error.response.headers.get("Retry-After", "")
    return f"; it asks to be tried again in {seconds} s" if seconds.isdigit() else ""


def _address(base_url: str) -> str:
    """Where to connect, from what people write: ws or http, with or without `/v1`."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise EngineError("stt", f"The base_url of stt is not a WebSocket address. It looks like {BASE_URL}")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/').removesuffix('/v1')}/v1/realtime"
