"""`client-caller serve`: answers a telephone number."""

import asyncio
import logging
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller import __version__
from client_caller.agents.agent import Agent
from client_caller.agents.demo import DEMO
from client_caller.agents.loading import load_agent
from client_caller.agents.script import Script
from client_caller.agents.script_file import ScriptError, load_script
from client_caller.agents.targets import TargetError
from client_caller.calls.store import Store, StoreError, database_in
from client_caller.cli.own_servers import running, servers_for
from client_caller.cli.profile_option import ProfileName
from client_caller.engines.build import build_engines
from client_caller.engines.protocols import EngineError, Engines
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD, SMART_TURN
from client_caller.models.server_process import Server, ServerFailed
from client_caller.models.weights import WeightsMissing
from client_caller.server.house import Place, answer_calls
from client_caller.server.run import listen
from client_caller.server.security import Gate, Unsafe, make_gate
from client_caller.settings import Settings, SettingsError, load

Target = Annotated[
    str | None,
    typer.Argument(
        metavar="AGENT",
        help="module:agent, file.py:agent, or a script (file.yaml). Without one: the demonstration's script.",
    ),
]
Config = Annotated[Path | None, typer.Option("--config", help="The file to read instead of client-caller.toml.")]
Host = Annotated[str | None, typer.Option(help="Address to listen at.")]
Port = Annotated[int | None, typer.Option(help="Port to listen at; 0 takes any free one.")]
PublicUrl = Annotated[str | None, typer.Option(help="The https address at which Twilio reaches this server.")]
InsecureLocal = Annotated[
    bool | None, typer.Option("--insecure-local", help="No signatures: for trying out, on loopback only.")
]


_PROBLEMS = (
    SettingsError,
    TargetError,
    ScriptError,
    EngineError,
    ModelMissing,
    WeightsMissing,
    ServerFailed,
    StoreError,
    Unsafe,
)


@dataclass(frozen=True, slots=True)
class _Plan:
    agent: Agent
    engines: Engines
    store: Store
    place: Place


def serve(
    agent: Target = None,
    config: Config = None,
    profile: ProfileName = None,
    host: Host = None,
    port: Port = None,
    public_url: PublicUrl = None,
    insecure_local: InsecureLocal = None,
) -> None:
    """Answer calls. Ends when told to (Ctrl-C) and the calls on the line are over; Ctrl-C again ends them.

    Without a GPU and without any account (client-caller models pull cpu, once):

        client-caller serve agent.py:agent --profile cpu --insecure-local

    starts speech to text, language model and text to speech on this machine, and stops them at the end.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request would be one for each turn
    options = {
        "profile": profile,
        "server.host": host,
        "server.port": port,
        "server.public_url": public_url,
        "server.insecure_local": insecure_local,
    }
    with ExitStack() as stack:
        try:
            in_force = load(config, options)
            plan = _prepare(agent, in_force.settings, stack)
            servers = servers_for(in_force)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_answer(plan, in_force.settings, servers))
        except _PROBLEMS as error:
            Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
            raise typer.Exit(1) from None
        except asyncio.CancelledError:  # SIGTERM, before there was a server to end
            raise typer.Exit(1) from None


async def _answer(plan: _Plan, settings: Settings, servers: list[Server]) -> None:
    async with running(servers, _say):
        await answer_calls(
            plan.agent,
            plan.engines,
            plan.store,
            plan.place,
            started=lambda: _announce(plan, settings),
            progress=_say,
        )


def _prepare(target: str | None, settings: Settings, stack: ExitStack) -> _Plan:
    """Everything that can fail, before anything runs. What it opens is closed by `stack`."""
    sock = stack.enter_context(_bound(settings.server.host, settings.server.port))
    gate = _gate(settings, sock.getsockname()[1])
    agent, script = chosen_agent(target)
    engines = build_engines(settings.stt, settings.llm, settings.tts, script)
    speech_model = find(SILERO_VAD.name)
    turn_model = find(SMART_TURN.name) if settings.turns.model == SMART_TURN.name else None
    calls = settings.calls
    url = calls.database_url.get_secret_value() if calls.database_url else database_in(calls.data_dir)
    token = settings.server.metrics_token
    return _Plan(
        agent,
        engines,
        Store(url),
        Place(
            gate=gate,
            sock=sock,
            calls=calls.data_dir / "calls",
            recording=calls.recording,
            speech_model=speech_model,
            turn_model=turn_model,
            max_calls=settings.server.max_calls,
            metrics_token=token.get_secret_value() if token else None,
        ),
    )


def _bound(host: str, port: int) -> socket.socket:
    try:
        return listen(host, port)
    except OSError as error:
        raise SettingsError(f"{host}:{port} can't be listened at: {error.strerror}. Choose another --port.") from None


def _gate(settings: Settings, port: int) -> Gate:
    token = settings.twilio.auth_token
    return make_gate(
        auth_token=token.get_secret_value() if token else None,
        public_url=settings.server.public_url,
        insecure_local=settings.server.insecure_local,
        host=settings.server.host,
        port=port,
    )


def chosen_agent(target: str | None) -> tuple[Agent, Script | None]:
    if target is not None and not target.endswith((".yaml", ".yml")):
        return load_agent(target), None
    script = load_script(DEMO if target is None else Path(target))
    return script.agent(), script


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.Loop


def _announce(plan: _Plan, settings: Settings) -> None:
    gate, place = plan.place.gate, plan.place
    host, port = place.sock.getsockname()[:2]
    lines = [
        f"Client Caller {__version__} answers as {plan.agent.name!r}, at {host} port {port}.",
        f"  speech to text   {settings.stt.engine}",
        f"  language model   {settings.llm.engine}{f', {settings.llm.model}' if settings.llm.model else ''}",
        f"  text to speech   {settings.tts.engine}",
        f"  end of a turn    {settings.turns.model}",
        f"  recording        {place.recording}; calls are kept in {place.calls}",
    ]
    if gate.signature:
        lines += [
            "Paste into the Twilio console (Phone Numbers, your number, Voice Configuration):",
            f"  A call comes in       Webhook, HTTP POST   {gate.url.http('/voice')}",
            f"  Call status changes   HTTP POST            {gate.url.http('/voice/status')}",
        ]
    else:
        lines += [f"Without signatures, for this machine alone: {gate.url.http('/voice')}"]
    for line in lines:
        _say(line)


def _say(line: str) -> None:
    Console().print(line, soft_wrap=True, markup=False, highlight=False)
