"""`client-caller models serve gguf`: a language model for a machine without a GPU."""

from pathlib import Path
from typing import Annotated

import typer

from client_caller.cli.serving import Host, Port, listening, need, say


def gguf(
    model: Annotated[Path, typer.Option(help="A GGUF file of an instruct model. Nothing is fetched.", dir_okay=False)],
    served_name: Annotated[
        str, typer.Option(help="The name by which calls ask for it (llm.model in the settings).")
    ] = "gemma",
    host: Host = "127.0.0.1",
    port: Port = 8000,
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
    need("cpu", "xllamacpp")
    from client_caller.models.llama import Launch, ModelUnusable, serve

    with listening(host, port, ModelUnusable) as listener:
        serve(Launch(model, served_name, calls, threads), listener, say)
