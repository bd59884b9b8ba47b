"""`client-caller models up`: the whole model tier on this machine's GPU."""

import asyncio
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.cli.model_options import GpuName, LlmName, Model, SttName, WeightsSize, planned
from client_caller.models.profiles import GEMMA_3_27B
from client_caller.models.server_process import Server, ServerFailed
from client_caller.models.tier import FIRST_PORT, HOST, Programs, tier
from client_caller.models.up import Tier
from client_caller.models.vllm import Serving


def up(
    csm_weights: Annotated[Path, typer.Option(help="The folder of CSM's weights.", exists=True, file_okay=False)],
    voice: Annotated[Path, typer.Option(help="CSM's voice file: models serve csm --help.", exists=True)],
    gpu: GpuName = None,
    llm: LlmName = GEMMA_3_27B.name,
    stt: SttName = "large-v3-turbo",
    model: Model = None,
    weights: WeightsSize = None,
    chat_template: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The chat template for tools, where one is needed.")
    ] = None,
    vllm: Annotated[str, typer.Option(help="The vllm command of vLLM's own environment.")] = "vllm",
    csm: Annotated[
        str | None, typer.Option(help="The client-caller that has [csm] installed. Without it: this one.")
    ] = None,
    whisper: Annotated[
        str | None, typer.Option(help="The client-caller that has [whisper] installed. Without it: this one.")
    ] = None,
    nemotron: Annotated[
        str | None, typer.Option(help="The client-caller that has [nemotron] installed. Without it: this one.")
    ] = None,
    nemotron_weights: Annotated[
        Path | None,
        typer.Option(help="With --stt nemotron: the folder of its weights.", exists=True, file_okay=False),
    ] = None,
    first_port: Annotated[
        int, typer.Option(min=1, max=65533, help="Of the language model; voice and hearing have the next two.")
    ] = FIRST_PORT,
) -> None:
    """Start voice, hearing and language model on this GPU, and keep them running until Ctrl-C.

    One after another, each within its share of the memory (see: client-caller models plan). One that ends, or does not
    answer any more, is started again. Ctrl-C stops all of them; once more, without waiting.
    """
    if (stt == "nemotron") != (nemotron_weights is not None):
        raise typer.BadParameter("--stt nemotron and --nemotron-weights go together: give both, or neither")
    plan = planned(gpu, llm, stt, model, weights)
    this = str(Path(sys.executable).with_name("client-caller"))
    named = (vllm, csm or this, whisper or this, nemotron or this)
    programs = Programs(*(str(Path(program).expanduser()) for program in named))
    serving = Serving(plan, model, host=HOST, port=first_port, template=chat_template, vllm=programs.vllm)
    try:
        servers = tier(plan, programs, csm_weights, voice, serving, nemotron_weights)
        asyncio.run(keep_running(servers, lambda: _announce(first_port)))
    except ServerFailed as error:
        Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None


async def keep_running(servers: list[Server], announce: Callable[[], None]) -> None:
    """Until Ctrl-C or SIGTERM. `announce` is called once all are ready. Raises `ServerFailed`."""
    task = asyncio.create_task(Tier(servers, tell=say, show=_show).run(announce))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def _announce(first_port: int) -> None:
    say(
        "All are ready. In client-caller.toml:\n\n"
        f'[stt]\nengine = "realtime"\nbase_url = "ws://{HOST}:{first_port + 2}"\n\n'
        f'[llm]\nbase_url = "http://{HOST}:{first_port}/v1"\nmodel = "gemma"\n\n'
        f'[tts]\nengine = "csm"\nbase_url = "http://{HOST}:{first_port + 1}"\n\n'
        "Then: client-caller check"
    )


def _show(name: str, line: str) -> None:
    typer.echo(f"{name} | {line}")


def say(line: str) -> None:
    Console(stderr=True).print(line, soft_wrap=True, markup=False, highlight=False)
