"""`client-caller models serve gguf`: a language model for a machine without a GPU."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.server.run import listen


def gguf(
    model: Annotated[Path, typer.Option(help="A GGUF file of an instruct model. Nothing is fetched.", dir_okay=False)],
    served_name: Annotated[
        str, typer.Option(help="The name by which calls ask for it (llm.model in the settings).")
    ] = "gemma",
    host: Annotated[str, typer.Option(help="Address to listen at. There is no password: keep it private.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes any free one.")] = 8000,
    calls: Annotated[int, typer.Option(min=1, max=64, help="Calls whose prompts are kept in memory.")] = 2,
    threads: Annotated[int, typer.Option(min=0, help="Threads; 0: half of this machine's processors.")] = 0,
) -> None:
    """Serve a language model on the CPU with llama.cpp, behind OpenAI's chat completions. Ends with Ctrl-C.

        client-caller models pull cpu

    fetches a small Gemma and says where it is; any other GGUF does too. Then, in client-caller.toml:

    \b
        \\[llm]
        base_url = "http://127.0.0.1:8000/v1"
        model = "gemma"

    /health and /metrics are for operators.
    """
    if find_spec("xllamacpp") is None:
        _fail("llama.cpp is not installed: pip install 'client-caller[cpu]'")
    from client_caller.models.llama import Launch, ModelUnusable, serve

    try:
        with listen(host, port) as listener:
            serve(Launch(model, served_name, calls, threads), listener, _say)
    except ModelUnusable as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"Can't listen at {host}:{port} ({error.strerror}): choose another --port, or end what listens there.")


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, markup=False, highlight=False)


def _fail(line: str) -> None:
    Console(stderr=True, style="red").print(line, soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(1)
