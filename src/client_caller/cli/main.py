"""The `client-caller` command: one file of this room for each subcommand, joined here."""

import typer

from client_caller.cli import bench, calls, check, config, demo, diagrams, models, replay, report, serve

app = typer.Typer(
    name="client-caller",
    help="A self-hosted, real-time AI phone agent that knows which of its words were heard.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
app.add_typer(calls.app, name="calls")
app.command()(replay.replay)
app.command()(report.report)
app.command()(demo.demo)
app.command()(serve.serve)
app.command()(check.check)
app.command()(config.config)
app.command(hidden=True)(diagrams.diagrams)
