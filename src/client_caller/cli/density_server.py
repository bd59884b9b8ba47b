"""The side that `client-caller bench density` measures, in a process of its own: the real server, engines doubled.

Takes its settings as one JSON object on stdin. Prints its port once it answers, and then a line for each beat that was
late while it computed: when that was, on the machine's monotonic clock. Ends with a signal.
"""

import asyncio
import json
import logging
import sys
import time
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.calls.store import Store, database_in
from client_caller.cli.loop_watch import LATE, LoopWatch
from client_caller.engines.protocols import Engines
from client_caller.server.house import Place, answer_calls
from client_caller.server.run import listen
from client_caller.server.security import make_gate
from client_caller.simulator.chatter import answer
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech

PUBLIC_URL = "https://bench.invalid"
"""What the webhooks are signed for."""


def main() -> None:
    """Answer calls."""
    import uvloop  # not there on Windows, where `bench density` is not either

    logging.basicConfig(level=logging.ERROR)
    settings = json.load(sys.stdin)
    folder = Path(settings["folder"])
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    gate = make_gate(
        auth_token=settings["token"], public_url=PUBLIC_URL, insecure_local=False, host="127.0.0.1", port=port
    )
    place = Place(
        gate=gate,
        sock=sock,
        calls=folder / "calls",
        recording="off",
        speech_model=Path(settings["model"]),
        max_calls=settings["calls"],
        metrics_token=settings["token"],
    )
    engines = Engines(EchoStt(), CannedModel(answer), ToneSpeech())
    store = Store(database_in(folder))

    async def serve() -> None:
        watching = asyncio.create_task(LoopWatch(_tell_own).run())
        await answer_calls(Agent("Chat."), engines, store, place, started=lambda: print(port, flush=True))
        watching.cancel()

    uvloop.run(serve())


def _tell_own(cpu: float) -> None:
    if cpu >= LATE:
        print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main()
