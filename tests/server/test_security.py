"""A server that can't tell who asks does not start; an open one answers this machine alone."""

from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from client_caller.server.security import Unsafe, make_gate

TOKEN = "0123456789abcdef0123456789abcdef"


def gate(**changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "auth_token": TOKEN,
        "public_url": "https://a.example",
        "insecure_local": False,
        "host": "0.0.0.0",
        "port": 8000,
    }
    return make_gate(**(arguments | changes))


def test_with_token_and_url_the_gate_is_closed() -> None:
    """On any address: the signature protects it."""
    closed = gate()
    assert closed.signature is not None
    assert closed.url.websocket("/media") == "wss://a.example/media"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"auth_token": None}, ["TWILIO_AUTH_TOKEN", "--insecure-local"]),
        ({"auth_token": ""}, ["TWILIO_AUTH_TOKEN"]),
        ({"public_url": None}, ["--public-url", "--insecure-local"]),
        ({"auth_token": None, "public_url": None}, ["TWILIO_AUTH_TOKEN", "--public-url"]),
        ({"public_url": "a.example"}, ["https://calls.example.com"]),
        ({"public_url": "http://a.example"}, ["not https"]),
        ({"insecure_local": True}, ["0.0.0.0", "--host 127.0.0.1"]),
        ({"insecure_local": True, "host": "192.168.1.5"}, ["--host 127.0.0.1"]),
        ({"insecure_local": True, "host": "calls.example.com"}, ["--host 127.0.0.1"]),
    ],
)
def test_an_unsafe_start_is_refused_with_what_to_set(changes: dict[str, Any], named: list[str]) -> None:
    """The error names exactly what is missing, and nothing secret."""
    with pytest.raises(Unsafe) as refused:
        gate(**changes)
    assert all(name in str(refused.value) for name in named)
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "ws://127.0.0.1:8000/media"),
        ("localhost", "ws://localhost:8000/media"),
        ("::1", "ws://[::1]:8000/media"),
    ],
)
def test_an_open_gate_is_for_loopback(host: str, url: str) -> None:
    """It names itself as its public address."""
    opened = gate(insecure_local=True, host=host)
    assert opened.signature is None
    assert opened.url.websocket("/media") == url


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "calls.example.com"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
    ],
)
async def test_an_open_server_is_not_reached_through_a_tunnel_or_a_browser(
    run_edge: Callable[..., Any], headers: dict[str, str]
) -> None:
    """Both come from this machine, and neither is a person on it."""
    async with run_edge(signed=False) as edge:
        answer = await edge.post("/voice", {"CallSid": "CA1"}, headers)
        assert answer.status_code == 403
        assert "--insecure-local" in answer.json()["detail"]
        assert (await edge.post("/voice", {"CallSid": "CA1"}, {"Host": "localhost"})).status_code == 200
        if "Host" not in headers:
            with pytest.raises(InvalidStatus):
                async with edge.stream(headers=headers):
                    pass
