"""`client-caller models serve nemotron`: speech to text that streams by nature."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from client_caller.cli.serving import Device, Host, Port, listening, need, say, torch_device
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD

Precision = Literal["float32", "bfloat16"]


def nemotron(
    weights: Annotated[
        Path,
        typer.Option(
            help="Folder of nvidia/nemotron-speech-streaming-en-0.6b in transformers' format. Nothing is fetched.",
            file_okay=False,
        ),
    ],
    device: Annotated[Device | None, typer.Option(help="Without it: the GPU, if there is one.")] = None,
    host: Host = "127.0.0.1",
    port: Port = 8002,
    dtype: Annotated[Precision | None, typer.Option(help="Without it: bfloat16 on a GPU, float32 on a CPU.")] = None,
    chunk: Annotated[
        int,
        typer.Option(
            help="Milliseconds that are heard at once: 80, 160, 560 or 1120. Longer ones hear better and cost less, "
            "and guesses come later; final words never wait for a chunk to fill."
        ),
    ] = 560,
    batch: Annotated[int, typer.Option(min=1, help="Most calls in one run of the model.")] = 16,
    slowest: Annotated[
        float,
        typer.Option(min=0.01, help="No more calls are taken while one answer in 20 takes more seconds than this."),
    ] = 1.0,
    gpu_memory: Annotated[
        float | None, typer.Option(min=1, help="Gigabytes of the GPU that this server may take; all, if not given.")
    ] = None,
) -> None:
    """Hear callers with Nemotron: words as they come, each sound heard once. English only. Ends with Ctrl-C.

    Get the weights once, on any machine, then serve them, with a GPU for calls:

        hf download nvidia/nemotron-speech-streaming-en-0.6b --local-dir nemotron

        client-caller models serve nemotron --weights nemotron

    Calls use it as they use Whisper: CLIENT_CALLER_STT_ENGINE=realtime, or engine = "realtime" under \\[stt]. It takes
    no hints. It has no password: keep it on this machine or in a network of your own. /healthz and /metrics are for
    operators.
    """
    need("nemotron", "torch", "transformers", "tokenizers")
    from client_caller.models.nemotron.launch import Launch, serve
    from client_caller.models.nemotron.weights import WeightsError

    device = torch_device(device)
    if device == "cpu":
        say("Without a GPU a second of speech takes about 0.7 s of one core: good for trying it, not for many calls.")
    chosen = dtype or ("bfloat16" if device == "cuda" else "float32")
    launch = Launch(weights, device, chosen, chunk, batch, slowest, gpu_memory)
    with listening(host, port, WeightsError, ModelMissing) as listener:
        serve(launch, find(SILERO_VAD.name), listener, say)
