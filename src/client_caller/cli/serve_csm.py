"""`client-caller models serve csm`: a voice that speaks by what was said before in the call."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from client_caller.cli.serving import Device, Host, Port, listening, need, say, torch_device

Precision = Literal["float32", "bfloat16"]
Weights = Annotated[
    Path, typer.Option(help="Folder of sesame/csm-1b in transformers' format. Nothing is fetched.", file_okay=False)
]
ChosenDevice = Annotated[
    Device | None,
    typer.Option(help="Without it: the GPU, if there is one. Of several, the one in CUDA_VISIBLE_DEVICES."),
]


def csm(
    weights: Weights,
    voice: Annotated[Path, typer.Option(help="Voice file: who speaks, a recording, and the speaker's consent.")],
    host: Host = "127.0.0.1",
    port: Port = 8001,
    device: ChosenDevice = None,
    dtype: Annotated[
        Precision | None, typer.Option(help="Without it: bfloat16 on a GPU, float32 on a CPU. Sound is always float32.")
    ] = None,
    slots: Annotated[int, typer.Option(min=1, max=128, help="Calls at once; one more is told to come again.")] = 16,
    gpu_memory: Annotated[
        float | None, typer.Option(min=1, help="Gigabytes of the GPU that this server may take; all, if not given.")
    ] = None,
    max_step: Annotated[
        float, typer.Option(min=1, help="Milliseconds for 80 ms of sound above which no further call is taken.")
    ] = 40,
) -> None:
    """Serve CSM: for calls over a WebSocket each (engine csm), for anybody else at /v1/audio/speech.

    The weights, sesame/csm-1b, are given to whoever accepts their licence. Get them once, on any machine:

        hf download sesame/csm-1b --local-dir csm-1b

    A voice file looks like this, with 5 to 10 s of speech beside it. Without the speaker's consent nothing is served.

    \b
        name = "ada"
        audio = "ada.wav"
        transcript = "What she says in it, word for word."
    \b
        \\[consent]
        speaker = "Ada Example"
        given_on = 2026-03-01
        record = "contracts/2026-031"

    Then, in client-caller.toml: engine = "csm" under \\[tts]. Ctrl-C stops the server.
    """
    need("csm", "torch", "transformers", "tokenizers")
    from client_caller.models.csm.launch import Launch, serve
    from client_caller.models.csm.voice import VoiceError
    from client_caller.models.csm.weights import WeightsError

    device = torch_device(device)
    on_gpu = device == "cuda"
    if not on_gpu:
        say("Without a GPU, CSM-1B takes about a second for 80 ms of sound: good for trying it, not for calls.")
    launch = Launch(
        weights=weights,
        voice=voice,
        device=device,
        dtype=dtype or ("bfloat16" if on_gpu else "float32"),
        slots=slots,
        gpu_memory=gpu_memory,
        slowest_step=max_step / 1000,
    )
    with listening(host, port, VoiceError, WeightsError) as listener:
        serve(launch, listener, say)
