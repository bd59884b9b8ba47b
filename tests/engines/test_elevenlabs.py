"""ElevenLabs' messages, without a connection."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from client_caller.engines.elevenlabs import ElevenLabsWire
from client_caller.engines.speech_wire import Piece


@pytest.fixture
def wire() -> ElevenLabsWire:
    return ElevenLabsWire(api_key="k", voice="a/voice")


def test_the_connection(wire: ElevenLabsWire) -> None:
    """Voice, model, format and language are in the address; the key is not, but in its header."""
    url = urlsplit(wire.url("de-AT"))
    assert url.path == "/v1/text-to-speech/a%2Fvoice/multi-stream-input"
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    wanted = {"model_id": "eleven_flash_v2_5", "output_format": "ulaw_8000", "language_code": "de"}
    assert query.items() >= wanted.items()
    assert query["sync_alignment"] == query["auto_mode"] == "true"
    assert wire.headers == {"xi-api-key": "k"}
    other = ElevenLabsWire(api_key=None, voice="v", model="eleven_multilingual_v2")
    assert "language_code" not in other.url("de")
    assert other.headers == {}


def test_a_clause_is_flushed_and_closed(wire: ElevenLabsWire) -> None:
    """A closed context speaks what was flushed and then says that it has ended; text ends with a blank."""
    speak, close = map(json.loads, wire.begin("c", "Hello.", "en"))
    assert speak == {"text": "Hello. ", "context_id": "c", "flush": True}
    assert close == {"context_id": "c", "close_context": True}


@pytest.mark.parametrize(
    ("message", "piece"),
    [
        (
            {
                "audio": "/38=",
                "contextId": "c",
                "isFinal": None,
                "alignment": {"chars": ["H", "i"], "charStartTimesMs": [0, 100], "charDurationsMs": [100, 50]},
            },
            Piece("c", b"\xff\x7f", [("H", 800), ("i", 1200)]),
        ),
        ({"audio": None, "contextId": "c", "alignment": None}, Piece("c", said=[])),
        ({"isFinal": True, "contextId": "c"}, Piece("c", said=[], done=True)),
        ({"hello": "of tomorrow"}, None),
        (
            {"message": "A voice with voice_id X does not exist.", "error": "voice_id_does_not_exist", "code": 1008},
            Piece(None, error="A voice with voice_id X does not exist.", advice="Check voice and model under [tts]."),
        ),
        (
            {"message": "", "error": "invalid_api_key"},
            Piece(None, error="invalid_api_key", advice="Set a valid API key (ELEVENLABS_API_KEY)."),
        ),
        ({"message": "Busy.", "error": "system_busy"}, Piece(None, error="Busy.")),
    ],
)
def test_what_messages_say(wire: ElevenLabsWire, message: dict[str, object], piece: Piece | None) -> None:
    """Each kind of message of the reference, and what is yet to be invented."""
    assert wire.read(json.dumps(message)) == piece


@pytest.mark.parametrize("message", ["<html>", "[]", '{"audio":"?","contextId":"c"}'])
def test_what_is_not_the_protocol(wire: ElevenLabsWire, message: str) -> None:
    """It is refused, and not passed over in silence."""
    with pytest.raises(ValueError, match="not a message"):
        wire.read(message)
