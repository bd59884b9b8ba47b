"""Who may ask: nothing behind this gate sees an unsigned request."""

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


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets the provider's requests in."""

    url: PublicUrl
    signature: SignatureCheck | None
    """None lets everybody in: only for a server that listens on loopback alone."""

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
        if self.signature and not self.signature.webhook(_path(request), fields, _signature(request)):
            REFUSALS.labels("signature").inc()
            raise HTTPException(
                403, "The signature is not right. Do auth token and public URL agree with the provider's console?"
            )
        return fields

    def opens(self, websocket: WebSocket) -> bool:
        """Whether a WebSocket's handshake is the provider's."""
        if self.signature is None or self.signature.handshake(_path(websocket), _signature(websocket)):
            return True
        REFUSALS.labels("signature").inc()
        return False


def _signature(connection: HTTPConnection) -> str:
    return connection.headers.get(HEADER, "")


def _path(connection: HTTPConnection) -> str:
    """The path and query as they came: decoding and encoding them again could change what was signed."""
    path: bytes = connection.scope["raw_path"]
    query: bytes = connection.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
