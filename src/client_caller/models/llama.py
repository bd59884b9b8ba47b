"""A GGUF behind llama.cpp's own server, which `xllamacpp` brings along: the language model on a CPU.

The flags are those that calls need, as `models.vllm` has them for a GPU. Names and defaults: llama.cpp,
tools/server/README.md.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import xllamacpp

from client_caller.models.vllm import CONTEXT

MAGIC = b"GGUF"
_ERRORS = 1
"""llama.cpp's verbosity at which it tells nothing but errors."""


class ModelUnusable(Exception):
    """The file can't be served. `str(error)` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What to serve."""

    model: Path
    name: str = "gemma"
    """By which calls ask for it."""
    calls: int = 2
    """Prompts that are kept at a time, each with a place of its own: one more call begins cold."""
    threads: int = 0
    """0: half of the logical processors; hearing and voice run beside it."""
    context: int = CONTEXT


def serve(launch: Launch, listener: socket.socket, tell: Callable[[str], None]) -> None:
    """Serve at a listening socket's address, which is closed, until a signal comes.

    `tell` is told in words how far the start is. Raises `ModelUnusable`.
    """
    _check(launch.model)
    tell(f"Loading {launch.model}")
    params = _params(launch)
    host, port = listener.getsockname()[:2]
    params.hostnames, params.port = [host], port
    listener.close()  # llama.cpp makes its own; that one only proved that the address is free
    try:
        server = xllamacpp.Server(params)
    except RuntimeError:
        raise ModelUnusable(
            f"llama.cpp can't serve {launch.model}; why is above. If the file is damaged, fetch it again; "
            "if its kind is too new, upgrade: pip install -U xllamacpp"
        ) from None
    signal.signal(signal.SIGTERM, _stop)
    with suppress(KeyboardInterrupt):
        tell(f"Ready: {server.listening_address}, model {launch.name}")
        threading.Event().wait()


def _check(model: Path) -> None:
    try:
        with model.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise ModelUnusable(
            f"{model} can't be read ({error.strerror}). For the small Gemma, run: client-caller models pull cpu"
        ) from None
    if magic != MAGIC:
        raise ModelUnusable(f"{model} is not a GGUF file.")


def _params(launch: Launch) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(launch.model)
    params.model_alias = {launch.name}
    params.n_parallel = launch.calls
    params.n_ctx = launch.calls * launch.context
    params.cpuparams.n_threads = launch.threads or max(1, (os.cpu_count() or 2) // 2)
    # Gemma looks at a window of the prompt in most layers, and keeps no more of it there. A whole cache can be cut just
    # where a reply was interrupted; the other goes back to a checkpoint before (experiments/gemma_cost.py: a turn after
    # an interruption is 60 tokens to read in place of 77).
    params.swa_full = True
    params.cache_ram_mib = 0  # else prompts that ended are kept in up to 8 GB of memory
    params.endpoint_metrics = True
    params.endpoint_slots = False  # it shows prompts
    params.ui = False
    params.verbosity = _ERRORS
    return params


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
