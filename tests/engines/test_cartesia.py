"""Cartesia's messages, without a connection."""

import json

import pytest

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.cartesia import CartesiaWire
from client_caller.engines.speech_wire import Piece


@pytest.fixture
def wire() -> CartesiaWire:
    return CartesiaWire(api_key="k", voice="v", model="m")


def test_the_request(wire: CartesiaWire) -> None:
    """Mu-law at 8 kHz, word times, the language without its region, the key in its header."""
    (message,) = wire.begin("c", "Hello.", "en-GB")
    request = json.loads(message)
    assert request["output_format"] == {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": SAMPLE_RATE}
    wanted = {"model_id": "m", "transcript": "Hello.", "language": "en", "context_id": "c", "add_timestamps": True}
    assert request.items() >= wanted.items()
    assert request["voice"] == {"mode": "id", "id": "v"}
    assert json.loads(wire.give_up("c")) == {"context_id": "c", "cancel": True}
    assert wire.headers["X-API-Key"] == "k"
    assert wire.url("en") == "wss://api.cartesia.ai/tts/websocket"


@pytest.mark.parametrize(
    ("message", "piece"),
    [
        ({"type": "chunk", "data": "/38=", "context_id": "c"}, Piece("c", b"\xff\x7f")),
        (
            {"type": "timestamps", "context_id": "c", "word_timestamps": {"words": ["a", "b"], "end": [0.5, 1.0]}},
            Piece("c", said=[("a", 4000), ("b", 8000)]),
        ),
        ({"type": "done", "done": True, "context_id": "c"}, Piece("c", done=True)),
        ({"type": "flush_done", "done": False, "context_id": "c"}, Piece("c")),
        ({"type": "of tomorrow"}, None),
        (
            {"type": "error", "context_id": "c", "title": "Bad voice", "message": "No.", "status_code": 404},
            Piece("c", error="Bad voice: No.", advice="Check voice and model under [tts]."),
        ),
        (
            {"type": "error", "error": "Too many", "status_code": 429},
            Piece(None, error="Too many", advice="The account has no room for more at a time."),
        ),
        (
            {"type": "error", "status_code": 401},
            Piece(None, error="401", advice="Set a valid API key (CARTESIA_API_KEY)."),
        ),
        ({"type": "error", "error": "Ours", "status_code": 500}, Piece(None, error="Ours")),
    ],
)
def test_what_messages_say(wire: CartesiaWire, message: dict[str, object], piece: Piece | None) -> None:
    """Each kind of message of the reference, the older form of errors, and what is yet to be invented."""
    read = wire.read(json.dumps(message))
    if read and not read.said:
        assert read.said in ((), [])
        read = Piece(read.context, read.mulaw, (), read.done, read.error, read.advice)
    assert read == piece


@pytest.mark.parametrize("message", ["<html>", "[]", "{}", '{"type":"chunk","context_id":"c","data":"?"}'])
def test_what_is_not_the_protocol(wire: CartesiaWire, message: str) -> None:
    """It is refused, and not passed over in silence."""
    with pytest.raises(ValueError, match="not a message"):
        wire.read(message)
