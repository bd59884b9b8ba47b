"""From a model's name to a server that answers."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from client_caller.models.hearing.batching import LARGEST, Batcher
from client_caller.models.hearing.launch import SLOWEST, run
from client_caller.models.hearing.recogniser import SAMPLE_RATE
from client_caller.models.whisper.backend import Backend, Window
from client_caller.models.whisper.faster import FasterWhisper
from client_caller.models.whisper.recogniser import Whisper


@dataclass(frozen=True, slots=True)
class Launch:
    """What to serve."""

    model: str
    """A directory, or a name that faster-whisper knows."""
    device: str = "cpu"
    compute_type: str = "default"
    threads: int = 0
    """Of the CPU; 0: as CTranslate2 chooses."""
    offline: bool = False
    guess_window: float | None = None
    """Seconds to which windows of guesses are shortened; None: not at all."""
    batch: int = LARGEST
    slowest: float = SLOWEST


def serve(launch: Launch, silero: Path, listener: socket.socket, tell: Callable[[str], None]) -> None:
    """Serve on a listening socket until a signal comes. `silero`: the voice activity model's file.

    `tell` is told in words how far the start is. Raises `WhisperUnavailable`.
    """
    tell(f"Loading {launch.model} on {launch.device}")
    backend = FasterWhisper(
        launch.model,
        device=launch.device,
        compute_type=launch.compute_type,
        threads=launch.threads,
        offline=launch.offline,
        shortest=launch.guess_window,
    )
    tell(f"Preparing for {launch.batch} windows at once")
    warm_up(backend, launch.batch)
    whisper = Whisper(backend, Batcher(backend.transcribe, largest=launch.batch))
    run(whisper, silero, listener, tell, model=launch.model, slowest=launch.slowest)


def warm_up(backend: Backend, batch: int) -> None:
    """Run the largest batch of each kind: memory is taken and kernels are chosen now, and not in a call."""
    second = np.zeros(SAMPLE_RATE, np.float32)
    for final in (False, True):
        backend.transcribe([Window(second, detect=True, final=final)] * batch)
