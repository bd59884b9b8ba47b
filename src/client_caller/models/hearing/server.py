"""The server: one WebSocket for each call, and what operators ask."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response, WebSocket
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse
from starlette.websockets import WebSocketDisconnect

from client_caller.audio import g711
from client_caller.audio.resample import Downsampler
from client_caller.audio.voices import Voice, VoiceBatch
from client_caller.models.hearing import wire
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.metrics import AUDIO, CALLS, REFUSED, REGISTRY
from client_caller.models.hearing.recogniser import Floats, Listener, Recogniser

log = logging.getLogger(__name__)

PIECE = 512
"""Samples that go through voice activity detection at a time: it takes two windows in a run, and drops beyond 1 s."""
MAX_BACKLOG = 60.0
"""Seconds of one call's audio: two of Whisper's windows. Speech never comes faster than it is spoken; a file may."""
RETRY_AFTER = 2
"""Seconds after which a refused call may try again: calls end, and so do the bursts that made answers slow."""


class Ears:
    """Who speaks, of all calls."""

    def __init__(self, silero: Path) -> None:
        self._voices = VoiceBatch(silero)
        self._listeners: dict[Voice, Listener] = {}

    def join(self, listener: Listener) -> Voice:
        voice = self._voices.join()
        self._listeners[voice] = listener
        return voice

    def leave(self, voice: Voice) -> None:
        voice.leave()
        self._listeners.pop(voice, None)

    def hear(self, voice: Voice, mulaw: bytes) -> None:
        """Take one call's next audio; every listener is told what is heard."""
        for start in range(0, len(mulaw), PIECE):
            voice.feed(mulaw[start : start + PIECE])
            for heard in self._voices.run():
                self._listeners[heard.voice].voice(heard.samples_through, heard.probability)


class Call:
    """One connection: its messages in, its events out."""

    def __init__(self, recogniser: Recogniser, ears: Ears) -> None:
        self.outbox: asyncio.Queue[str] = asyncio.Queue()
        self.failed = False
        """The recogniser did: the connection is of no more use."""
        self._recogniser = recogniser
        self._ears = ears
        self._format: wire.Format = "pcm16"
        self._wishes = Wishes()
        self._listener: Listener | None = None
        self._voice: Voice | None = None
        self._narrow: Downsampler | None = None

    def receive(self, message: str | bytes) -> None:
        """Raises `wire.WireError`."""
        match wire.decode(message):
            case wire.Update() as update:
                if self._listener is not None:
                    raise wire.WireError("too_late", "session.update counts before the first audio only")
                self._wishes = update.wishes(self._recogniser.languages)
                self._format = update.input_audio_format
            case wire.Append() as append:
                self._hear(append.samples(self._format))
            case wire.Commit(final=True):
                self._begun().finish()

    def close(self) -> None:
        if self._listener is not None and self._voice is not None:
            self._listener.close()
            self._ears.leave(self._voice)

    def _hear(self, samples: Floats) -> None:
        listener = self._begun()
        assert self._voice is not None
        if listener.backlog > MAX_BACKLOG:
            raise wire.WireError("too_fast", "audio comes faster than it can be transcribed; this piece was dropped")
        AUDIO.inc(len(samples) / wire.RATES[self._format])
        listener.feed(samples)
        heard = samples if self._narrow is None else self._narrow.feed(samples)
        self._ears.hear(self._voice, g711.encode_float(heard))

    def _begun(self) -> Listener:
        if self._listener is None:
            rate = wire.RATES[self._format]
            self._listener = self._recogniser.listen(self._tell, rate=rate, wishes=self._wishes)
            self._voice = self._ears.join(self._listener)
            self._narrow = Downsampler(rate) if rate > g711.SAMPLE_RATE else None
        return self._listener

    def _tell(self, event: Guess | Final | BaseException) -> None:
        if isinstance(event, BaseException):
            log.error("the recogniser failed: %s", type(event).__name__, exc_info=event)
            self.failed = True
            self.outbox.put_nowait(wire.error("the recogniser failed; see the server's log", "processing_error"))
        else:
            self.outbox.put_nowait(wire.told(event))


def create_app(recogniser: Recogniser, ears: Ears, *, model: str, slowest: float) -> FastAPI:
    """`model`: its name, for `/healthz`. `slowest`: seconds; while one in twenty answers takes longer than that, and
    there are calls, no more are taken. The recogniser works as long as the application does.
    """
    calls: set[Call] = set()
    batcher = recogniser.batcher

    @asynccontextmanager
    async def working(app: FastAPI) -> AsyncIterator[None]:
        work = asyncio.create_task(batcher.run(), name="hearing")
        yield
        work.cancel()
        await asyncio.wait([work])
        await batcher.close()

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=working)

    def full() -> bool:
        return bool(calls) and batcher.slowest > slowest

    @app.websocket("/v1/realtime")
    async def realtime(websocket: WebSocket) -> None:
        if full():
            REFUSED.inc()
            reason = {"detail": f"Answers take {batcher.slowest:.1f} s at present: no more calls."}
            await websocket.send_denial_response(JSONResponse(reason, 503, headers={"Retry-After": str(RETRY_AFTER)}))
            return
        await websocket.accept()
        call = Call(recogniser, ears)
        calls.add(call)
        CALLS.set(len(calls))
        try:
            await _carry(websocket, call)
        finally:
            call.close()
            calls.discard(call)
            CALLS.set(len(calls))

    @app.get("/healthz")
    async def healthz() -> Response:
        """503 only where the recogniser fails, which a new start may mend; a full server is a healthy one."""
        status = "broken" if batcher.broken else "full" if full() else "ok"
        return JSONResponse({"status": status, "model": model, "calls": len(calls)}, 503 if batcher.broken else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return app


async def _carry(websocket: WebSocket, call: Call) -> None:
    """Until the client goes or the recogniser fails."""

    async def speak() -> None:
        while True:
            await websocket.send_text(await call.outbox.get())
            if call.failed and call.outbox.empty():
                await websocket.close(1011)
                return

    call.outbox.put_nowait(wire.created())
    speaking = asyncio.create_task(speak(), name="hearing events")
    try:
        while (message := await websocket.receive())["type"] != "websocket.disconnect":
            try:
                call.receive(message.get("text") or message.get("bytes") or b"")
            except wire.WireError as error:
                call.outbox.put_nowait(wire.error(str(error), error.code))
    finally:
        speaking.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            await speaking


def configure(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves it, on a socket that is bound already."""
    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=wire.MAX_MESSAGE,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
