"""The WebSocket underneath a call: whole frames take a short way, and the others still come in their order."""

import base64
import json
from typing import Any

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
