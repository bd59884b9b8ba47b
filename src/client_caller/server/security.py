"""Who may ask: nothing behind this gate sees an unsigned request."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from client_caller.observe.metrics import REFUSALS
from client_caller.telephony.signature import HEADER, PublicUrl, SignatureCheck

MAX_FORM = 64 * 1024
"""Bytes. Twilio's webhooks have about 1 KiB; a body is read before its signature can be checked."""
MAX_FIELDS = 200

Form = ImmutableMultiDict[str, str]


class Unsafe(Exception):
    """The server may not start so. `str(error)` says what to set."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets the provider's requests in."""

    url: PublicUrl
    signature: SignatureCheck | None
    """None lets in everybody on this machine: for a server that listens on loopback alone."""

    async def form(self, request: Request) -> Form:
        """The fields of a webhook. Raises `HTTPException`: 403 without the provider's signature, 413, 400."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_FORM:
                raise HTTPException(413, "The form is too large.")
        try:
            fields = Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError as error:
            raise HTTPException(400, "The body is not a form.") from error
        if self.signature is None:
            allowed, hint = _local(request), "This server runs with --insecure-local: it answers this machine alone."
        else:
            allowed, hint = self.signature.webhook(_path(request), fields, _signature(request)), _DIFFERS
        if not allowed:
            REFUSALS.labels("signature").inc()
            raise HTTPException(403, hint)
        return fields

    def opens(self, websocket: WebSocket) -> bool:
        """Whether a WebSocket's handshake is the provider's."""
        if self.signature is None:
            allowed = _local(websocket)
        else:
            allowed = self.signature.handshake(_path(websocket), _signature(websocket))
        if not allowed:
            REFUSALS.labels("signature").inc()
        return allowed


def make_gate(*, auth_token: str | None, public_url: str | None, insecure_local: bool, host: str, port: int) -> Gate:
    """The gate of a server that is to listen at `host` and `port`. Raises `Unsafe` unless it will be closed."""
    if insecure_local:
        if not _is_loopback(host):
            raise Unsafe(f"--insecure-local is for this machine alone, and {host} is not: use --host 127.0.0.1.")
        return Gate(PublicUrl(f"http://{f'[{host}]' if ':' in host else host}:{port}"), None)
    missing = [name for name, value in ((_AUTH_TOKEN, auth_token), (_PUBLIC_URL, public_url)) if not value]
    if not auth_token or not public_url:
        raise Unsafe(
            "Without them nobody can tell Twilio's requests from others. Set:\n  "
            + "\n  ".join(missing)
            + "\nTo try it out on this machine, without Twilio: --insecure-local"
        )
    try:
        url = PublicUrl(public_url)
    except ValueError as error:
        raise Unsafe(f"{error}.") from error
    if not public_url.startswith("https:"):
        raise Unsafe(
            f"{public_url} is not https, and Twilio opens media streams over TLS alone: use a tunnel or proxy."
        )
    return Gate(url, SignatureCheck(auth_token, url))


_AUTH_TOKEN = "TWILIO_AUTH_TOKEN, the Auth Token of your account (Twilio console, Account Info)"
_PUBLIC_URL = "--public-url, the https address at which Twilio reaches this server (of a tunnel or proxy)"
_DIFFERS = "The signature is not right. Do auth token and public URL agree with the provider's console?"


def _local(connection: HTTPConnection) -> bool:
    """Nobody's proxy or tunnel, and no web page in a browser on this machine, which could reach loopback as well."""
    headers = connection.headers
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    outside = {"origin", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"}
    return _is_loopback(host.strip("[]")) and outside.isdisjoint(headers.keys())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _signature(connection: HTTPConnection) -> str:
    return connection.headers.get(HEADER, "")


def _path(connection: HTTPConnection) -> str:
    """The path and query as they came: decoding and encoding them again could change what was signed."""
    path: bytes = connection.scope["raw_path"]
    query: bytes = connection.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
