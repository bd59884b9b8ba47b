"""From a folder of weights to a server that answers."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from client_caller.models.pocket.desk import Desk
from client_caller.models.pocket.server import configure, make_app
from client_caller.models.pocket.voice import PocketVoice

_WARM_UP = "Hello."


@dataclass(frozen=True, slots=True)
class Launch:
    """What to serve."""

    weights: Path
    at_once: int = 1
    """Texts spoken at a time; each takes a model of its own."""
    waiting: int = 4
    """Texts that may wait: at several times the speed of speech, a voice is soon free."""


def serve(launch: Launch, listener: socket.socket, tell: Callable[[str], None]) -> None:
    """Serve on a listening socket until a signal comes. `tell` is told in words how far the start is.

    Raises `WeightsError`.
    """
    tell(f"Loading {launch.weights}")
    voices = [PocketVoice(launch.weights) for _ in range(launch.at_once)]
    for voice in voices:
        for _ in voice.speak(voice.voices[0], _WARM_UP, threading.Event()):
            pass
    app = make_app(Desk(voices, launch.waiting))
    host, port = listener.getsockname()[:2]
    tell(f"Ready: http://{host}:{port}, voices {', '.join(voices[0].voices)}")
    with suppress(KeyboardInterrupt):  # uvicorn has ended all requests, and passes the signal on
        uvicorn.Server(configure(app)).run(sockets=[listener])
