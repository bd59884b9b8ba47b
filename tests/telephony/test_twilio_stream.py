"""The Twilio codec: every message, every error, and 100,000 frames of noise."""

import base64
import json
import random
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.telephony.twilio_stream import (
    MAX_FRAME,
    Audio,
    Digit,
    Mark,
    ProtocolError,
    Started,
    Stopped,
    TwilioStream,
)

STREAM = "MZ00000000000000000000000000000001"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
CONNECTED: dict[str, Any] = {"event": "connected", "protocol": "Call", "version": "1.0.0"}


def start(**body: Any) -> dict[str, Any]:
    default = {
        "accountSid": "AC1",
        "streamSid": STREAM,
        "callSid": "CA1",
        "tracks": ["inbound"],
        "customParameters": {"token": "t"},
        "mediaFormat": FORMAT,
    }
    return {"event": "start", "sequenceNumber": "1", "streamSid": STREAM, "start": default | body}


def media(at: int | str, audio: bytes = b"\xff" * 160, **more: Any) -> dict[str, Any]:
    body = {"track": "inbound", "chunk": "1", "timestamp": str(at)}
    body["payload"] = base64.b64encode(audio).decode()
    return {"event": "media", "sequenceNumber": "2", "streamSid": STREAM, "media": body | more}


def simple(event: str, **more: Any) -> dict[str, Any]:
    return {"event": event, "sequenceNumber": "3", "streamSid": STREAM} | more


MARK = simple("mark", mark={"name": "m1"})
DIGIT = simple("dtmf", dtmf={"track": "inbound_track", "digit": "#"})
STOP = simple("stop", stop={"accountSid": "AC1", "callSid": "CA1"})


def text(message: object) -> str:
    return json.dumps(message)


@pytest.fixture
def stream() -> TwilioStream:
    """A stream whose start message has come."""
    stream = TwilioStream()
    assert stream.receive(text(CONNECTED)) is None
    assert isinstance(stream.receive(text(start())), Started)
    return stream


