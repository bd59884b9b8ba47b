"""`client-caller models serve nemotron`: speech to text that streams by nature."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.server.run import listen

Device = Literal["cuda", "cpu"]
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
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes any free one.")] = 8002,
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
    if missing := [name for name in ("torch", "transformers", "tokenizers") if find_spec(name) is None]:
        _fail(
            f"{' and '.join(missing)} not installed. Install PyTorch for your GPU first (pip install torch), "
            "then: pip install 'client-caller[nemotron]'"
        )
    import torch

    from client_caller.models.nemotron.launch import Launch, serve
    from client_caller.models.nemotron.weights import WeightsError

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        _fail("This PyTorch finds no GPU for --device cuda. Check nvidia-smi, and that PyTorch was built for CUDA.")
    if device == "cpu":
        _say("Without a GPU a second of speech takes about 0.7 s of one core: good for trying it, not for many calls.")
    chosen = dtype or ("bfloat16" if device == "cuda" else "float32")
    try:
        with listen(host, port) as listener:
            launch = Launch(weights, device, chosen, chunk, batch, slowest, gpu_memory)
            serve(launch, find(SILERO_VAD.name), listener, _say)
    except (WeightsError, ModelMissing) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Can't listen at {host}:{port} ({error.strerror}): choose another --port, or end what listens there.")


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def _fail(line: str) -> None:
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(1)
