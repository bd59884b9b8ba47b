"""A telephone provider over real HTTP and real WebSockets: asks the voice webhook, obeys its TwiML, carries the call.

As Twilio does it (references of TwiML `<Connect>`, `<Stream>` and of request signing): webhooks are form posts; every
request and handshake is signed over its public URL; `<Connect><Stream>` lasts until its WebSocket closes, for whatever
reason, and then the next verb runs, with the same CallSid; when no verb is left the call is over.
"""

import asyncio
import secrets
import ssl
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.network import FarEnd, Refused, StreamIdentity
from client_caller.simulator.phone import Party, Phone

ACCOUNT = "AC" + "0" * 32
_MAX_VERBS = 20
"""In one call: a webhook that redirects to itself for ever is noticed."""
_RETRY_AFTER = 1.0
"""Seconds between two tries of a webhook that can't be reached."""


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates anew for each of many callers would take longer than their calls' set-up."""
    return ssl.create_default_context()


@dataclass(slots=True)
class CallRecord:
    """What happened in one call, as the provider saw it."""

    call_sid: str
    streams: list[FarEnd] = field(default_factory=list)
    """One for each time that the media stream was connected."""
    verbs: list[str] = field(default_factory=list)
    """The TwiML verbs that were carried out, in order."""
    said: list[str] = field(default_factory=list)
    """What the provider itself said (`<Say>`)."""
    refusals: list[str] = field(default_factory=list)
    """Why a stream could not be connected."""
    how: str = "completed"
    """`hung_up` by the caller, `completed` when no verb was left, or `rejected`."""


class Provider:
    """An account with one telephone number, whose calls go to `voice_url`."""

    def __init__(
        self, voice_url: str, *, reach: str | None = None, auth_token: str | None = None, retries: int = 1
    ) -> None:
        """`voice_url` is the public URL, which is signed; `reach` (`http://127.0.0.1:8000`) is where it really is.

        Without `auth_token` nothing is signed. An unreachable webhook is tried `retries` times more (Twilio's
        connection override `#rc`, at most 5).
        """
        self.voice_url = voice_url
        self._public = urlsplit(voice_url)
        self._reach = urlsplit(reach) if reach else None
        self._validator = RequestValidator(auth_token) if auth_token is not None else None
        self._retries = retries

    async def call(
        self,
        party: Party,
        *,
        caller: str = "+15550100",
        callee: str = "+15550199",
        impairments: Sequence[Impairments] = (PERFECT,),
    ) -> CallRecord:
        """One call from its first webhook to its end. `impairments` are those of its streams; the last one stays.

        Raises `network.Refused` for what Twilio would not understand, and `httpx.HTTPError` if a webhook fails.
        """
        record = CallRecord(call_sid="CA" + secrets.token_hex(16))
        fields = {
            "CallSid": record.call_sid,
            "AccountSid": ACCOUNT,
            "From": caller,
            "To": callee,
            "Direction": "inbound",
        }
        # No proxy of the environment: the simulated network ends on this machine.
        async with httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=15.0) as http:
            await _Call(self, http, fields, party, deque(impairments), record).run()
        return record

    async def post(self, http: httpx.AsyncClient, url: str, fields: dict[str, str]) -> httpx.Response:
        """Ask one webhook. Raises `httpx.HTTPError`."""
        for tries_left in range(self._retries, -1, -1):
            try:
                answer = await http.post(self.reachable(url), data=fields, headers=self.signed(url, fields))
                return answer.raise_for_status()
            except httpx.TransportError:
                if not tries_left:
                    raise
                await asyncio.sleep(_RETRY_AFTER)
        raise AssertionError("the last try returns or raises")

    def signed(self, url: str, fields: dict[str, str]) -> dict[str, str]:
        """The headers that prove who asks."""
        if self._validator is None:
            return {}
        return {"X-Twilio-Signature": self._validator.compute_signature(url, fields)}

    def reachable(self, url: str) -> str:
        """Where a public URL really is."""
        parts = urlsplit(url)
        if parts.netloc != self._public.netloc:
            raise Refused(f"the TwiML names {parts.netloc}, which is not where the number's webhook is")
        if self._reach is None:
            return url
        scheme = {"https": "http", "wss": "ws"}.get(parts.scheme, parts.scheme)
        return urlunsplit(parts._replace(scheme=scheme, netloc=self._reach.netloc))


