"""Realtime transcription's messages, and what became of a call's audio. Sans-I/O."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.engines.protocols import Final, Finished, Partial
from client_caller.engines.realtime_wire import MAX_TAIL, RealtimeTranscription
from client_caller.engines.stt_dialect import DialectError

OURS = '{"type":"session.created","id":"s","created":0,"input_audio_formats":["pcm16","g711_ulaw"]}'
VLLM = '{"type":"session.created","id":"s","created":0}'
START = {"type": "input_audio_buffer.commit", "final": False}
END = {"type": "input_audio_buffer.commit", "final": True}


def events(messages: list[str | bytes]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in messages]


def audio(message: str | bytes) -> bytes:
    return base64.b64decode(json.loads(message)["audio"])


@pytest.fixture
def call() -> RealtimeTranscription:
    """On a connection to our own server that has just begun; its greeting was sent."""
    call = RealtimeTranscription("base.en", "en-GB", ("Olive Tree",))
    call.connected()
    call.received(OURS)
    call.outgoing()
    return call


def test_the_server_speaks_first() -> None:
    """Nothing goes out before `session.created`; then who calls, and the start of a transcription."""
    call = RealtimeTranscription("base.en", "en-GB", ("Olive Tree",))
    call.connected()
    assert (call.ready, call.outgoing()) == (False, [])
    assert call.received(OURS) == []
    update = {"input_audio_format": "g711_ulaw", "language": "en-GB", "model": "base.en", "hints": ["Olive Tree"]}
    assert events(call.outgoing()) == [{"type": "session.update"} | update, START]
    assert (call.ready, call.outgoing()) == (True, [])


def test_mulaw_goes_out_as_it_came_in(call: RealtimeTranscription) -> None:
    """A server that takes mu-law gets the caller's own bytes."""
    assert audio(call.audio(b"\x01\x02\x03")) == b"\x01\x02\x03"


def test_others_get_linear_samples_at_16_khz() -> None:
    """A server that says nothing of formats gets what vLLM takes; without a model or hints none are named."""
    call = RealtimeTranscription(None, "en", ())
    call.connected()
    call.received(VLLM)
    assert events(call.outgoing())[0] == {"type": "session.update", "input_audio_format": "pcm16", "language": "en"}
    mulaw = bytes(range(0x80, 0xA0))
    samples = np.frombuffer(audio(call.audio(mulaw)), "<i2")
    assert len(samples) == 2 * len(mulaw)
    assert g711.encode(samples[20::2]) == mulaw[:-10]


def test_deltas_grow_into_a_guess(call: RealtimeTranscription) -> None:
    """Deltas add up, what is unstable comes behind them and goes again; what changes nothing is no news."""
    assert call.received('{"type":"transcription.delta","delta":" I","unstable":" won"}') == [Partial("I won")]
    assert call.received('{"type":"transcription.delta","delta":" want","unstable":""}') == [Partial("I want")]
    assert call.received('{"type":"transcription.delta","delta":"","unstable":""}') == []
    assert call.received('{"type":"transcription.delta","delta":""}') == []


def test_a_request_is_answered_by_the_final_words(call: RealtimeTranscription) -> None:
    """Until then nothing may be sent; the next transcription is started afterwards."""
    call.audio(SILENCE)
    assert events(call.ask(7)) == [END]
    assert not call.ready
    done = '{"type":"transcription.done","text":" I want. ","confidence":0.5}'
    assert call.received(done) == [Final("I want.", 0.5), Finished(7)]
    assert call.ready
    assert events(call.outgoing()) == [START]
    assert call.received('{"type":"transcription.delta","delta":" now"}') == [Partial("now")]


def test_no_words_take_back_a_guess(call: RealtimeTranscription) -> None:
    """An empty answer is an answer, and whatever was guessed is gone."""
    call.audio(SILENCE)
    call.received('{"type":"transcription.delta","delta":"","unstable":" uh"}')
    call.ask(1)
    assert call.received('{"type":"transcription.done","text":""}') == [Partial(""), Finished(1)]
    call.ask(2)
    assert call.received('{"type":"transcription.done","text":""}') == [Finished(2)]


def test_a_transcription_is_never_without_audio(call: RealtimeTranscription) -> None:
    """vLLM would not answer: a frame of silence goes first."""
    first, second = call.ask(1)
    assert audio(first) == SILENCE * FRAME
    assert json.loads(second) == END


def test_a_new_connection_hears_again_what_has_no_final_words(call: RealtimeTranscription) -> None:
    """Not what was answered, not more than 30 s, and with the request that is open."""
    call.audio(b"\x01" * 100)
    call.ask(1)
    call.received('{"type":"transcription.done","text":"one"}')
    call.audio(b"\x02" * MAX_TAIL)
    call.audio(b"\x03" * SAMPLE_RATE)
    call.received('{"type":"transcription.delta","delta":" two"}')
    call.ask(2)
    call.connected()
    assert call.outgoing() == []
    call.received(OURS)
    assert not call.ready
    greeting, start, *again, end = call.outgoing()
    assert [event["type"] for event in events([greeting])] == ["session.update"]
    assert events([start, end]) == [START, END]
    assert b"".join(map(audio, again)) == b"\x02" * (MAX_TAIL - SAMPLE_RATE) + b"\x03" * SAMPLE_RATE
    assert call.received('{"type":"transcription.delta","delta":" two"}') == []
    assert call.received('{"type":"transcription.done","text":"two"}') == [Final("two"), Finished(2)]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('{"type":"error","error":"Invalid audio","code":"x"}', "reported: Invalid audio"),
        ('{"type":"error","error":{"message":"No such model"}}', "reported: No such model"),
        ('{"type":"error"}', "an unnamed error"),
        ('{"type":"transcription.done","text":"one"}', "nobody had asked"),
        ("[]", "not its protocol"),
        (b"\xff", "not its protocol"),
    ],
)
def test_errors(call: RealtimeTranscription, message: str | bytes, said: str) -> None:
    """What the server reports, and what is not its protocol, is an error in words."""
    with pytest.raises(DialectError, match=said):
        call.received(message)


def test_what_is_yet_to_be_invented_is_passed_over(call: RealtimeTranscription) -> None:
    """An event of an unknown type is no error."""
    assert call.received('{"type":"input_audio_buffer.committed"}') == []
