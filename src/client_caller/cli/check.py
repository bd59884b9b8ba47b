"""`client-caller check`: proves the whole set-up before the first call."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from client_caller.agents.agent import Agent
from client_caller.agents.script import Script
from client_caller.agents.script_file import ScriptError
from client_caller.agents.targets import TargetError
from client_caller.calls.store import Store, StoreError, database_in
from client_caller.cli.own_servers import running, servers_for
from client_caller.cli.profile_option import ProfileName
from client_caller.cli.serve import chosen_agent
from client_caller.engines.build import build_llm, build_stt, build_tts
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD, SMART_TURN
from client_caller.models.server_process import Server, ServerFailed
from client_caller.models.weights import WeightsMissing
from client_caller.runtime import verdict
from client_caller.runtime.proof import Heard, Spoken, Thought, hear, speak, think
from client_caller.runtime.verdict import Finding
from client_caller.server.security import Unsafe, make_gate
from client_caller.settings import Settings, SettingsError, load

Target = Annotated[
    str | None,
    typer.Argument(metavar="AGENT", help="As for serve: module:agent, file.py:agent, or a script (file.yaml)."),
]
Config = Annotated[Path | None, typer.Option("--config", help="The file to read instead of client-caller.toml.")]
PublicUrl = Annotated[str | None, typer.Option(help="The https address at which Twilio reaches this server.")]
InsecureLocal = Annotated[
    bool | None, typer.Option("--insecure-local", help="Check for trying out on this machine: without Twilio.")
]
_SIGNS = {"right": "[green]right[/]", "slow": "[yellow]slow[/]", "wrong": "[red]wrong[/]"}


def check(
    agent: Target = None,
    config: Config = None,
    profile: ProfileName = None,
    public_url: PublicUrl = None,
    insecure_local: InsecureLocal = None,
) -> None:
    """Prove each part with real audio: speak a sentence, hear it back, think of one; say what is wrong or slow.

    Uses the engines as they are configured, for some ten seconds; with the profile cpu it starts their servers first.
    Exits with 1 if calls would not work.
    """
    try:
        options = {
            "profile": profile,
            "server.public_url": public_url,
            "server.insecure_local": insecure_local,
        }
        in_force = load(config, options)
        made, script = chosen_agent(agent)
        servers = servers_for(in_force)
    except (SettingsError, TargetError, ScriptError, WeightsMissing) as error:
        Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None
    proof = _Proof(in_force.settings, made, script)
    proof.try_parts()
    try:
        asyncio.run(_try_engines(proof, servers))
    except ServerFailed as error:
        Console(stderr=True, style="red").print(str(error), soft_wrap=True, markup=False, highlight=False)
        raise typer.Exit(1) from None
    proof.show()
    if any(verdict.worst(row.findings) == "wrong" for row in proof.rows):
        raise typer.Exit(1)


async def _try_engines(proof: "_Proof", servers: list[Server]) -> None:
    console = Console(stderr=True)
    async with running(servers, console.print):
        with console.status("Speaking, hearing, thinking …"):
            await proof.try_engines()


@dataclass
class _Row:
    part: str
    figures: str = ""
    findings: list[Finding] = field(default_factory=list)
    tried: bool = True


class _Proof:
    """One go over everything that a call needs."""

    def __init__(self, settings: Settings, agent: Agent, script: Script | None) -> None:
        self.rows: list[_Row] = []
        self._settings = settings
        self._agent = agent
        self._script = script
        self._context = CallContext("check", agent.language, agent.hints)
        self._sentence = script.caller_lines[0] if script and script.caller_lines else agent.phrases.resumed
        self._spoken: Spoken | None = None
        self._heard: Heard | None = None
        self._thought: Thought | None = None

    def try_parts(self) -> None:
        """What needs no engine: model files, the edge, the list of calls."""
        server, calls = self._settings.server, self._settings.calls
        token = self._settings.twilio.auth_token
        names = [SILERO_VAD.name, *([SMART_TURN.name] if self._settings.turns.model == SMART_TURN.name else [])]
        self._try("model files", ModelMissing, lambda: [find(name) for name in names])
        self._try(
            "telephone edge",
            Unsafe,
            lambda: make_gate(
                auth_token=token.get_secret_value() if token else None,
                public_url=server.public_url,
                insecure_local=server.insecure_local,
                host=server.host,
                port=server.port,
            ),
        )
        url = calls.database_url.get_secret_value() if calls.database_url else database_in(calls.data_dir)
        self._try("list of calls", StoreError, lambda: Store(url).close())

    def _try(self, part: str, problem: type[Exception], use: Callable[[], Any]) -> None:
        row = _Row(part)
        self.rows.append(row)
        try:
            use()
        except problem as error:
            row.findings.append(Finding("wrong", str(error)))

    async def try_engines(self) -> None:
        settings, script = self._settings, self._script
        await self._engine("text to speech", lambda: build_tts(settings.tts), self._speak)
        audible = self._spoken is not None and verdict.worst(self.rows[-1].findings) != "wrong"
        hear = self._hear if audible else self._open
        await self._engine("speech to text", lambda: build_stt(settings.stt, script), hear)
        await self._engine("language model", lambda: build_llm(settings.llm, script), self._think)

    async def _engine(self, part: str, build: Callable[[], Any], use: Callable[[Any, _Row], Awaitable[None]]) -> None:
        row = _Row(part)
        self.rows.append(row)
        try:
            engine = build()
            try:
                await use(engine, row)
            finally:
                await engine.close()
        except EngineError as error:
            row.findings.append(Finding("wrong", error.reason))

    async def _speak(self, tts: Any, row: _Row) -> None:
        self._spoken = await speak(tts, self._context, self._sentence)
        row.figures = f"first audio {self._spoken.first_audio:.0f} ms"
        row.figures += ", tells word times" if self._spoken.timed_words else ", word times are estimated"
        row.findings += verdict.of_voice(self._spoken, self._sentence)

    async def _hear(self, stt: Any, row: _Row) -> None:
        assert self._spoken is not None
        self._heard = await hear(stt, self._context, self._spoken.mulaw)
        row.figures = f"final words {self._heard.finished:.0f} ms, {self._heard.partials} guesses before"
        row.findings += verdict.of_hearing(self._heard, self._sentence)

    async def _open(self, stt: Any, row: _Row) -> None:
        """Without a voice there is nothing to hear; whether it can be reached is seen all the same."""
        await (await stt.open(self._context)).close()
        row.figures = "connects; not tried further, for want of a voice"
        row.tried = False

    async def _think(self, llm: Any, row: _Row) -> None:
        self._thought = await think(llm, self._context, self._agent)
        row.figures = (
            f"first token {self._thought.first_token:.0f} ms, first clause {self._thought.first_clause:.0f} ms"
        )
        able = [one.name for one in self._thought.capabilities if one.works]
        row.figures += f"; {', '.join(able)}" if able else ""
        row.findings += verdict.of_thinking(self._thought)

    def show(self) -> None:
        table = Table("Part", "Verdict", "Measured")
        for row in self.rows:
            sign = _SIGNS[verdict.worst(row.findings)] if row.tried or row.findings else "not tried"
            table.add_row(row.part, sign, row.figures)
        console = Console()
        console.print(table)
        lines = [f"{row.part}: {finding.what}" for row in self.rows for finding in row.findings]
        for line in [*lines, *self._expected()]:
            console.print(line, soft_wrap=True, markup=False, highlight=False)

    def _expected(self) -> list[str]:
        if self._spoken is None or self._heard is None or self._thought is None:
            return ["No latency can be expected before all three engines work."]
        listens = self._settings.turns.model == SMART_TURN.name
        latency = verdict.expected_latency(self._agent.policy, listens, self._heard, self._thought, self._spoken)
        slow = "" if latency <= verdict.SLOW_TURN else " Callers will notice: look at the largest figure above."
        return [f"Expected from the caller's last sound to the agent's first: about {latency:.0f} ms.{slow}"]
