"""`client-caller models serve`: one server of the model tier."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.cli import serve_csm, serve_gguf, serve_nemotron, serve_pocket, serve_whisper
from client_caller.cli.model_options import GpuName, LlmName, Model, SttName, WeightsSize, planned
from client_caller.models.profiles import GEMMA_3_27B
from client_caller.models.vllm import QUIET, Serving

app = typer.Typer(help="Run one server of the model tier: hearing, thinking or speaking.", no_args_is_help=True)
app.command()(serve_csm.csm)
app.command()(serve_gguf.gguf)
app.command()(serve_pocket.pocket)
app.command()(serve_whisper.whisper)
app.command()(serve_nemotron.nemotron)


@app.command()
def gemma(
    gpu: GpuName = None,
    llm: LlmName = GEMMA_3_27B.name,
    stt: SttName = "large-v3-turbo",
    model: Model = None,
    weights: WeightsSize = None,
    served_name: Annotated[
        str, typer.Option(help="The name by which calls ask for it (llm.model in the settings).")
    ] = "gemma",
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8000,
    chat_template: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The chat template for tools, where one is needed.")
    ] = None,
    vllm: Annotated[str, typer.Option(help="The vllm command of vLLM's own environment.")] = "vllm",
    run: Annotated[bool, typer.Option("--run", help="Run the command, in place of printing it.")] = False,
) -> None:
    """Print, or with --run become, the vllm serve command for Gemma beside the other two servers on this GPU.

    vLLM pins its own PyTorch, so it has an environment of its own:

        python3 -m venv ~/vllm && ~/vllm/bin/pip install vllm

        client-caller models serve gemma --vllm ~/vllm/bin/vllm --run
    """
    plan = planned(gpu, llm, stt, model, weights)
    serving = Serving(plan, model, served_name, host, port, chat_template, str(Path(vllm).expanduser()))
    if not serving.tools:
        _note(
            f"Tools are off: with {plan.llm.name} they need a chat template. Fetch {plan.llm.template} from vLLM's "
            "repository and give it with --chat-template."
        )
    if not run:
        typer.echo(serving.line())
        return
    become(serving)


def become(serving: Serving) -> None:
    """Be vLLM from here on: its signals, output and exit code are this process's."""
    command = serving.command()
    if shutil.which(command[0]) is None:
        _note(
            f"There is no command {serving.vllm}. Install vLLM into an environment of its own "
            "(python3 -m venv ~/vllm && ~/vllm/bin/pip install vllm), and name it: --vllm ~/vllm/bin/vllm"
        )
        raise typer.Exit(1)
    os.execvpe(command[0], command, {**os.environ, **QUIET})


def _note(line: str) -> None:
    Console(stderr=True).print(line, soft_wrap=True, markup=False, highlight=False)
