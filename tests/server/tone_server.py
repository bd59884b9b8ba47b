"""A program for tests: the whole server on engine doubles, on a loopback port, without signatures.

Prints its port once it answers. Arguments: the data folder, the port (0 for any), the model file of voice activity
detection.
"""

import asyncio
import sys
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.calls.store import Store
from client_caller.engines.protocols import Engines
from client_caller.server.house import Place, answer_calls
from client_caller.server.run import listen
from client_caller.server.security import make_gate
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech

data, model = Path(sys.argv[1]), Path(sys.argv[3])
sock = listen("127.0.0.1", int(sys.argv[2]))
port = sock.getsockname()[1]

asyncio.run(
    answer_calls(
        Agent("Be brief.", greeting="Hello there, good to hear from you."),
        Engines(EchoStt(), CannedModel(lambda messages: "Here I am again."), ToneSpeech()),
        Store(f"sqlite:///{data / 'calls.sqlite3'}"),
        Place(
            gate=make_gate(auth_token=None, public_url=None, insecure_local=True, host="127.0.0.1", port=port),
            sock=sock,
            calls=data / "calls",
            recording="on",
            speech_model=model,
            max_calls=10,
        ),
        started=lambda: print(port, flush=True),
    )
)
