"""Signatures: the vectors of Twilio's own library, and everything that must not pass."""

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from client_caller.telephony.signature import PublicUrl, SignatureCheck

FIELDS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "From": "+14158675309",
    "Digits": "1234",
    "To": "+18005551212",
}


def check(base: str, token: str = "12345") -> SignatureCheck:
    return SignatureCheck(token, PublicUrl(base))


@pytest.mark.parametrize(
    ("caller", "signature"),
    [("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="), ("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ=")],
)
def test_webhook_vectors(caller: str, signature: str) -> None:
    """The two vectors of twilio-python's and Twilio's documentation."""
    fields = FIELDS | {"Caller": caller, "From": caller}
    assert check("https://mycompany.com").webhook("/myapp.php?foo=1&bar=2", fields, signature)


def test_handshake_vector() -> None:
    """The handshake is signed over wss://, whatever the public URL's scheme; a trailing slash is another URL."""
    signature = "7PR3qMkpDyEJtMrVOY/LDyNq8J8="
    assert check("https://example.com").handshake("/media", signature)
    assert not check("https://example.com").handshake("/media/", signature)
    assert check("https://example.com").handshake("/media/", "T+WBXwUXC0/CyoZ1DA+p9ilZORs=")


@pytest.mark.parametrize(
    ("path", "change", "token"),
    [
        ("/myapp.php?bar=2&foo=1", {}, "12345"),
        ("/other.php?foo=1&bar=2", {}, "12345"),
        ("/myapp.php?foo=1&bar=2", {"Digits": "1235"}, "12345"),
        ("/myapp.php?foo=1&bar=2", {"Extra": "1"}, "12345"),
        ("/myapp.php?foo=1&bar=2", {}, "54321"),
    ],
)
def test_any_difference_is_refused(path: str, change: dict[str, str], token: str) -> None:
    """Another order of the query, path, field value, field or auth token does not pass."""
    guard = check("https://mycompany.com", token)
    assert not guard.webhook(path, FIELDS | change, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")


@pytest.mark.parametrize("signature", ["", "x", "é" * 28, "RSOYDt4T1cUTdK1PDd93/VVr8B8"])
def test_no_signature_is_no_pass(signature: str) -> None:
    """Absent, short or odd signatures are false, not an exception."""
    assert not check("https://mycompany.com").webhook("/myapp.php?foo=1&bar=2", FIELDS, signature)


def test_the_public_url_decides() -> None:
    """A signature made for one public URL is worth nothing at another, or over plain http."""
    signature = RequestValidator("12345").compute_signature("https://a.example/voice", {"A": "b"})
    assert check("https://a.example/").webhook("/voice", {"A": "b"}, signature)
    assert check("https://a.example:443").webhook("/voice", {"A": "b"}, signature)
    assert not check("https://b.example").webhook("/voice", {"A": "b"}, signature)
    assert not check("http://a.example").webhook("/voice", {"A": "b"}, signature)


def test_addresses_are_made_from_the_public_url() -> None:
    """A trailing slash and the scheme's own port go, a path stays."""
    url = PublicUrl("https://a.example:443/tenant/")
    assert url.http("/voice") == "https://a.example/tenant/voice"
    assert url.websocket("/media") == "wss://a.example/tenant/media"
    assert PublicUrl("http://127.0.0.1:8000").websocket("/media") == "ws://127.0.0.1:8000/media"


@pytest.mark.parametrize("base", ["", "calls.example.com", "ftp://a.example", "https://", "https://a.example/?x=1"])
def test_what_is_no_url_is_refused_with_an_example(base: str) -> None:
    """The error shows how to write it."""
    with pytest.raises(ValueError, match=r"https://calls\.example\.com"):
        PublicUrl(base)
