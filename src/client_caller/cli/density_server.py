"""The side that `client-caller bench density` measures, in a process of its own: the real server, engines doubled.

Takes its settings as one JSON object on stdin. Prints its port once it answers, and then a line for each beat that was
late while it computed: `late`, and when that was, on the machine's monotonic clock. Between two SIGUSR1 it also looks
for the longest time in which it let everybody wait, and prints it after the second: `wait`, and seconds. Any other
signal ends it.
"""

import asyncio
import json
import logging
import signal
import sys
import time
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.calls.store import Store, database_in
from client_caller.cli.loop_watch import LATE, LongestWait, LoopWatch
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
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _Waits().toggle)
        await answer_calls(Agent("Chat."), engines, store, place, started=lambda: print(port, flush=True))
        watching.cancel()

    uvloop.run(serve())


def _tell_own(late: float, cpu: float) -> None:
    if min(late, cpu) >= LATE:
        print("late", time.monotonic(), flush=True)


class _Waits:
    """Looks only when asked to: a look every millisecond costs more than a call."""

    def __init__(self) -> None:
        self._longest: LongestWait | None = None

    def toggle(self) -> None:
        if self._longest is None:
            self._longest = LongestWait()
        else:
            self._longest.stop()
            print("wait", self._longest.seconds, flush=True)
            self._longest = None


if __name__ == "__main__":
    main()