def refused(stream: TwilioStream, frame: str | bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        stream.receive(frame)
    return caught.value


def test_a_whole_stream_comes_out_typed() -> None:
    """Every message of the reference becomes its own type, with numbers out of strings and audio out of base64."""
    stream = TwilioStream()
    frames = [CONNECTED, start(), media("155", b"\x00\x80"), MARK, DIGIT, STOP]
    assert [stream.receive(text(frame)) for frame in frames] == [
        None,
        Started(STREAM, "CA1", "AC1", {"token": "t"}),
        Audio(155, b"\x00\x80"),
        Mark("m1"),
        Digit("#"),
        Stopped(),
    ]


def test_connected_may_be_absent() -> None:
    """Some compatible providers begin with start."""
    assert isinstance(TwilioStream().receive(text(start())), Started)


def test_optional_fields_may_be_absent() -> None:
    """Parameters, tracks and sequence numbers are not needed; a media message may leave out its track and chunk."""
    bare = start()
    del bare["start"]["customParameters"], bare["start"]["tracks"], bare["sequenceNumber"]
    stream = TwilioStream()
    started = stream.receive(text(bare))
    assert isinstance(started, Started)
    assert started.parameters == {}
    frame = {"event": "media", "streamSid": STREAM, "media": {"timestamp": "0", "payload": "/w=="}}
    assert stream.receive(text(frame)) == Audio(0, b"\xff")


def test_numbers_may_be_numbers() -> None:
    """A provider that sends numbers as numbers is understood too."""
    stream = TwilioStream()
    stream.receive(text(start(mediaFormat=FORMAT | {"sampleRate": "8000"})))
    assert stream.receive(text(media("0", timestamp=20))) == Audio(20, b"\xff" * 160)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (FORMAT | {"encoding": "audio/x-l16", "sampleRate": 16000}, "audio/x-l16 at 16000 Hz with 1 channel;"),
        (FORMAT | {"sampleRate": 16000}, "audio/x-mulaw at 16000 Hz with 1 channel;"),
        (FORMAT | {"channels": 2}, "audio/x-mulaw at 8000 Hz with 2 channels;"),
        ({}, "an unnamed encoding at 0 Hz with 0 channels;"),
    ],
)
def test_any_other_format_is_refused_with_both_named(form: dict[str, object], words: str) -> None:
    """Audio of another codec, rate or channel count ends the stream; the message names what came and what can be."""
    error = refused(TwilioStream(), text(start(mediaFormat=form)))
    assert (error.reason, error.fatal) == ("wrong_format", True)
    assert words in str(error)
    assert "audio/x-mulaw at 8000 Hz with 1 channel " in str(error)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (text(media("0")), "before_start"),
        (text(MARK), "before_start"),
        (text(STOP), "before_start"),
        (b"\x00\x01", "binary_frame"),
        ("{", "broken_json"),
        ("", "broken_json"),
        ("[" * 60_000, "malformed"),
        ("null", "malformed"),
        (text({"event": 7}), "malformed"),
        (text(start(streamSid="MZother")), "wrong_stream"),
        (text(start(callSid="CA1\n forged log line")), "malformed"),
        (text({"event": "start", "streamSid": STREAM}), "malformed"),
        ("x" * (MAX_FRAME + 1), "oversize"),
    ],
)
def test_before_the_start_every_error_is_fatal(frame: str | bytes, reason: str) -> None:
    """Nobody has said who they are yet, so nothing is forgiven."""
    error = refused(TwilioStream(), frame)
    assert (error.reason, error.fatal) == (reason, True)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\x00\x01", "binary_frame"),
        ("{", "broken_json"),
        ('{"event":"media","x":' + "[" * 60_000, "broken_json"),
        ('{"event":"mark","mark":{"name":"\\ud800"}}', "broken_json"),
        ("\ud800", "broken_json"),
        (text(start()), "second_start"),
        (text(start(streamSid="MZother")), "second_start"),
        (text(media("0") | {"streamSid": "MZother"}), "wrong_stream"),
        (text(MARK | {"streamSid": "MZother"}), "wrong_stream"),
        (text(STOP | {"streamSid": "MZother"}), "wrong_stream"),
        (text(media("0", track="outbound")), "wrong_track"),
        (text(media("0", payload="no base64!")), "malformed"),
        (text(media("0", payload="")), "malformed"),
        (text(media("-1")), "malformed"),
        (text(media("9" * 6000)), "malformed"),
        (text(simple("media")), "malformed"),
        (text(simple("mark", mark={})), "malformed"),
        (text(simple("dtmf", dtmf={"digit": "10"})), "malformed"),
    ],
)
def test_after_the_start_a_bad_frame_costs_only_itself(stream: TwilioStream, frame: str | bytes, reason: str) -> None:
    """The error has its own name, is not fatal, and the next good frame is heard."""
    error = refused(stream, frame)
    assert (error.reason, error.fatal) == (reason, False)
    assert stream.receive(text(media("40"))) == Audio(40, b"\xff" * 160)


def test_an_oversize_frame_ends_the_stream(stream: TwilioStream) -> None:
    """64 KiB is over a hundred times what Twilio sends: whoever sends more is somebody else."""
    error = refused(stream, text(media("0", b"\xff" * MAX_FRAME)))
    assert (error.reason, error.fatal) == ("oversize", True)


def test_nothing_is_heard_after_the_stop(stream: TwilioStream) -> None:
    """Audio, a mark or a second stop after the stop is an error of its own."""
    stream.receive(text(STOP))
    assert [refused(stream, text(frame)).reason for frame in (media("0"), MARK, DIGIT, STOP)] == ["after_stop"] * 4


def test_unknown_events_are_ignored_and_counted(stream: TwilioStream) -> None:
    """What a provider adds tomorrow does no harm today, before the start or after."""
    assert stream.receive(text({"event": "weather", "sky": "blue"})) is None
    assert stream.receive(text({"event": "weather"})) is None
    assert stream.counts["unknown_event"] == 2
    assert TwilioStream().receive(text({"event": "weather"})) is None


