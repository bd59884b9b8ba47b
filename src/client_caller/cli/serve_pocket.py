"""`client-caller models serve pocket`: a voice for a machine without a GPU."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.server.run import listen


def pocket(
    weights: Annotated[
        Path,
        typer.Option(
            help="Folder with model.safetensors, tokenizer.json and voices/. Nothing is fetched.", file_okay=False
        ),
    ],
    host: Annotated[str, typer.Option(help="Address to listen at. There is no password: keep it private.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes any free one.")] = 8001,
    at_once: Annotated[
        int, typer.Option(min=1, max=32, help="Texts spoken at a time. Each takes two threads and 0.4 GB.")
    ] = 1,
    waiting: Annotated[
        int, typer.Option(min=0, max=100, help="Texts that may wait for a voice; one more is told to come again.")
    ] = 4,
) -> None:
    """Serve Pocket TTS, a small voice for CPUs, at /v1/audio/speech. Ends with Ctrl-C.

        client-caller models pull cpu

    fetches the weights and says where they are. Then, in client-caller.toml:

    \b
        \\[tts]
        base_url = "http://127.0.0.1:8001/v1"
        voice = "alba"

    /healthz and /metrics are for operators.
    """
    if find_spec("pocket_tts") is None:
        _fail(
            "pocket_tts not installed. Install PyTorch for your machine first (pip install torch), "
            "then: pip install 'client-caller[cpu]'"
        )
    from client_caller.models.pocket.launch import Launch, serve
    from client_caller.models.pocket.voice import WeightsError

    try:
        with listen(host, port) as listener:
            serve(Launch(weights, at_once, waiting), listener, _say)
    except WeightsError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Can't listen at {host}:{port} ({error.strerror}): choose another --port, or end what listens there.")


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def _fail(line: str) -> None:
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(1)
