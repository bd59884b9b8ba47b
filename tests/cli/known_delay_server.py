"""A program for tests: a server that greets, and then answers every sound a known time after its last voiced sample.

Prints its port once it answers. Arguments: the delay in milliseconds.

`simulator.echo.EchoSession` would not do: its echo never pauses, so one frame that comes late makes all after it late.
"""

import asyncio
import sys
import time

import numpy as np

from client_caller.audio import g711
from client_caller.calls.call import Call
from client_caller.conversation.history import Entry
from client_caller.server.app import create_app
from client_caller.server.run import listen, serve
from client_caller.server.security import Gate
from client_caller.server.switchboard import Earlier, Switchboard
from client_caller.server.voice import Apology
from client_caller.simulator.utterances import voiced
from client_caller.telephony.leg import Leg
from client_caller.telephony.signature import PublicUrl
from client_caller.telephony.tokens import StreamTokens

SOUND = g711.encode(np.tile(np.array([3000, -3000], np.int16), 800))
DELAY = float(sys.argv[1]) / 1000


class KnownDelay:
    """A call's shell that knows nothing but the time."""

    def __init__(self, call: Call, leg: Leg, earlier: tuple[Entry, ...]) -> None:
        self._leg = leg
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.TimerHandle | None = None
        self._over: asyncio.Future[str] = self._loop.create_future()

    def begin(self) -> None:
        self._leg.send_audio(SOUND)

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        places = voiced(mulaw)
        if len(places):
            if self._answer is not None:
                self._answer.cancel()
            since = (len(mulaw) - int(places[-1]) - 1) / g711.SAMPLE_RATE
            self._answer = self._loop.call_later(DELAY - since, self._leg.send_audio, SOUND)

    def acknowledge(self, mark: str) -> None:
        pass

    def press(self, digit: str) -> None:
        pass

    def lose(self, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(reason)

    async def ended(self) -> str:
        return await self._over


class NoPast:
    async def find(self, provider_id: str) -> Earlier | None:
        return None


async def main() -> None:
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    board = Switchboard(max_calls=10, tokens=StreamTokens(time.monotonic), new_id=lambda: "call")
    app = create_app(
        gate=Gate(PublicUrl(f"http://127.0.0.1:{port}"), None),
        board=board,
        open_session=KnownDelay,
        past=NoPast(),
        apology=Apology("Sorry.", "en-GB"),
        ready=lambda: True,
        metrics_token=None,
    )
    await serve(app, board, sock, drain_limit=5, started=lambda: print(port, flush=True))


asyncio.run(main())
