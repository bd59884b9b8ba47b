"""The laws of the far end: what it plays, and when marks come back."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.simulator.network import FarEnd, Refused, StreamIdentity
from client_caller.telephony.twilio_stream import Audio, Digit, Mark, Started, Stopped, TwilioStream

IDENTITY = StreamIdentity("CA1", "MZ1", parameters={"token": "t"})


def media(mulaw: bytes) -> str:
    return json.dumps(
        {"event": "media", "streamSid": "MZ1", "media": {"payload": base64.b64encode(mulaw).decode()}},
    )


def mark(name: str) -> str:
    return json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}})


CLEAR = json.dumps({"event": "clear", "streamSid": "MZ1"})


def names(frames: tuple[str, ...]) -> list[str]:
    return [json.loads(frame)["mark"]["name"] for frame in frames]


def test_it_speaks_as_twilio_does() -> None:
    """Our own strict codec understands every message; numbers are strings and the first timestamp is not 0."""
    end = FarEnd(IDENTITY, opened=10.0)
    stream = TwilioStream()
    connected, start = end.opening()
    assert json.loads(connected) == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert stream.receive(connected) is None
    assert stream.receive(start) == Started("MZ1", "CA1", IDENTITY.account_sid, {"token": "t"})
    voices = [end.voice(bytes([k]) * 160) for k in range(3)]
    assert [stream.receive(voice) for voice in voices] == [
        Audio(155 + 20 * k, bytes([k]) * 160) for k in range(3)
    ]  # fmt: skip
    first: dict[str, Any] = json.loads(voices[0])
    assert (first["sequenceNumber"], first["media"]["chunk"], first["media"]["timestamp"]) == ("2", "1", "155")
    assert stream.receive(end.key("#")) == Digit("#")
    (returned,) = end.receive(stream.mark("m"), 10.0)
    assert stream.receive(returned) == Mark("m")
    assert stream.receive(end.stop()) == Stopped()
    assert not +stream.counts, "nothing had to be tolerated"


def test_audio_plays_at_its_rate_and_marks_follow_it() -> None:
    """8 samples a millisecond from the moment it comes; a mark is due with the last sample sent before it."""
    end = FarEnd(IDENTITY, opened=0.0)
    assert end.receive(media(b"\x01" * 1000), 1.0) == ()
    assert end.receive(mark("a"), 1.0) == ()
    assert end.receive(media(b"\x02" * 80), 1.05) == ()
    assert end.receive(mark("b"), 1.05) == ()
    assert end.due == 1.125
    assert end.advance(1.1249) == ()
    assert names(end.advance(1.125)) == ["a"]
    assert end.due == 1.135
    assert names(end.advance(2.0)) == ["b"]
    assert end.due is None
    assert bytes(end.played) == b"\xff" * 8000 + b"\x01" * 1000 + b"\x02" * 80 + b"\xff" * (8000 - 1080)


def test_a_mark_behind_nothing_comes_back_at_once() -> None:
    """With an empty buffer there is nothing to wait for."""
    end = FarEnd(IDENTITY, opened=0.0)
    assert names(end.receive(mark("now"), 0.5)) == ["now"]


def test_clear_silences_and_returns_every_mark() -> None:
    """What was not played never is; its marks come back all the same, and later audio plays as usual."""
    end = FarEnd(IDENTITY, opened=0.0)
    end.receive(media(b"\x01" * 400), 0.0)
    end.receive(mark("played"), 0.0)
    end.receive(media(b"\x02" * 400), 0.0)
    end.receive(mark("dropped"), 0.0)
    assert names(end.receive(CLEAR, 0.075)) == ["played", "dropped"]
    (cleared,) = end.clears
    assert (cleared.at, cleared.dropped, cleared.marks) == (600, 200, ("dropped",))
    end.receive(media(b"\x03" * 8), 0.1)
    assert names(end.receive(mark("later"), 0.1)) == []
    assert names(end.advance(0.101)) == ["later"]
    assert bytes(end.played) == b"\x01" * 400 + b"\x02" * 200 + b"\xff" * 200 + b"\x03" * 8


operations = st.lists(
    st.one_of(
        st.tuples(st.just("media"), st.binary(max_size=600)),
        st.tuples(st.just("mark"), st.just(b"")),
        st.tuples(st.just("clear"), st.just(b"")),
        st.tuples(st.just("wait"), st.binary(max_size=3)),
    ),
    max_size=40,
)


@given(operations)
def test_it_equals_a_player_that_plays_one_sample_at_a_time(steps: list[tuple[str, bytes]]) -> None:
    """Whatever comes when, the samples played and the times of the marks are those of the simplest possible player."""
    end = FarEnd(IDENTITY, opened=3.0)
    queue: list[int | str] = []
    played: list[int] = []
    returned: list[tuple[int, str]] = []
    expected: list[tuple[int, str]] = []

    def give_back() -> None:
        while queue and isinstance(queue[0], str):
            expected.append((len(played), str(queue.pop(0))))

    for number, (step, data) in enumerate(steps):
        now = 3.0 + len(played) / 8000
        if step == "media":
            queue += data
            frames = end.receive(media(data), now)
        elif step == "mark":
            queue.append(str(number))
            frames = end.receive(mark(str(number)), now)
        elif step == "clear":
            queue = [item for item in queue if isinstance(item, str)]
            frames = end.receive(CLEAR, now)
        else:
            frames = ()
            for _ in range(len(data) * 77):
                played.append(int(queue.pop(0)) if queue else 0xFF)
                give_back()
                due = end.advance(3.0 + len(played) / 8000)
                returned += [(len(played), name) for name in names(due)]
        give_back()
        returned += [(len(played), name) for name in names(frames)]
    assert list(end.played) == played
    assert returned == expected


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[]",
        '{"event": "media", "streamSid": "MZ2", "media": {"payload": ""}}',
        '{"event": "media", "streamSid": "MZ1", "media": {"payload": "?"}}',
        '{"event": "media", "streamSid": "MZ1"}',
        '{"event": "mark", "streamSid": "MZ1"}',
        '{"event": "start", "streamSid": "MZ1"}',
    ],
)
def test_it_refuses_what_twilio_would_not_understand(frame: str) -> None:
    """A wrong message is an error of the side under test, and is never passed over."""
    with pytest.raises(Refused):
        FarEnd(IDENTITY, opened=0.0).receive(frame, 0.0)
