"""A program for tests: the edge with echo sessions, on a free loopback port, without signatures.

Prints its port once it answers. Arguments: the drain limit in seconds.
"""

import asyncio
import sys
import time

from client_caller.server.app import create_app
from client_caller.server.run import listen, serve
from client_caller.server.security import Gate
from client_caller.server.switchboard import Earlier, Switchboard
from client_caller.server.voice import Apology
from client_caller.simulator.echo import EchoSession
from client_caller.telephony.signature import PublicUrl
from client_caller.telephony.tokens import StreamTokens


class NoPast:
    async def find(self, provider_id: str) -> Earlier | None:
        return None


async def main(drain_limit: float) -> None:
    board = Switchboard(max_calls=10, tokens=StreamTokens(time.monotonic), new_id=lambda: "call")
    app = create_app(
        gate=Gate(PublicUrl("http://127.0.0.1"), None),
        board=board,
        open_session=EchoSession,
        past=NoPast(),
        apology=Apology("Sorry.", "en-GB"),
        ready=lambda: True,
        metrics_token=None,
    )
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    await serve(app, board, sock, drain_limit=drain_limit, started=lambda: print(port, flush=True))
    print("clean end", flush=True)


asyncio.run(main(float(sys.argv[1])))
