"""From a directory of weights to a server that answers."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from client_caller.models.gpu_share import bound
from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.launch import SLOWEST, run
from client_caller.models.nemotron.engine import Engine
from client_caller.models.nemotron.recogniser import Nemotron
from client_caller.models.nemotron.weights import DType, load

CHUNK = 560
"""Milliseconds. NVIDIA's card has a mean word error rate of 7.2 % at 1,120 ms and of 8.5 % at 80. Final words do not
wait for a chunk to fill, so a longer one makes only the guesses later."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to serve."""

    weights: Path
    device: Literal["cuda", "cpu"] = "cpu"
    dtype: DType = "float32"
    chunk: int = CHUNK
    batch: int = 16
    slowest: float = SLOWEST
    gpu_memory: float | None = None
    """Gigabytes that this process may take of the GPU; None: all of it."""


def serve(launch: Launch, silero: Path, listener: socket.socket, tell: Callable[[str], None]) -> None:
    """Serve on a listening socket until a signal comes. `silero`: the voice activity model's file.

    `tell` is told in words how far the start is. Raises `WeightsError`.
    """
    tell(f"Loading {launch.weights} on {launch.device} in {launch.dtype}")
    if launch.device == "cuda" and launch.gpu_memory is not None:
        bound(launch.gpu_memory)
    engine = Engine(load(launch.weights, device=launch.device, dtype=launch.dtype, chunk=launch.chunk))
    tell(f"Preparing for {launch.batch} calls at once")
    engine.warm_up(launch.batch)
    nemotron = Nemotron(engine.sizes, Batcher(engine.transcribe, largest=launch.batch))
    run(nemotron, silero, listener, tell, model=launch.weights.name, slowest=launch.slowest)
