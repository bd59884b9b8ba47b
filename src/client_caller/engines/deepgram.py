"""Speech to text behind Deepgram's live WebSocket: the caller's mu-law goes out as it came in."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from client_caller.audio.g711 import FRAME, SAMPLE_RATE
from client_caller.engines import server_text
from client_caller.engines.deepgram_wire import CLOSE_STREAM, FINALIZE, KEEP_ALIVE, DeepgramError, Transcription
from client_caller.engines.protocols import CallContext, EngineError, Finished, Partial, SttResult

OPEN_PATIENCE = 3.0
"""Seconds for a connection, TLS and handshake together."""
CLOSE_PATIENCE = 0.5
"""Seconds for a polite end; then the connection is cut."""
KEEP_ALIVE_AFTER = 4.0
"""Seconds without audio before a `KeepAlive`: Deepgram asks for one every 3 to 5 s and hangs up after 10 s."""
MAX_WAITING = 5 * SAMPLE_RATE
"""Samples that wait to be sent before the oldest are dropped."""
MESSAGE = 3 * FRAME
"""Samples that make a message, unless a request flushes them: a third of the messages for a third of their cost (1.25
ms of CPU for each second of a call when sent frame by frame), and nothing later but guesses, by at most 40 ms."""
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

    async def open(self, context: CallContext) -> "DeepgramStream":
        """Connect for one call. The first 50 of `context.hints` are given as key terms. Raises `EngineError`."""
        url = f"{self._address}?{urlencode(self._query(context))}"

        async def connected() -> ClientConnection:
            return await self._connect(url)

        return DeepgramStream(self._address, connected, await connected(), self._finish_patience)

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


class DeepgramStream:
    """One call's ear; implements `SttStream`.

    One task holds the connection and reads, one writes; audio waits in a bounded queue between. A lost connection is
    made anew once in a call, and gets the audio (at most 5 s) for which no final had come.
    """

    def __init__(
        self,
        address: str,
        connected: Callable[[], Awaitable[ClientConnection]],
        socket: ClientConnection,
        finish_patience: float,
    ) -> None:
        self.dropped = 0
        """Samples that were never sent because the connection was slower than speech."""
        self._address = address
        self._connected = connected
        self._socket = socket
        self._finish_patience = finish_patience
        self._transcription = Transcription()
        self._outbox: deque[bytes | int] = deque()
        self._waiting = 0
        self._to_send = asyncio.Event()
        self._unfinished: dict[int, asyncio.TimerHandle] = {}
        self._results: deque[SttResult] = deque()
        self._to_give = asyncio.Event()
        self._failure: EngineError | None = None
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="deepgram")

    def feed(self, mulaw: bytes) -> None:
        """Take some audio; when more than 5 s wait to be sent, the oldest is dropped and counted."""
        if self._task.done():
            return
        self._outbox.append(mulaw)
        self._waiting += len(mulaw)
        while self._waiting > MAX_WAITING:
            oldest = next(i for i, item in enumerate(self._outbox) if isinstance(item, bytes))
            lost = cast(bytes, self._outbox[oldest])
            del self._outbox[oldest]
            self._waiting -= len(lost)
            self.dropped += len(lost)
        if self._waiting >= MESSAGE:
            self._to_send.set()

    def finish(self, request: int) -> None:
        """Ask for the final words; answered by `Finished(request)`, after `finish_patience` at the latest."""
        if self._task.done():
            return
        loop = asyncio.get_running_loop()
        self._unfinished[request] = loop.call_later(self._finish_patience, self._give, Finished(request))
        self._outbox.append(request)
        self._to_send.set()

    async def __aiter__(self) -> AsyncIterator[SttResult]:
        while not self._closed:
            if self._results:
                yield self._results.popleft()
            elif self._failure is not None:
                raise self._failure
            else:
                self._to_give.clear()
                await self._to_give.wait()

    async def close(self) -> None:
        self._closed = True
        self._to_give.set()
        self._forget_requests()
        self._task.cancel()
        await asyncio.wait([self._task])
        await _hang_up(self._socket)

    def _forget_requests(self) -> None:
        for timer in self._unfinished.values():
            timer.cancel()
        self._unfinished.clear()

    def _give(self, result: SttResult) -> None:
        if isinstance(result, Finished):
            timer = self._unfinished.pop(result.request, None)
            if timer is None:
                return  # Answered before, or given up.
            timer.cancel()
        if isinstance(result, Partial) and self._results and isinstance(self._results[-1], Partial):
            self._results.pop()
        self._results.append(result)
        self._to_give.set()

    async def _run(self) -> None:
        """Hold a connection until the call closes it, or until a second one is lost."""
        try:
            await self._serve(self._socket)
            lost = self._socket
            self._socket = await self._connected()
            await self._serve(self._socket)
            raise EngineError("stt", f"Deepgram at {self._address} broke two connections{_why(lost, self._socket)}.")
        except EngineError as error:
            self._failure = error
        except DeepgramError as error:
            said = server_text.printable(str(error), None, ())
            self._failure = EngineError("stt", f"Deepgram at {self._address} {said}.")
        self._forget_requests()
        self._to_give.set()
        await _hang_up(self._socket)

    async def _serve(self, socket: ClientConnection) -> None:
        """Read until the connection is gone."""
        writer = asyncio.create_task(self._write(socket), name="deepgram writer")
        try:
            async for message in socket:
                for result in self._transcription.received(message):
                    self._give(result)
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _write(self, socket: ClientConnection) -> None:
        """Send what waits, in order. What goes out is noted first: whether it arrived or not, the tail then has it."""
        with suppress(ConnectionClosed):
            tail, finalize = self._transcription.reconnected()
            for start in range(0, len(tail), SAMPLE_RATE):
                await socket.send(tail[start : start + SAMPLE_RATE])
            if finalize:
                await socket.send(FINALIZE)
            self._to_send.set()
            while True:
                await self._work(socket)
                while self._outbox:
                    if audio := self._waiting_audio():
                        self._transcription.sent(audio)
                        await socket.send(audio)
                    else:
                        self._transcription.asked(cast(int, self._outbox.popleft()))
                        await socket.send(FINALIZE)

    async def _work(self, socket: ClientConnection) -> None:
        """Wait until there is something to send, and keep the connection alive meanwhile."""
        while not self._to_send.is_set():
            try:
                async with asyncio.timeout(KEEP_ALIVE_AFTER):
                    await self._to_send.wait()
            except TimeoutError:
                await socket.send(KEEP_ALIVE)
        self._to_send.clear()

    def _waiting_audio(self) -> bytes:
        """All audio that waits before the next request, taken out of the queue."""
        frames = []
        while self._outbox and isinstance(self._outbox[0], bytes):
            frames.append(cast(bytes, self._outbox.popleft()))
        audio = b"".join(frames)
        self._waiting -= len(audio)
        return audio


async def _hang_up(socket: ClientConnection) -> None:
    """Say goodbye, so that Deepgram stops at once; cut the line if that takes long."""
    try:
        async with asyncio.timeout(CLOSE_PATIENCE):
            await socket.send(CLOSE_STREAM)
            await socket.close()
    except (ConnectionClosed, TimeoutError):
        socket.transport.abort()


def _why(*sockets: ClientConnection) -> str:
    reasons = [f"{socket.close_code} {socket.close_reason}".strip() for socket in sockets if socket.close_code]
    return f" ({server_text.printable('; '.join(reasons), None, ())})" if reasons else ""


def _address(base_url: str) -> str:
    """Where to connect, from what people write: ws or http, with or without `/v1`."""
    parts = urlsplit(base_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise EngineError("stt", "The base_url of stt is not a WebSocket address. It looks like wss://api.deepgram.com")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/').removesuffix('/v1')}/v1/listen"
