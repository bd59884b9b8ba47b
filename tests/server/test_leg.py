"""The outbox of a line: in order, bounded, and silent at once when cleared."""

import asyncio
import json

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


async def sent_by(leg: SocketLeg) -> list[str]:
    """What a socket that takes everything gets, from here to the hang-up, by kind and mark."""
    frames: list[str] = []

    async def send(text: str) -> None:
        message = json.loads(text)
        frames.append(message.get("mark", {}).get("name") or message["event"])

    leg.hang_up("done")
    await leg.write(send)
    return frames


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
    sent: asyncio.Queue[str] = asyncio.Queue()
    writer = asyncio.create_task(leg.write(sent.put))
    for name in ("a", "b"):
        leg.send_mark(name)
        assert name in await asyncio.wait_for(sent.get(), 5)
    leg.hang_up("done")
    await asyncio.wait_for(writer, 5)
