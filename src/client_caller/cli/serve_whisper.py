"""`client-caller models serve whisper`: our own speech to text."""

from typing import Annotated

import typer

from client_caller.cli.serving import Host, Port, listening, need, say
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD

Model = Annotated[
    str,
    typer.Option(
        help="base.en, small.en, distil-large-v3, large-v3-turbo or another that faster-whisper knows; a CTranslate2 "
        "model at the model hub; or a directory."
    ),
]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
ComputeType = Annotated[
    str, typer.Option(help="int8, float16, int8_float16, float32 …; default: int8 on a CPU, float16 on a GPU.")
]
Threads = Annotated[int, typer.Option(min=0, help="Threads on a CPU; 0: as CTranslate2 chooses.")]
Offline = Annotated[bool, typer.Option("--offline", help="Fetch nothing: the model has to be on this machine.")]
GuessWindow = Annotated[
    float | None,
    typer.Option(
        min=1,
        help="Seconds to which the windows of guesses are shortened. Whisper works on 30 s however short the speech "
        "is; with 10 a guess costs a CPU a third, and may be less right. Final words always get the whole window.",
    ),
]
Batch = Annotated[int, typer.Option(min=1, help="Most calls in one run of the model.")]
Slowest = Annotated[
    float, typer.Option(min=0.01, help="No more calls are taken while one answer in 20 takes more seconds than this.")
]


def whisper(
    model: Model = "base.en",
    device: Device = "cpu",
    host: Host = "127.0.0.1",
    port: Port = 8002,
    compute_type: ComputeType = "default",
    threads: Threads = 0,
    offline: Offline = False,
    guess_window: GuessWindow = None,
    batch: Batch = 8,
    slowest: Slowest = 1.0,
) -> None:
    """Hear callers with Whisper: guesses while they speak, final words when they stop. Ends with Ctrl-C.

    On a GPU, for calls:

        client-caller models serve whisper --model large-v3-turbo --device cuda

    On a laptop, to try it out:

        client-caller models serve whisper --model base.en --guess-window 10

    Calls use it with CLIENT_CALLER_STT_ENGINE=realtime, or engine = "realtime" under [stt]. It has no password: keep
    it on this machine or in a network of your own. /healthz and /metrics are for operators.
    """
    need("whisper", "faster_whisper")
    from client_caller.models.whisper.faster import WhisperUnavailable
    from client_caller.models.whisper.launch import Launch, serve

    launch = Launch(model, device, precision(compute_type, device), threads, offline, guess_window, batch, slowest)
    with listening(host, port, WhisperUnavailable, ModelMissing) as listener:
        serve(launch, find(SILERO_VAD.name), listener, say)


def precision(compute_type: str, device: str) -> str:
    """What "default" stands for on this device; anything else is itself."""
    return compute_type if compute_type != "default" else {"cpu": "int8", "cuda": "float16"}.get(device, "default")
