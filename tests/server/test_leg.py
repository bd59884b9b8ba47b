"""The outbox of a line: in order, bounded, and silent at once when cleared."""

import asyncio
import json
from collections.abc import Callable, Iterable

import pytest

from client_caller.server.leg import OUTBOX, SocketLeg
from client_caller.telephony.twilio_stream import TwilioStream

START = {
    "event": "start",
    "streamSid": "MZ1",
    "start": {
        "accountSid": "AC1",
        "streamSid": "MZ1",
        "callSid": "CA1",
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    },
}


@pytest.fixture
def leg() -> SocketLeg:
    stream = TwilioStream()
    stream.receive(json.dumps(START))
    return SocketLeg(stream)


class Line:
    """A socket that takes everything, while it is writable."""

    def __init__(self) -> None:
        self.writable = asyncio.Event()
        self.writable.set()
        self.sent: list[str] = []
        """By kind, marks by name."""
        self.written = asyncio.Event()

    def hand_to(self, take: Callable[[str], None]) -> None:
        raise AssertionError("a leg does not listen")

    def write(self, frames: Iterable[str]) -> None:
        for frame in frames:
            message = json.loads(frame)
            self.sent.append(message.get("mark", {}).get("name") or message["event"])
        self.written.set()

    def abort(self) -> None:
        raise AssertionError("a leg does not end its line")


async def sent_by(leg: SocketLeg) -> list[str]:
    """What a socket gets, from here to the hang-up."""
    line = Line()
    leg.hang_up("done")
    await leg.write(line)
    return line.sent


async def test_what_is_queued_leaves_in_order(leg: SocketLeg) -> None:
    """Audio and the marks behind it stay in their places."""
    leg.send_audio(b"\xff")
    leg.send_mark("a")
    leg.send_audio(b"\xff")
    leg.send_mark("b")
    assert await sent_by(leg) == ["media", "a", "media", "b"]


async def test_a_clear_overtakes_audio_but_not_marks(leg: SocketLeg) -> None:
    """Audio that has not left is dropped on the spot; its marks still go to the far end, which returns them."""
    leg.send_audio(b"\xff")
    leg.send_mark("a")
    leg.clear()
    leg.send_audio(b"\xff")
    assert await sent_by(leg) == ["a", "clear", "media"]


async def test_nothing_leaves_after_the_hang_up(leg: SocketLeg) -> None:
    """What was queued before it does, even if a clear comes later; the first reason stays, too."""
    leg.send_audio(b"\xff")
    leg.hang_up("first")
    leg.send_audio(b"\xff")
    leg.send_mark("late")
    leg.clear()
    assert await sent_by(leg) == ["media"]
    assert leg.reason == "first"


async def test_the_outbox_is_bounded(leg: SocketLeg) -> None:
    """A full one is a stalled line; what does not fit is dropped, not the oldest."""
    for number in range(OUTBOX):
        leg.send_mark(str(number))
    assert not leg.stalled.is_set()
    leg.send_audio(b"\xff")
    assert leg.stalled.is_set()
    assert await sent_by(leg) == [str(number) for number in range(OUTBOX)]


async def test_the_writer_waits_for_more(leg: SocketLeg) -> None:
    """It sleeps on an empty outbox and wakes with the next frame."""
    line = Line()
    writer = asyncio.create_task(leg.write(line))
    for names in (["a"], ["a", "b"]):
        leg.send_mark(names[-1])
        await asyncio.wait_for(line.written.wait(), 5)
        line.written.clear()
        assert line.sent == names
    leg.hang_up("done")
    await asyncio.wait_for(writer, 5)


async def test_a_clear_catches_audio_that_the_socket_did_not_take_yet(leg: SocketLeg) -> None:
    """What waits for a far end that does not keep up has not left: none of it is sent after a clear."""
    line = Line()
    line.writable.clear()
    leg.send_audio(b"\xff")
    writer = asyncio.create_task(leg.write(line))
    await asyncio.sleep(0)  # the writer has begun, and waits
    leg.clear()
    line.writable.set()
    leg.hang_up("done")
    await asyncio.wait_for(writer, 5)
    assert line.sent == ["clear"]
