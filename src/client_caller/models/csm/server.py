"""The HTTP and WebSocket edge: `/v1/audio/speech` for any OpenAI client, and one WebSocket for each call (`wire`).

The first speaks a text and forgets it. The second is what a telephone call uses: one memory, clauses in a queue,
`cancel`, and the caller's words.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress

from fastapi import FastAPI, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from client_caller.models.csm.loop import Full, Line, Loop
from client_caller.models.csm.metrics import Metrics
from client_caller.models.csm.wire import PATH, SAMPLE_RATE, Ended, Failed, Say, Sound, encode, read_request
from client_caller.models.speech_http import FULL, SpeechRequest, audio_type, refusal

_BAD_DATA = 1007
"""RFC 6455: a message that is not what the protocol allows."""
_INTERNAL_ERROR = 1011


def make_app(loop: Loop, voice: str) -> FastAPI:
    """`voice`: the name of the one voice."""
    app = FastAPI(title="CSM", docs_url=None, redoc_url=None, openapi_url=None)
    metrics = Metrics(loop)

    @app.get("/healthz")
    async def healthz() -> Response:
        state = {"status": "broken" if loop.broken else "ok", "voice": voice, "calls": loop.calls, "slots": loop.slots}
        return JSONResponse(state, 503 if loop.broken else 200)

    @app.get("/metrics")
    async def metrics_page() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.post("/v1/audio/speech")
    async def speech(request: SpeechRequest) -> Response:
        if request.voice != voice:
            return refusal(404, f"There is no voice {request.voice!r} here; this server's is {voice!r}.")
        try:
            line = loop.open()
        except Full:
            return refusal(503, FULL)
        sound = _spoken(line, request.input)
        try:
            first = await anext(sound)
        except (StopAsyncIteration, ValueError) as error:
            return refusal(400, str(error) or "There is nothing to say in this text.")
        return StreamingResponse(_behind(first, sound), media_type=audio_type(SAMPLE_RATE))

    @app.websocket(PATH)
    async def call(socket: WebSocket) -> None:
        try:
            line = loop.open()
        except Full:
            await socket.send_denial_response(refusal(503, FULL))
            return
        try:
            await _talk(socket, line)
        finally:
            line.close()

    return app


async def _spoken(line: Line, text: str) -> AsyncGenerator[bytes, None]:
    """The samples of a text, as they come; a `ValueError` where it can't be spoken."""
    try:
        line.ask(Say(0, text))
        async for answer in line:
            match answer:
                case Sound(pcm=pcm):
                    yield pcm
                case Failed(reason=reason):
                    raise ValueError(reason)
                case Ended():
                    return
    finally:
        line.close()


async def _behind(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


async def _talk(socket: WebSocket, line: Line) -> None:
    """Carry one call's messages both ways until it hangs up."""
    await socket.accept()
    answering = asyncio.create_task(_answer(socket, line))
    try:
        while True:
            message = await socket.receive_text()
            line.ask(read_request(message))
    except WebSocketDisconnect:
        pass
    except (ValueError, KeyError):  # a KeyError: a binary message
        await socket.close(_BAD_DATA, "not a message of this protocol")
    finally:
        answering.cancel()
        await asyncio.wait([answering])


async def _answer(socket: WebSocket, line: Line) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # it hung up in the middle of an answer
        async for answer in line:
            message = encode(answer)
            await (socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message))
            if isinstance(answer, Failed) and answer.clause is None:
                await socket.close(_INTERNAL_ERROR, answer.reason)
