"""The laws of the simulated provider, against a real server on a real socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from client_caller.simulator.impairments import Impairments
from client_caller.simulator.network import Refused
from client_caller.simulator.provider import Provider
from client_caller.telephony import twiml
from client_caller.telephony.twilio_stream import Audio, Mark, Started, TwilioStream

TOKEN = "secret"
PUBLIC = "calls.example.com"


class Called:
    """A side that is called: speaks on the first audio, notes everything, and checks every signature."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.answers: dict[str, str] = {"/resume": twiml.hang_up()}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.diary: list[str] = []
        self.close_on_mark = False
        self.app.post("/{path:path}")(self.webhook)
        self.app.websocket("/media")(self.media)
        self.stream = twiml.connect(
            stream_url=f"wss://{PUBLIC}/media",
            stream_status_url=f"https://{PUBLIC}/stream-status",
            resume_url=f"https://{PUBLIC}/resume",
            token="one-time",
        )

    async def webhook(self, request: Request) -> Response:
        fields = {name: str(value) for name, value in (await request.form()).items()}
        signature = request.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(f"https://{PUBLIC}{request.url.path}", fields, signature):
            return Response(status_code=403)
        self.asked.append((request.url.path, fields))
        return Response(self.answers.get(request.url.path, self.stream), media_type=twiml.CONTENT_TYPE)

    async def media(self, websocket: WebSocket) -> None:
        signature = websocket.headers["X-Twilio-Signature"]
        if not RequestValidator(TOKEN).validate(f"wss://{PUBLIC}/media", {}, signature):
            await websocket.close()
            return
        await websocket.accept()
        stream = TwilioStream()
        spoken = False
        try:
            while True:
                message = stream.receive(await websocket.receive_text())
                if isinstance(message, Started):
                    self.diary.append(f"started {message.parameters}")
                elif isinstance(message, Audio) and not spoken:
                    spoken = True
                    await websocket.send_text(stream.media(b"\x11" * 400))
                    await websocket.send_text(stream.mark("said"))
                elif isinstance(message, Mark):
                    self.diary.append(message.name)
                    if self.close_on_mark:
                        await websocket.close()
                        return
                elif message is not None and not isinstance(message, Audio):
                    self.diary.append(type(message).__name__)
        except WebSocketDisconnect as gone:
            self.diary.append(f"disconnected {gone.code}")


class Caller:
    """Listens for so many frames of 20 ms and hangs up."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.heard = b""

    def live(self, heard: bytes) -> bytes | None:
        self.heard += heard
        return b"\xff" * 160 if len(self.heard) < self.frames * 160 else None


@asynccontextmanager
async def serving(app: Callable[..., object]) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="websockets-sansio", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def test_a_signed_call_from_webhook_to_hang_up() -> None:
    """The caller hears exactly what was sent; every request is signed; a caller's hang-up ends the call there."""
    called, caller = Called(), Caller(20)
    async with serving(called.app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN)
        record = await provider.call(caller, caller="+15550123")
    assert (record.how, record.verbs, record.refusals) == ("hung_up", ["Connect"], [])
    assert caller.heard.strip(b"\xff") == b"\x11" * 400
    assert bytes(record.streams[0].played).startswith(caller.heard)
    assert called.diary[:3] == ["started {'token': 'one-time'}", "said", "Stopped"]
    assert [(path, fields.get("StreamEvent", fields.get("CallStatus"))) for path, fields in called.asked] == [
        ("/voice", "ringing"),
        ("/stream-status", "stream-started"),
        ("/stream-status", "stream-stopped"),
    ]
    assert all(fields["CallSid"] == record.call_sid for _, fields in called.asked)
    assert called.asked[0][1]["From"] == "+15550123"


async def test_a_closed_socket_leads_to_the_next_verb() -> None:
    """When our side closes the stream the redirect is followed, with the same CallSid, and may end the call."""
    called = Called()
    called.close_on_mark = True
    async with serving(called.app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN)
        record = await provider.call(Caller(200))
    assert (record.how, record.verbs) == ("completed", ["Connect", "Redirect", "Hangup"])
    assert called.asked[-1] == ("/resume", {**called.asked[0][1], "CallStatus": "in-progress"})


async def test_a_lost_connection_can_be_resumed_in_the_same_call() -> None:
    """After a break the redirect may connect a second stream: same call, same caller, another stream."""
    called, caller = Called(), Caller(30)
    called.answers["/resume"] = called.stream
    async with serving(called.app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN)
        record = await provider.call(caller, impairments=(Impairments(lost_at=0.2), Impairments()))
    assert (record.how, record.verbs) == ("hung_up", ["Connect", "Redirect", "Connect"])
    first, second = record.streams
    assert first.identity.call_sid == second.identity.call_sid == record.call_sid
    assert first.identity.stream_sid != second.identity.stream_sid
    assert called.diary[2].startswith("disconnected")
    assert caller.heard.count(b"\x11") == 800


async def test_a_refused_handshake_is_recorded_and_the_call_goes_on() -> None:
    """A wrong signature on the stream costs the stream; the next verb still runs."""
    called = Called()
    called.stream = called.stream.replace("/media", "/media/")  # the signature is made over what the TwiML says
    called.app.websocket("/media/")(called.media)
    async with serving(called.app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN)
        record = await provider.call(Caller(20))
    assert record.verbs == ["Connect", "Redirect", "Hangup"]
    assert record.streams == []
    assert "403" in record.refusals[0]


async def test_a_wrong_account_is_not_let_in() -> None:
    """With another auth token the first webhook already fails, loudly."""
    async with serving(Called().app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token="forged")
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            await provider.call(Caller(20))


@pytest.mark.parametrize(
    ("answer", "how", "said"),
    [
        (twiml.busy(), "rejected", []),
        (twiml.apologise("Sorry.", "en-GB"), "completed", ["Sorry."]),
        ("<Response/>", "completed", []),
    ],
)
async def test_a_call_may_end_without_a_stream(answer: str, how: str, said: list[str]) -> None:
    """Refusals and apologies are carried out; TwiML that has run out of verbs ends the call."""
    called = Called()
    called.answers["/voice"] = answer
    async with serving(called.app) as address:
        record = await Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN).call(Caller(20))
    assert (record.how, record.said) == (how, said)


@pytest.mark.parametrize(
    "answer",
    [
        "no xml",
        "<Other/>",
        "<Response><Dance/></Response>",
        "<Response><Connect/></Response>",
        f'<Response><Connect><Stream url="wss://{PUBLIC}/media?token=1"/></Connect></Response>',
        '<Response><Connect><Stream url="wss://elsewhere.example/media"/></Connect></Response>',
        f"<Response><Redirect>https://{PUBLIC}/voice</Redirect></Response>",
    ],
)
async def test_twiml_that_twilio_would_not_carry_out_is_an_error(answer: str) -> None:
    """What would end a real call with an application error fails the simulated one, and nothing goes on for ever."""
    called = Called()
    called.answers["/voice"] = answer
    async with serving(called.app) as address:
        provider = Provider(f"https://{PUBLIC}/voice", reach=address, auth_token=TOKEN)
        with pytest.raises(Refused):
            await provider.call(Caller(20))


async def test_a_webhook_that_breaks_off_is_tried_again() -> None:
    """A server that answers the second try still gets the call; without a second try it is an error."""
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"\r\n\r\n")
        if asked % 2 == 0:
            body = twiml.busy().encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/voice"
        assert (await Provider(url, retries=1).call(Caller(20))).how == "rejected"
        with pytest.raises(httpx.TransportError):
            await Provider(url, retries=0).call(Caller(20))
    assert asked == 3
