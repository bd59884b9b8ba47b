"""What our server understands, and what it says."""

import base64
import json

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.models.hearing import wire
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.words import Word

LANGUAGES = frozenset({"en", "de"})


def update(**fields: object) -> wire.Update:
    event = wire.decode(json.dumps({"type": "session.update", **fields}))
    assert isinstance(event, wire.Update)
    return event


def append(audio: bytes) -> wire.Append:
    encoded = base64.b64encode(audio).decode()
    event = wire.decode(json.dumps({"type": "input_audio_buffer.append", "audio": encoded}))
    assert isinstance(event, wire.Append)
    return event


def test_vllms_client_is_understood() -> None:
    """It sends a model, 16-bit samples, and commits without `final` first."""
    assert update(model="m").input_audio_format == "pcm16"
    assert wire.decode('{"type":"input_audio_buffer.commit"}') == wire.Commit(final=False)
    assert wire.decode('{"type":"input_audio_buffer.commit","final":true}') == wire.Commit(final=True)
    samples = append(np.array([-32768, 0, 16384], "<i2").tobytes()).samples("pcm16")
    assert samples.tolist() == [-1.0, 0.0, 0.5]
    assert samples.dtype == np.float32


def test_mulaw() -> None:
    """Each byte is a sample, as G.711 has it."""
    assert np.array_equal(append(b"\x10\xff").samples("g711_ulaw"), g711.decode_float(b"\x10\xff"))


@pytest.mark.parametrize(
    ("fields", "wishes"),
    [
        ({"language": "en-GB"}, Wishes("en", "")),
        ({"language": "DE"}, Wishes("de", "")),
        ({"language": "auto"}, Wishes(None, "")),
        ({}, Wishes(None, "")),
        (
            {"language": "en", "prompt": " A call. ", "hints": ["Ann", "Olive Tree"]},
            Wishes("en", "A call. Ann, Olive Tree"),
        ),
        ({"language": "en", "hints": ["Ann"]}, Wishes("en", "Ann")),
    ],
)
def test_wishes(fields: dict[str, object], wishes: Wishes) -> None:
    """BCP 47 becomes the model's two letters; prompt and hints become one text."""
    assert update(**fields).wishes(LANGUAGES) == wishes


def test_a_language_that_the_model_does_not_know() -> None:
    """Those that it knows are named."""
    with pytest.raises(wire.WireError, match="it knows de, en") as caught:
        update(language="fr").wishes(LANGUAGES)
    assert caught.value.code == "unknown_language"


@pytest.mark.parametrize(
    ("message", "code", "said"),
    [
        ("hello", "invalid_json", "not JSON"),
        (b"\xff", "invalid_json", "not JSON"),
        ('{"type":"response.create"}', "unknown_event", "no event"),
        ('{"type":"session.update","hints":"secret"}', "invalid_event", "hints"),
        ('{"type":"input_audio_buffer.append"}', "invalid_event", "audio"),
        ("[]", "invalid_event", "the message itself"),
    ],
)
def test_messages_that_cannot_be_used(message: str | bytes, code: str, said: str) -> None:
    """The place is named, the content is not."""
    with pytest.raises(wire.WireError, match=said) as caught:
        wire.decode(message)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("audio", ["*", base64.b64encode(b"123").decode()])
def test_audio_that_is_none(audio: str) -> None:
    """Not base64, or half a sample."""
    with pytest.raises(wire.WireError, match="audio") as caught:
        wire.Append(audio).samples("pcm16")
    assert caught.value.code == "invalid_audio"


def test_events() -> None:
    """What a client of vLLM's reads is there under its names, and the rest beside it."""
    assert json.loads(wire.created())["input_audio_formats"] == ["pcm16", "g711_ulaw"]
    assert json.loads(wire.told(Guess(" one", " two"))) == {
        "type": "transcription.delta",
        "delta": " one",
        "unstable": " two",
    }
    assert json.loads(wire.told(Final((Word("One,", 0.5, 0.75, 0.5), Word("two.", 1.0, 1.5, 1.0)), "en"))) == {
        "type": "transcription.done",
        "text": "One, two.",
        "language": "en",
        "words": [
            {"word": "One,", "start": 0.5, "end": 0.75, "confidence": 0.5},
            {"word": "two.", "start": 1.0, "end": 1.5, "confidence": 1.0},
        ],
        "confidence": 0.75,
    }
    assert "confidence" not in json.loads(wire.told(Final((), "")))
    assert json.loads(wire.error("no", "code")) == {"type": "error", "error": "no", "code": "code"}
