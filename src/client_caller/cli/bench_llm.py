"""`client-caller bench models llm`: how soon and how fast a language model server answers calls."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from client_caller.cli.bench_progress import counts, progress
from client_caller.cli.llm_bench import LONG_TOKENS, PATIENCE, REPLY_TOKENS, Load, measure
from client_caller.cli.machine import machine
from client_caller.cli.past_calls import complain, say
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.protocols import EngineError


def llm(
    model: Annotated[str, typer.Option(help="Its name at the server.")],
    url: Annotated[str, typer.Option(help="Where its chat completions are.")] = "http://127.0.0.1:8000/v1",
    calls: Annotated[str, typer.Option(help="How many calls ask at once.")] = "1,2,4,8",
    rounds: Annotated[int, typer.Option(min=1, help="How often each of them asks.")] = 5,
    extra_body: Annotated[
        str,
        typer.Option(metavar="JSON", help="Put into every request, as llm.extra_body of the settings is."),
    ] = "{}",
    api_key: Annotated[
        str | None, typer.Option(envvar="OPENAI_API_KEY", help="Where the server wants one; best given that way.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """How soon is the first token there, and how fast do the others follow, for 1 to 8 calls at once?

    Asks any OpenAI-compatible server as calls do: instructions of five hundred words, ten turns, one more question.

    Cold: the server has never seen that prompt. Warmed: it was told while the caller still spoke.

    After a cut-in: each caller interrupts a long reply, which is closed, and asks something else in the same moment.
    Beside that reply: what that takes where the reply is not closed, as if the server did not stop.

        client-caller bench models llm --model gemma --calls 1,8,16

    With vLLM and llama.cpp --extra-body '{"ignore_eos": true}' makes all replies equally long.
    """
    numbers = counts(calls)
    extra = _object(extra_body)
    measured_on = machine()

    try:
        with progress(f"{model} …") as tell:
            loads = asyncio.run(measure(_driver(url, model, api_key, extra), numbers, rounds, tell))
    except EngineError as error:
        complain(str(error))
        raise typer.Exit(1) from None
    if as_json:
        asked = {"url": url, "model": model, "rounds": rounds, "extra_body": extra}
        lengths = {"reply_tokens": REPLY_TOKENS, "long_reply_tokens": LONG_TOKENS}
        loads_as_json = [asdict(load) for load in loads]
        Console().print_json(json.dumps({"machine": measured_on, **asked, **lengths, "loads": loads_as_json}))
    else:
        Console().print(table(model, loads))
        say(measured_on)


def _driver(url: str, model: str, api_key: str | None, extra: dict[str, Any]) -> Callable[[int], OpenAiModel]:
    """Our own, for replies of at most so many tokens."""
    return lambda tokens: OpenAiModel(
        base_url=url,
        model=model,
        api_key=api_key,
        max_tokens=tokens,
        extra_body=extra,
        first_token=PATIENCE,
        next_token=PATIENCE,
    )


def table(model: str, loads: Sequence[Load]) -> Table:
    shown = Table(title=f"{model}: milliseconds to the first token, P50 / P95")
    for name in ("Calls", "Cold", "Warmed", "After a cut-in", "Beside that reply", "Tokens a second"):
        shown.add_column(name, justify="right")
    for load in loads:
        cells = (load.cold, load.warmed, load.after_cancel, load.beside)
        rate = "" if load.rate is None else f"{load.rate.p50:.0f}"
        shown.add_row(str(load.calls), *("" if cell is None else str(cell) for cell in cells), rate)
    return shown


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise typer.BadParameter("That is no JSON object.", param_hint="--extra-body")
    return value
