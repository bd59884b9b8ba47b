"""The ASGI application: webhooks, media streams, and what operators ask."""

import hmac
from collections.abc import Callable

from fastapi import FastAPI, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.websockets import WebSocket

from client_caller.observe.metrics import REGISTRY
from client_caller.server.media import SessionFactory, carry
from client_caller.server.security import Gate
from client_caller.server.switchboard import Past, Switchboard
from client_caller.server.voice import Apology, VoiceWebhooks


def create_app(
    *,
    gate: Gate,
    board: Switchboard,
    open_session: SessionFactory,
    past: Past,
    apology: Apology,
    ready: Callable[[], bool],
    metrics_token: str | None,
) -> FastAPI:
    """Put the edge together.

    `open_session` makes the shell of a call that has just connected. `ready` says whether calls could be answered now.
    Without a `metrics_token` there is no `/metrics`.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)  # nothing to browse: closed by default
    app.include_router(VoiceWebhooks(gate, board, past, apology).routes())

    @app.websocket("/media")
    async def media(websocket: WebSocket) -> None:
        await carry(websocket, gate, board, open_session)

    @app.get("/healthz")
    async def healthz() -> Response:
        """Alive: the event loop answers."""
        return PlainTextResponse("ok")

    @app.get("/readyz")
    async def readyz() -> Response:
        """Whether to send new calls here: 503 while draining, or while the engines are not ready."""
        state = "draining" if board.draining else "ready" if ready() else "not ready"
        return JSONResponse({"state": state, "calls": board.live}, 200 if state == "ready" else 503)

    @app.get("/metrics")
    async def metrics(request: Request) -> Response:
        """Prometheus, for the bearer of the token."""
        if metrics_token is None:
            raise HTTPException(404)
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {metrics_token}".encode()):
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return app
