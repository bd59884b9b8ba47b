"""`client-caller bench models`: what the servers of the model tier cost, one by one."""

import typer

from client_caller.cli.bench_csm import csm
from client_caller.cli.bench_hearing import hearing
from client_caller.cli.bench_llm import llm
from client_caller.cli.bench_whisper import whisper

app = typer.Typer(help="What the servers of the model tier cost, one by one.", no_args_is_help=True)
app.command()(csm)
app.command()(whisper)
app.command()(hearing)
app.command()(llm)
