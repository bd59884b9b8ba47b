"""The WebSocket underneath a call: whole frames take a short way, and the others still come in their order."""

import asyncio
import base64
import json
from itertools import pairwise
from typing import Any

from websockets.frames import Frame, Opcode

from client_caller.telephony.twilio_stream import MAX_FRAME

Edge = Any
FRAME = b"\x55" * 160


async def test_a_frame_in_parts_keeps_its_place(edge: Edge) -> None:
    """It takes the long way, and what follows it waits: all audio is heard, in order."""
    async with edge.call() as stream:
        audio = [bytes([number]) * 160 for number in range(1, 7)]
        for place, mulaw in enumerate(audio):
            payload = base64.b64encode(mulaw).decode()
            media = {"track": "inbound", "timestamp": str(1000 + 20 * place), "payload": payload}
            text = json.dumps({"event": "media", "streamSid": stream.name, "media": media})
            await stream.socket.send([text[:50], text[50:]] if place % 3 == 1 else text)
        heard = [base64.b64decode((await stream.next("media"))["media"]["payload"]) for _ in audio]
    assert heard == audio


async def test_text_that_is_none_closes_its_connection_alone(edge: Edge) -> None:
    """With 1007, as WebSockets should: the call is lost, the other one goes on."""
    async with edge.call("CA1") as bad, edge.call("CA2") as good:
        await bad.socket.send(b"\xff\xfe", text=True)
        assert await bad.closed() == 1007
        assert await good.echoes(FRAME)
    assert edge.sessions[0].reason == "connection_lost"


async def test_frames_are_put_together_from_what_the_network_makes_of_them(edge: Edge) -> None:
    """Several at once, or one in pieces, cut anywhere: all of them are heard, in order."""
    async with edge.call() as stream:
        audio = [bytes([number]) * 160 for number in range(1, 31)]
        wire = b""
        for place, mulaw in enumerate(audio):
            payload = base64.b64encode(mulaw).decode()
            media = {"track": "inbound", "timestamp": str(1000 + 20 * place), "payload": payload}
            text = json.dumps({"event": "media", "streamSid": stream.name, "media": media})
            wire += Frame(Opcode.TEXT, text.encode()).serialize(mask=True)
        for start, end in pairwise([0, 1, 2, 3, 7, 8, 9, 400, 2000, 2001, 5000, len(wire)]):
            stream.socket.transport.write(wire[start:end])
            assert (await edge.get("/healthz")).status_code == 200  # the server has read what was there
        heard = [base64.b64decode((await stream.next("media"))["media"]["payload"]) for _ in audio]
    assert heard == audio


async def test_a_frame_that_is_too_long_is_refused_by_its_header(edge: Edge) -> None:
    """With 1009, before any of it is kept; the other calls go on."""
    async with edge.call("CA1") as bad, edge.call("CA2") as good:
        bad.socket.transport.write(Frame(Opcode.TEXT, bytes(MAX_FRAME + 1)).serialize(mask=True)[:14])
        assert await bad.closed() == 1009
        assert await good.echoes(FRAME)
    assert edge.sessions[0].reason == "connection_lost"


async def test_a_ping_amid_the_audio_is_answered(edge: Edge) -> None:
    """What is not a text frame takes the long way, and holds nothing up."""
    async with edge.call() as stream:
        for _ in range(3):
            pong = await stream.socket.ping()
            assert await stream.echoes(FRAME)
            await asyncio.wait_for(pong, 5)
