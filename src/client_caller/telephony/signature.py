"""Is it Twilio who asks? The `X-Twilio-Signature` of webhooks and of the WebSocket handshake.

Twilio signs the URL exactly as it was configured or written in TwiML, with the form's fields behind it. Behind a proxy
or a tunnel the request no longer shows that URL, so it is made from the configured public URL and the raw path, never
from the request's host or scheme. The handshake of a media stream is signed over a `wss://` URL and has no fields.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

HEADER = "X-Twilio-Signature"


class PublicUrl:
    """Where the provider reaches this server. Raises `ValueError` with what to write instead."""

    def __init__(self, base: str) -> None:
        """`base` is like `https://calls.example.com`, perhaps with a path that a proxy takes away."""
        parts = urlsplit(base)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{base!r} is not a public URL; write it like https://calls.example.com")
        # An explicit default port is signed on one side and not on the other (twilio's validator, `remove_port`).
        port = {"https": ":443", "http": ":80"}[parts.scheme]
        self._base = parts._replace(netloc=parts.netloc.removesuffix(port), path=parts.path.rstrip("/"))

    def http(self, path: str) -> str:
        """The address of a webhook; `path` begins with a slash and may have a query."""
        return urlunsplit(self._base) + path

    def websocket(self, path: str) -> str:
        """The address of a media stream."""
        return urlunsplit(self._base._replace(scheme={"https": "wss", "http": "ws"}[self._base.scheme])) + path


class SignatureCheck:
    """Holds the account's auth token and tells true signatures from others, in constant time."""

    def __init__(self, auth_token: str, public_url: PublicUrl) -> None:
        self._validator = RequestValidator(auth_token)
        self._url = public_url

    def webhook(self, path: str, fields: Mapping[str, str], signature: str) -> bool:
        """Whether a POST to `path` (raw, with its query) with these form fields is the provider's.

        `fields` may have a `getlist` for names that come more than once.
        """
        return self._valid(self._url.http(path), fields, signature)

    def handshake(self, path: str, signature: str) -> bool:
        """Whether the opening of a WebSocket at `path` (raw, with its query) is the provider's."""
        return self._valid(self._url.websocket(path), {}, signature)

    def _valid(self, url: str, fields: Mapping[str, str], signature: str) -> bool:
        return bool(self._validator.validate(url, fields, signature))
