"""What the commands that serve one model have in common."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Annotated, Literal, NoReturn

import typer
from rich.console import Console

from client_caller.server.run import listen

Host = Annotated[str, typer.Option(help="Address to listen at. There is no password: keep it private.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes any free one.")]
Device = Literal["cuda", "cpu"]


def say(line: str) -> None:
    """Tell whoever started the server."""
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def fail(line: str) -> NoReturn:
    """Say what is wrong, and end with 1."""
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(1)


def need(extra: str, *packages: str) -> None:
    """End with the way to install an extra where one of its packages is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    first = "Install PyTorch for your machine first (pip install torch), then: " if "torch" in packages else ""
    if missing:
        fail(f"{' and '.join(missing)} not installed. {first}pip install 'client-caller[{extra}]'")


def torch_device(asked: Device | None) -> Device:
    """What was asked for, or the GPU if there is one. Ends where it was asked for and there is none."""
    import torch

    if asked == "cuda" and not torch.cuda.is_available():
        fail("This PyTorch finds no GPU for --device cuda. Check nvidia-smi, and that PyTorch was built for CUDA.")
    return asked or ("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def listening(host: str, port: int, *refusals: type[Exception]) -> Iterator[socket.socket]:
    """A socket to serve at, until Ctrl-C. Ends with what to do where there is none, or why serving is refused."""
    try:
        listener = listen(host, port)
    except OSError as error:
        fail(f"Can't listen at {host}:{port} ({error.strerror}): choose another --port, or end what listens there.")
    with listener:
        try:
            yield listener
        except refusals as error:
            fail(str(error))
        except KeyboardInterrupt:
            say("Stopped.")
