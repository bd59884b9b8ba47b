"""`client-caller models serve pocket`: a voice for a machine without a GPU."""

from pathlib import Path
from typing import Annotated

import typer

from client_caller.cli.serving import Host, Port, listening, need, say


def pocket(
    weights: Annotated[
        Path,
        typer.Option(
            help="Folder with model.safetensors, tokenizer.json and voices/. Nothing is fetched.", file_okay=False
        ),
    ],
    host: Host = "127.0.0.1",
    port: Port = 8001,
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
    need("cpu", "torch", "pocket_tts")
    from client_caller.models.pocket.launch import Launch, serve
    from client_caller.models.pocket.voice import WeightsError

    with listening(host, port, WeightsError) as listener:
        serve(Launch(weights, at_once, waiting), listener, say)
