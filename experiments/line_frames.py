"""What does one frame of a call cost on its way from the socket to the call, and back?

    python experiments/line_frames.py

CPU time (user and system) of 20 ms of audio as Twilio sends it, read by the WebSocket library's parser and by
`server.frames`, and of a message of ours written by both; without the socket itself. The best of seven repetitions,
because on a shared machine everything above the best is somebody else.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from client_caller.server.frames import text_frame
from client_caller.server.line import LINE, LineProtocol

FRAMES = 5000
REPETITIONS = 7
REQUEST = (
    b"GET /media HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
MEDIA = {"track": "inbound", "chunk": "100", "timestamp": "2155", "payload": "VVVV" * 53 + "VQ=="}
TEXT = json.dumps({"event": "media", "sequenceNumber": "101", "streamSid": "MZ" + "0" * 32, "media": MEDIA})


class Nowhere(asyncio.Transport):
    """Takes everything."""

    def write(self, data: Any) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass


async def line() -> LineProtocol:
    """One that has been accepted, and hands on what it reads."""
    accepted = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        scope["extensions"][LINE].hand_to(lambda text: None)
        accepted.set()
        await receive()

    config = uvicorn.Config(app, ws_per_message_deflate=False, log_level="critical")
    config.load()
    protocol = LineProtocol(config=config, server_state=ServerState(), app_state={})
    protocol.connection_made(Nowhere())
    protocol.data_received(REQUEST)
    await accepted.wait()
    return protocol


def cost(work: Callable[[], object]) -> float:
    """CPU microseconds."""
    best = float("inf")
    for _ in range(REPETITIONS):
        began = time.process_time()
        for _ in range(FRAMES):
            work()
        best = min(best, time.process_time() - began)
    return best / FRAMES * 1e6


async def main() -> None:
    protocol = await line()
    data = Frame(Opcode.TEXT, TEXT.encode()).serialize(mask=True)

    def by_library() -> None:
        protocol.conn.send_text(TEXT.encode())
        b"".join(protocol.conn.data_to_send())

    print(f"read by the library   {cost(lambda: WebSocketsSansIOProtocol.data_received(protocol, data)):5.2f} us")
    print(f"read by us            {cost(lambda: protocol.data_received(data)):5.2f} us")
    print(f"written by the library{cost(by_library):5.2f} us")
    print(f"written by us         {cost(lambda: text_frame(TEXT)):5.2f} us")


if __name__ == "__main__":
    asyncio.run(main())