def test_audio_keeps_its_time_and_what_is_missing_is_counted(stream: TwilioStream) -> None:
    """The first timestamp need not be 0; a jump is lost audio; a timestamp that does not rise is dropped, once each."""
    heard = [stream.receive(text(media(at))) for at in (155, 175, 175, 235, 195, 255)]
    assert [audio.timestamp if isinstance(audio, Audio) else None for audio in heard] == [
        155,
        175,
        None,
        235,
        None,
        255,
    ]
    assert stream.counts["lost_audio_ms"] == 40
    assert stream.counts["repeated_audio"] == 2


def test_what_is_sent_is_what_the_reference_shows(stream: TwilioStream) -> None:
    """media, mark and clear carry the stream's own name; audio is base64 once; a mark's name is quoted."""
    assert json.loads(stream.media(b"\x00\xff")) == {
        "event": "media",
        "streamSid": STREAM,
        "media": {"payload": "AP8="},
    }
    assert json.loads(stream.mark('a"b')) == {"event": "mark", "streamSid": STREAM, "mark": {"name": 'a"b'}}
    assert json.loads(stream.clear()) == {"event": "clear", "streamSid": STREAM}


def test_nothing_can_be_sent_before_the_start() -> None:
    """There is no stream to name yet."""
    with pytest.raises(RuntimeError, match="start"):
        TwilioStream().clear()


# ---------------------------------------------------------------- noise

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
known = st.sampled_from([CONNECTED, start(), media("20"), MARK, DIGIT, STOP])


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid message with one field, at any depth, replaced or removed."""
    message = json.loads(text(draw(known)))
    place = message
    key = draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], dict) and place[key] and draw(st.booleans()):
        place = place[key]
        key = draw(st.sampled_from(sorted(place)))
    if draw(st.booleans()):
        place[key] = draw(json_values)
    else:
        del place[key]
    return text(message)


frames = st.one_of(
    st.binary(max_size=50),
    st.text(max_size=80),
    json_values.map(text),
    st.tuples(st.sampled_from(["media", "start", "mark", "dtmf", "stop", "x"]), json_values).map(
        lambda pair: text({"event": pair[0], pair[0]: pair[1], "streamSid": STREAM})
    ),
    mutated(),
    known.map(text),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(frames, min_size=1, max_size=25))
def test_no_sequence_of_frames_gets_past_the_codec(sequence: list[str | bytes]) -> None:
    """Whatever comes, the answer is a typed message, None, or a ProtocolError; audio never runs backwards."""
    stream = TwilioStream()
    last = -1
    for frame in sequence:
        try:
            message = stream.receive(frame)
        except ProtocolError:
            continue
        if isinstance(message, Audio):
            assert message.timestamp > last
            last = message.timestamp


def test_a_hundred_thousand_damaged_frames() -> None:
    """Valid messages cut, spliced, repeated and overwritten at random: never anything but a ProtocolError."""
    dice = random.Random(20261120)
    sources = [text(frame) for frame in (CONNECTED, start(), media("20"), MARK, DIGIT, STOP)]
    stray = string.printable + '\x00\ud800é😀"\\{}[]'
    outcomes = {"message": 0, "error": 0}
    stream = TwilioStream()
    for number in range(100_000):
        if number % 50 == 0:
            stream = TwilioStream()
        frame = dice.choice(sources)
        at, to = sorted((dice.randrange(len(frame)), dice.randrange(len(frame))))
        match dice.randrange(5):
            case 0:
                frame = frame[:at] + dice.choice(stray) + frame[at + 1 :]
            case 1:
                frame = frame[:at] + frame[to:]
            case 2:
                frame = frame[:at] + frame[at:to] * dice.randrange(2, 4) + frame[to:]
            case 3:
                other = dice.choice(sources)
                frame = frame[:at] + other[dice.randrange(len(other)) :]
            case _:
                pass
        try:
            stream.receive(frame)
            outcomes["message"] += 1
        except ProtocolError:
            outcomes["error"] += 1
    assert outcomes["message"] > 10_000
    assert outcomes["error"] > 10_000
