"""From a model that is loaded and warm to a server that answers."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import uvicorn

from client_caller.models.hearing.recogniser import Recogniser
from client_caller.models.hearing.server import Ears, configure, create_app

SLOWEST = 1.0
"""Seconds that 19 in 20 answers may take before calls are refused: a conversation takes a turn as it stands when its
final words are 1.5 s late (`Policy.transcript_patience`)."""


def run(
    recogniser: Recogniser,
    silero: Path,
    listener: socket.socket,
    tell: Callable[[str], None],
    *,
    model: str,
    slowest: float,
) -> None:
    """Serve on a listening socket until a signal comes; `tell` is told where.

    `silero`: the voice activity model's file. `model`, `slowest`: see `create_app`.
    """
    app = create_app(recogniser, Ears(silero), model=model, slowest=slowest)
    host, port = listener.getsockname()[:2]
    tell(f"Ready: ws://{host}:{port}")
    with suppress(KeyboardInterrupt):  # uvicorn has ended all calls, and passes the signal on
        uvicorn.Server(configure(app)).run(sockets=[listener])
