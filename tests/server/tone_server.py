"""A program for tests: real calls, with keepers and store, on engine doubles; on a loopback port, without signatures.

Prints its port once it answers. Arguments: the data folder, the port (0 for any), the model file of voice activity
detection.
"""

import asyncio
import sys
import time
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.store import Store
from client_caller.engines.protocols import Engines
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.server.app import create_app
from client_caller.server.run import listen, serve
from client_caller.server.security import Gate
from client_caller.server.sessions import Sessions, StoredPast, new_call_id
from client_caller.server.switchboard import Switchboard
from client_caller.server.voice import Apology
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.telephony.signature import PublicUrl
from client_caller.telephony.tokens import StreamTokens

GREETING = "Hello there, good to hear from you."


async def main(data: Path, port: int, model: Path) -> None:
    if port == 0:
        with listen("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
    store = Store(f"sqlite:///{data / 'calls.sqlite3'}")
    heartbeat = Heartbeat(VoiceBatch(model))
    beating = asyncio.create_task(heartbeat.run())
    sessions = Sessions(
        agent=Agent("Be brief.", greeting=GREETING),
        engines=Engines(EchoStt(), CannedModel(lambda messages: "Here I am again."), ToneSpeech()),
        heartbeat=heartbeat,
        store=store,
        calls=data / "calls",
        recording="on",
    )
    board = Switchboard(max_calls=10, tokens=StreamTokens(time.monotonic), new_id=new_call_id)
    app = create_app(
        gate=Gate(PublicUrl(f"http://127.0.0.1:{port}"), None),
        board=board,
        open_session=sessions.open,
        past=StoredPast(store),
        apology=Apology("Sorry.", "en-GB"),
        ready=lambda: not beating.done(),
        metrics_token=None,
    )
    await serve(app, board, host="127.0.0.1", port=port, started=lambda bound: print(bound, flush=True))
    beating.cancel()
    store.close()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
