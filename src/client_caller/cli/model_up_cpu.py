"""`client-caller models up-cpu`: the model tier of a machine without a GPU, alone."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from client_caller.cli.model_up import keep_running, say
from client_caller.cli.own_servers import program
from client_caller.models.cpu_tier import STAGES, cpu_tier
from client_caller.models.server_process import ServerFailed
from client_caller.models.tier import FIRST_PORT, HOST
from client_caller.models.weights import WeightsMissing


def up_cpu(
    first_port: Annotated[
        int, typer.Option(min=1, max=65533, help="Of the language model; voice and hearing have the next two.")
    ] = FIRST_PORT,
) -> None:
    """Start voice, hearing and language model without a GPU, and keep them running until Ctrl-C.

    Those of the profile cpu, which client-caller serve --profile cpu starts by itself. Alone they are of use to
    client-caller check, to other programs, or to another machine. Their weights: client-caller models pull cpu
    """
    try:
        asyncio.run(keep_running(cpu_tier(STAGES, program(), first_port), lambda: _announce(first_port)))
    except (ServerFailed, WeightsMissing) as error:
        Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None


def _announce(first_port: int) -> None:
    say(
        "All are ready. In client-caller.toml:\n\n"
        f'[stt]\nengine = "realtime"\nbase_url = "ws://{HOST}:{first_port + 2}"\n\n'
        f'[llm]\nbase_url = "http://{HOST}:{first_port}/v1"\nmodel = "gemma"\n\n'
        f'[tts]\nbase_url = "http://{HOST}:{first_port + 1}/v1"\nvoice = "alba"\n\n'
        "Then: client-caller check"
    )
