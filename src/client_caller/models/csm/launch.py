"""From a directory of weights and a voice file to a server that answers."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import uvicorn

from client_caller.models.csm.engine import CsmEngine
from client_caller.models.csm.loop import Loop
from client_caller.models.csm.pace import SLOWEST_STEP, Pace
from client_caller.models.csm.sampling import Sampling
from client_caller.models.csm.server import make_app
from client_caller.models.csm.voice import pinned, read_voice
from client_caller.models.csm.weights import DType, load
from client_caller.models.gpu_share import bound

GRAPH_SIZES = (1, 2, 4, 8, 16)
"""Batches for which CUDA graphs are captured, besides that of all slots."""
_WARM_UP = 3
"""Steps of the largest batch before the server says that it is ready."""
_LARGEST_MESSAGE = 65_536
"""Bytes from a client: a clause is some hundred."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to serve."""

    weights: Path
    voice: Path
    device: Literal["cuda", "cpu"] = "cpu"
    dtype: DType = "float32"
    slots: int = 16
    gpu_memory: float | None = None
    """Gigabytes that this process may take of the GPU; None: all of it."""
    slowest_step: float = SLOWEST_STEP
    sampling: Sampling = field(default_factory=Sampling)


def serve(launch: Launch, listener: socket.socket, tell: Callable[[str], None]) -> None:
    """Serve on a listening socket until a signal comes. `tell` is told in words how far the start is.

    Raises `WeightsError` and `VoiceError`.
    """
    loop, name = made(launch, tell)
    loop.start()
    host, port = listener.getsockname()[:2]
    try:
        tell(f"Ready: http://{host}:{port}, voice {name}")
        asyncio.run(_server(loop, name).serve([listener]))
    finally:
        loop.stop()


def made(launch: Launch, tell: Callable[[str], None]) -> tuple[Loop, str]:
    """An engine that has spoken its first frames, in its loop, not yet started; and the name of its voice."""
    voice, samples = read_voice(launch.voice)
    tell(f"Loading {launch.weights} on {launch.device} in {launch.dtype}")
    cuda = launch.device == "cuda"
    if cuda and launch.gpu_memory is not None:
        bound(launch.gpu_memory)
    weights = load(launch.weights, device=launch.device, dtype=launch.dtype)
    sizes = sorted({size for size in (*GRAPH_SIZES, launch.slots) if size <= launch.slots}) if cuda else ()
    tell(f"Preparing {launch.slots} calls at once")
    engine = CsmEngine(weights.model, slots=launch.slots, sampling=launch.sampling, graph_sizes=sizes)
    prefix = pinned(engine, weights, voice, samples)
    for slot in range(launch.slots):
        engine.restore(slot, prefix)
        engine.prefill(slot, engine.end_of_speech())
        engine.speak(slot)
    for _ in range(_WARM_UP):
        engine.step(launch.slots)
    for slot in range(launch.slots):
        engine.rewind(slot, 0)
    return Loop(engine, weights, prefix, voice.speaker, Pace(launch.slowest_step)), voice.name


def _server(loop: Loop, voice: str) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            make_app(loop, voice),
            ws="websockets-sansio",
            ws_max_size=_LARGEST_MESSAGE,
            ws_per_message_deflate=False,
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
