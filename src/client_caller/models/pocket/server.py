"""The HTTP edge: `/v1/audio/speech` for any OpenAI client, and what operators ask."""

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Receive, Scope, Send

from client_caller.models.pocket.desk import Desk, Full, Place
from client_caller.models.pocket.metrics import REGISTRY
from client_caller.models.speech_http import FULL, SpeechRequest, audio_type, refusal


class _Spoken(StreamingResponse):
    """Sound as it is made. However it ends, also when the client went before it began, its place is free."""

    def __init__(self, place: Place, request: SpeechRequest, sample_rate: int) -> None:
        super().__init__(place.speak(request.voice, request.input), media_type=audio_type(sample_rate))
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._place:
            await super().__call__(scope, receive, send)


def make_app(desk: Desk) -> FastAPI:
    app = FastAPI(title="Pocket TTS", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    async def healthz() -> Response:
        state = {"status": "broken" if desk.broken else "ok", "voices": desk.names}
        return JSONResponse(state, 503 if desk.broken else 200)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    @app.post("/v1/audio/speech")
    async def speech(request: SpeechRequest) -> Response:
        if request.voice not in desk.names:
            there_are = ", ".join(desk.names)
            return refusal(404, f"There is no voice {request.voice!r} here; there are: {there_are}.")
        if not any(letter.isalnum() for letter in request.input):
            return refusal(400, "There is nothing to say in this text.")
        try:
            return _Spoken(desk.enter(), request, desk.sample_rate)
        except Full:
            return refusal(503, FULL)

    return app


def configure(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=2
    )
