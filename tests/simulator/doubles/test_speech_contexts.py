"""The doubles of the vendors' voices do what their drivers have to cope with."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from client_caller.simulator.doubles.cartesia import CartesiaDouble
from client_caller.simulator.doubles.elevenlabs import ElevenLabsDouble

PATH = "/v1/text-to-speech/v/multi-stream-input?model_id=m"


async def send(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))


async def test_elevenlabs_drops_the_connection_at_the_sixth_context() -> None:
    """Flushed or not, five contexts are what it holds; the reason comes first, and then the end."""
    double = ElevenLabsDouble()
    async with double.serving() as url, connect(url + PATH) as socket:
        for number in range(6):
            await send(socket, text="waiting ", context_id=str(number))
        assert json.loads(await socket.recv())["error"] == "max_active_conversations"
        with pytest.raises(ConnectionClosed, match="1008"):
            await socket.recv()
        with pytest.raises(InvalidStatus):
            await connect(f"{url}/v1/text-to-speech/another-voice/multi-stream-input")


async def test_elevenlabs_speaks_a_closed_context_to_its_end() -> None:
    """What was flushed goes on after the context was closed, and only then comes the last message."""
    double = ElevenLabsDouble(first_byte=0.0, speed=1000)
    async with double.serving() as url, connect(url + PATH) as socket:
        await send(socket, text="one two ", context_id="c", flush=True)
        await send(socket, context_id="c", close_context=True)
        messages = [json.loads(await socket.recv()) for _ in range(3)]
    assert ["".join(one["alignment"]["chars"]) for one in messages[:2]] == ["one", " two"]
    assert messages[2] == {"isFinal": True, "contextId": "c"}


async def test_cartesia_makes_nothing_more_for_a_cancelled_context() -> None:
    """No word of it comes after the other context's, which began later."""
    double = CartesiaDouble(first_byte=0.0, speed=20)
    async with double.serving() as url, connect(f"{url}/tts/websocket") as socket:
        await send(socket, context_id="a", transcript="one two three four")
        assert json.loads(await socket.recv())["context_id"] == "a"
        await send(socket, context_id="a", cancel=True)
        await send(socket, context_id="b", transcript="five six seven")
        kinds = []
        async for text in socket:
            message = json.loads(text)
            kinds.append((message["context_id"], message["type"]))
            if message["type"] == "done":
                break
    assert kinds[-7:] == [("b", "timestamps"), ("b", "chunk")] * 3 + [("b", "done")]
    assert double.voice.clauses[0].cancelled
