"""What crosses the WebSocket of a call."""

import pytest

from client_caller.models.csm import wire
from client_caller.models.csm.wire import Answer, Cancel, Context, Ended, Failed, Heard, Request, Say, Sound


@pytest.mark.parametrize("message", [Say(3, "Hé."), Cancel(0), Heard(2, 7, "so far"), Context(4, "Well, no.")])
def test_requests_survive(message: Request) -> None:
    """What a client encodes, the server reads."""
    assert wire.read_request(wire.encode(message)) == message


@pytest.mark.parametrize(
    "message", [Ended(1, 30, "limit"), Failed(None, "broken"), Failed(2, "too long"), Sound(70_000, b"\x01\x02")]
)
def test_answers_survive(message: Answer) -> None:
    """What the server encodes, a client reads."""
    assert wire.read_answer(wire.encode(message)) == message


def test_its_form() -> None:
    """The documented one: whoever writes another client goes by it."""
    assert wire.encode(Say(3, "Hi.")) == '{"type":"say","clause":3,"text":"Hi."}'
    assert wire.encode(Sound(258, b"\x05\x06")) == b"\x02\x01\x00\x00\x05\x06"


@pytest.mark.parametrize(
    "message", ["", "[]", '{"type":"sing"}', '{"type":"say","clause":1}', '{"type":"cancel","clause":-1}', b"\xff"]
)
def test_other_requests_are_refused_without_repeating_them(message: str | bytes) -> None:
    """They may hold a caller's words."""
    with pytest.raises(ValueError, match=r"^not a message of this protocol$"):
        wire.read_request(message)


@pytest.mark.parametrize("message", ["{}", b"\x00\x00\x00\x00", b"\x00\x00\x00\x00\x01"])
def test_other_answers_are_refused(message: str | bytes) -> None:
    """Also sound of half a sample, or of none."""
    with pytest.raises(ValueError, match="not a message"):
        wire.read_answer(message)
