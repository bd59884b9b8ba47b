"""A real server on a loopback port, and a provider that calls it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from xml.etree.ElementTree import Element, fromstring

import httpx
import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect

from client_caller.calls.call import Call
from client_caller.conversation.history import Entry
from client_caller.server.app import create_app
from client_caller.server.media import SessionFactory
from client_caller.server.run import listen, serve
from client_caller.server.security import Gate
from client_caller.server.switchboard import Earlier, Past, Switchboard
from client_caller.server.voice import Apology
from client_caller.simulator.echo import EchoSession
from client_caller.telephony.leg import Leg
from client_caller.telephony.signature import PublicUrl, SignatureCheck
from client_caller.telephony.tokens import StreamTokens

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://calls.example.com"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Memory:
    """A past that tests write themselves."""

    def __init__(self) -> None:
        self.calls: dict[str, Earlier] = {}

    async def find(self, provider_id: str) -> Earlier | None:
        return self.calls.get(provider_id)


class Stream:
    """The provider's end of one media stream."""

    def __init__(self, socket: ClientConnection, call: str) -> None:
        self.socket = socket
        self.call = call
        self.name = "MZ" + call
        self.now = 155

    async def say(self, message: object) -> None:
        await self.socket.send(json.dumps(message))

    async def start(self, token: str | None, **changes: Any) -> Self:
        await self.say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        body = {"accountSid": "AC1", "streamSid": self.name, "callSid": self.call, "tracks": ["inbound"]}
        parameters = {} if token is None else {"customParameters": {"token": token}}
        await self.event("start", start=body | {"mediaFormat": FORMAT} | parameters | changes)
        return self

    async def event(self, event: str, **body: Any) -> None:
        await self.say({"event": event, "sequenceNumber": "1", "streamSid": self.name} | body)

    async def audio(self, mulaw: bytes) -> None:
        payload = base64.b64encode(mulaw).decode()
        await self.event("media", media={"track": "inbound", "timestamp": str(self.now), "payload": payload})
        self.now += len(mulaw) // 8

    async def press(self, digit: str) -> None:
        await self.event("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    async def stop(self) -> None:
        await self.event("stop", stop={"accountSid": "AC1", "callSid": self.call})

    async def next(self, event: str) -> dict[str, Any]:
        """The next frame of this kind from the server."""
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["event"] == event:
                    return message

    async def echoes(self, mulaw: bytes) -> bool:
        """Whether the line is alive: what is said comes back."""
        await self.audio(mulaw)
        return base64.b64decode((await self.next("media"))["media"]["payload"]) == mulaw

    async def closed(self) -> int:
        """Wait until the server closes the socket; the close code."""
        async with asyncio.timeout(5):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


class Edge:
    """The server under test, and its provider."""

    def __init__(self, board: Switchboard, past: Memory, clock: Clock, signed: bool) -> None:
        self.board = board
        self.past = past
        self.sessions: list[EchoSession] = []
        self.port = 0
        self.clock = clock
        self.ready = True
        self._signer = RequestValidator(AUTH_TOKEN) if signed else None
        self._client = httpx.AsyncClient()

    def open(self, call: Call, leg: Leg, earlier: tuple[Entry, ...]) -> EchoSession:
        self.sessions.append(EchoSession(call, leg, earlier))
        return self.sessions[-1]

    def signature(self, url: str, form: dict[str, str]) -> dict[str, str]:
        return {"X-Twilio-Signature": self._signer.compute_signature(url, form)} if self._signer else {}

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self._client.get(f"http://127.0.0.1:{self.port}{path}", headers=headers)

    async def post(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        if headers is None:
            headers = self.signature(PUBLIC_URL + path, form)
        return await self._client.post(f"http://127.0.0.1:{self.port}{path}", data=form, headers=headers)

    async def ask(self, path: str, call: str = "CA1", **form: str) -> Element:
        """The TwiML that a webhook answers."""
        answer = await self.post(path, {"CallSid": call, "From": "+1555", "To": "+1666"} | form)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/xml")
        return fromstring(answer.content)

    async def ask_status(self, call: str, status: str) -> None:
        assert (await self.post("/voice/status", {"CallSid": call, "CallStatus": status})).status_code == 204

    async def token(self, call: str = "CA1") -> str:
        return token_in(await self.ask("/voice", call))

    @asynccontextmanager
    async def stream(self, call: str = "CA1", headers: dict[str, str] | None = None) -> AsyncIterator[Stream]:
        if headers is None:
            headers = self.signature("wss://calls.example.com/media", {})
        url = f"ws://127.0.0.1:{self.port}/media"
        async with connect(url, additional_headers=headers, compression="deflate") as socket:
            yield Stream(socket, call)

    @asynccontextmanager
    async def call(self, call: str = "CA1") -> AsyncIterator[Stream]:
        """A call that has been answered and connected, with its session."""
        token = await self.token(call)
        async with self.stream(call) as stream:
            await stream.start(token)
            await stream.next("mark")
            yield stream

    async def close(self) -> None:
        await self._client.aclose()


def token_in(response: Element) -> str:
    parameter = response.find("Connect/Stream/Parameter")
    assert parameter is not None
    return parameter.attrib["value"]


@asynccontextmanager
async def running(
    *,
    max_calls: int = 10,
    signed: bool = True,
    metrics_token: str | None = None,
    open_session: SessionFactory | None = None,
    past: Past | None = None,
) -> AsyncIterator[Edge]:
    clock = Clock()
    numbers = iter(range(1, 1000))
    board = Switchboard(max_calls=max_calls, tokens=StreamTokens(clock), new_id=lambda: f"call-{next(numbers)}")
    edge = Edge(board, Memory(), clock, signed)
    url = PublicUrl(PUBLIC_URL)
    app = create_app(
        gate=Gate(url, SignatureCheck(AUTH_TOKEN, url) if signed else None),
        board=board,
        open_session=open_session or edge.open,
        past=past or edge.past,
        apology=Apology("Sorry.", "en-GB"),
        ready=lambda: edge.ready,
        metrics_token=metrics_token,
    )
    started = asyncio.Event()
    sock = listen("127.0.0.1", 0)
    edge.port = sock.getsockname()[1]
    server = asyncio.create_task(serve(app, board, sock, started=started.set))
    await started.wait()
    try:
        yield edge
    finally:
        await edge.close()
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    """A server that wants signatures."""
    async with running() as edge:
        yield edge


@pytest.fixture
def run_edge() -> Callable[..., Any]:
    """Servers with other settings: `async with run_edge(max_calls=1) as edge`."""
    return running


@asynccontextmanager
async def _call_to(port: int) -> AsyncIterator[Stream]:
    async with connect(f"ws://127.0.0.1:{port}/media") as socket:
        stream = await Stream(socket, "CA1").start(None)
        await stream.next("mark")
        yield stream


@pytest.fixture
def call_to() -> Callable[..., Any]:
    """A call to an open server: `async with call_to(port) as stream`."""
    return _call_to