@dataclass(slots=True)
class _Call:
    """One call's way through its TwiML."""

    provider: Provider
    http: httpx.AsyncClient
    fields: dict[str, str]
    party: Party
    impairments: deque[Impairments]
    record: CallRecord

    async def run(self) -> None:
        verbs = await self._ask(self.provider.voice_url, "ringing")
        while verbs:
            verb = verbs.popleft()
            self.record.verbs.append(verb.tag)
            if len(self.record.verbs) > _MAX_VERBS:
                raise Refused(f"the TwiML of one call had more than {_MAX_VERBS} verbs")
            match verb.tag:
                case "Redirect":
                    target = urljoin(self.provider.voice_url, (verb.text or "").strip())
                    verbs = await self._ask(target, "in-progress")
                case "Connect":
                    if await self._connect(verb) == "hung_up":
                        self.record.how = "hung_up"
                        return
                case "Say":
                    self.record.said.append(verb.text or "")
                case "Hangup":
                    return
                case "Reject":
                    self.record.how = "rejected"
                    return
                case _:
                    raise Refused(f"this provider knows no TwiML verb <{verb.tag}>")

    async def _ask(self, url: str, status: str) -> deque[ElementTree.Element]:
        answer = await self.provider.post(self.http, url, {**self.fields, "CallStatus": status})
        try:
            response = ElementTree.fromstring(answer.text)
        except ElementTree.ParseError as error:
            raise Refused(f"{urlsplit(url).path} answered something that is no XML") from error
        if response.tag != "Response":
            raise Refused(f"{urlsplit(url).path} answered <{response.tag}>, and TwiML begins with <Response>")
        return deque(response)

    async def _connect(self, verb: ElementTree.Element) -> str:
        stream = verb.find("Stream")
        if stream is None or "?" in stream.get("url", "?"):
            raise Refused("<Connect> needs a <Stream> whose url has no query, which Twilio would cut off")
        url = stream.get("url", "")
        parameters = {one.get("name", ""): one.get("value", "") for one in stream.findall("Parameter")}
        identity = StreamIdentity(self.record.call_sid, "MZ" + secrets.token_hex(16), ACCOUNT, parameters)
        impairments = self.impairments.popleft() if len(self.impairments) > 1 else self.impairments[0]
        callback = stream.get("statusCallback")
        try:
            socket = await connect(
                self.provider.reachable(url),
                additional_headers=self.provider.signed(url, {}),
                compression=None,
                proxy=None,
            )
        except (InvalidHandshake, OSError) as error:
            self.record.refusals.append(str(error))
            return "refused"
        await self._report(callback, identity, "stream-started")
        how = await _talk(socket, self.party, identity, impairments, self.record)
        with suppress(httpx.HTTPError):  # the side that was called may just have died
            await self._report(callback, identity, "stream-stopped")
        return how

    async def _report(self, callback: str | None, identity: StreamIdentity, event: str) -> None:
        if callback:
            fields = {**self.fields, "StreamSid": identity.stream_sid, "StreamEvent": event}
            await self.provider.post(self.http, callback, fields)


async def _talk(
    socket: ClientConnection, party: Party, identity: StreamIdentity, impairments: Impairments, record: CallRecord
) -> str:
    """One connected stream to its end (`Phone.talk`)."""
    outgoing: asyncio.Queue[str | None] = asyncio.Queue()
    phone = Phone(party, identity, outgoing.put_nowait, impairments)
    record.streams.append(phone.far_end)

    async def read() -> None:
        try:
            async for frame in socket:
                if isinstance(frame, bytes):
                    raise Refused("a binary frame came; Media Streams are JSON text")
                phone.take(frame)
        finally:
            phone.take(None)

    async def write() -> None:
        with suppress(ConnectionClosed):
            while (frame := await outgoing.get()) is not None:
                await socket.send(frame)

    reader, writer = asyncio.create_task(read()), asyncio.create_task(write())
    try:
        how = await phone.talk()
        if how == "lost":
            socket.transport.abort()
    finally:
        outgoing.put_nowait(None)
        await writer
        await socket.close()
        with suppress(ConnectionClosed):
            await reader
    return how
