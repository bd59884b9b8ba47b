"""`client-caller demo`: one whole call on this machine, without account, key, GPU or telephone."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from client_caller.agents.agent import Agent
from client_caller.agents.demo import load_demo
from client_caller.agents.script import Script
from client_caller.agents.script_file import ScriptError, load_script
from client_caller.agents.scripted import ScriptedModel
from client_caller.agents.targets import TargetError
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.keeper import RECORDING, TRANSCRIPT, CallKeeper
from client_caller.calls.report import REPORT, write_report
from client_caller.calls.store import JOURNAL, Store
from client_caller.cli.live_view import LiveView
from client_caller.cli.past_calls import complain, open_store, say, telling
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry
from client_caller.engines.espeak import Espeak
from client_caller.engines.pocketsphinx import PocketSphinx
from client_caller.engines.protocols import EngineError, Engines
from client_caller.models.cache import ModelMissing, find
from client_caller.models.manifest import SILERO_VAD
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.mouth import Spare
from client_caller.runtime.readiness import get_ready
from client_caller.runtime.session import CallSession
from client_caller.server.sessions import new_call_id
from client_caller.settings import load
from client_caller.simulator import demo as simulated
from client_caller.simulator.caller import Caller
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import StreamIdentity
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.leg import Leg

CALLER_NUMBER, CALLEE_NUMBER = "+15550100", "+15550199"
"""Of the range that is kept free for fiction."""


@dataclass(slots=True)
class DemoCall:
    """One call between a script's agent and a simulated caller, on the embedded engines."""

    script: Script
    recording: Path | None
    """What the caller says, instead of the script's part."""
    folder: Path
    store: Store
    model: Path
    """The voice activity model's file."""
    seed: int
    view: LiveView
    history: tuple[Entry, ...] = ()
    reason: str = ""

    def run(self, *, fast: bool) -> None:
        """Raises `EngineError`, `TargetError` and `UnreadableRecording` before the call, and nothing once it goes."""
        agent = self.script.agent()
        voices = Espeak(), Espeak(simulated.CALLER_VOICE, simulated.CALLER_PACE)
        ear = PocketSphinx(self.script.caller_lines)
        call = self._run(agent, ear, *voices)
        if fast:
            run_virtual(call, busy=lambda: ear.busy or any(voice.busy for voice in voices))
        else:
            asyncio.run(call)

    async def _run(self, agent: Agent, ear: PocketSphinx, voice: Espeak, callers_voice: Espeak) -> None:
        async with AsyncExitStack() as stack:
            engines = Engines(ear, ScriptedModel(self.script), voice)
            stack.push_async_callback(engines.close)
            stack.push_async_callback(callers_voice.close)
            caller = await self._caller(callers_voice)
            spare = await get_ready(agent, engines)
            heartbeat = Heartbeat(VoiceBatch(self.model))
            beating = asyncio.create_task(heartbeat.run())
            stack.callback(beating.cancel)
            await self._talk(caller, agent, engines, heartbeat, spare)

    async def _caller(self, voice: Espeak) -> Caller:
        if self.recording is not None:
            return simulated.recorded_caller(self.recording)
        return await simulated.scripted_caller(self.script, voice)

    async def _talk(self, caller: Caller, agent: Agent, engines: Engines, heartbeat: Heartbeat, spare: Spare) -> None:
        number = new_call_id()
        call = Call(number, f"CA{number}", "inbound", CALLER_NUMBER, CALLEE_NUMBER)
        sessions: list[CallSession] = []

        def open_session(leg: Leg) -> CallSession:
            keeper = CallKeeper(self.folder, call, agent.policy, agent.phrases, "on", self.store)
            session = CallSession(
                call=call,
                agent=agent,
                engines=engines,
                leg=leg,
                keeper=keeper,
                heartbeat=heartbeat,
                spare=spare,
                watch=self.view.watch,
            )
            self.view.show(session.conversation)
            sessions.append(session)
            return session

        identity = StreamIdentity(call.provider_id, f"MZ{number}")
        line = InProcessLine(caller, identity, open_session, simulated.line(self.seed))
        talking = asyncio.create_task(line.talk())
        try:
            await asyncio.shield(talking)
        except asyncio.CancelledError:  # Ctrl-C: the caller hangs up
            caller.play(iter(()))
            await talking
        self.reason = await sessions[0].ended()
        self.history = sessions[0].conversation.history


def demo(
    caller: Annotated[Path | None, typer.Option(help="A recording (WAV, FLAC …) of what the caller says.")] = None,
    script: Annotated[Path | None, typer.Option(help="Another script (YAML) than the restaurant's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the call leaves its files.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help="On a virtual clock: as fast as this machine computes.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed: another line.")] = 1,
) -> None:
    """Play one whole call: a simulated caller on a simulated telephone line, engines for demonstration, our real core.

    The engines are eSpeak NG, PocketSphinx, which knows only the words of the script, and the script itself instead of
    a language model. Ctrl-C hangs up.
    """
    console = Console()
    try:
        with telling(), open_store(None) as store:
            call = DemoCall(
                script=load_script(script) if script else load_demo(),
                recording=caller,
                folder=_folder(out),
                store=store,
                model=find(SILERO_VAD.name),
                seed=seed,
                view=LiveView(console, panel=console.is_terminal and not fast),
            )
            with call.view:
                call.run(fast=fast)
            write_report(call.folder)
    except (EngineError, ModelMissing, ScriptError, TargetError, UnreadableRecording) as error:
        complain(str(error))
        raise typer.Exit(1) from None
    _summarise(console, call)


def _folder(out: Path | None) -> Path:
    """Where the call leaves its files. Two calls in one folder would be taken for one that was resumed."""
    folder = out or load(None).settings.calls.data_dir / "calls" / new_call_id()
    if (folder / JOURNAL).exists():
        raise FileExistsError(f"There is a call in {folder} already: choose another folder with --out.")
    return folder


def _summarise(console: Console, call: DemoCall) -> None:
    console.print()
    for file, what in (
        (RECORDING, "recording, caller left, agent right"),
        (TRANSCRIPT, "transcript"),
        (JOURNAL, "journal"),
        (REPORT, "report, for a browser"),
    ):
        say(f"{call.folder / file}  ({what})")
    turns = _count((isinstance(entry, CallerSaid) and not entry.backchannel for entry in call.history), "turn")
    backchannels = _count(
        (isinstance(entry, CallerSaid) and entry.backchannel for entry in call.history), "backchannel"
    )
    cuts = _count((isinstance(entry, AgentSaid) and entry.cut for entry in call.history), "barge-in")
    say(f"{turns} of the caller, {cuts}, {backchannels}. The call ended: {call.reason}.")
    say(f"{call.view.latencies} To look again: client-caller calls show last")


def _count(cases: Iterable[bool], noun: str) -> str:
    number = sum(cases)
    return f"{number} {noun}{'' if number == 1 else 's'}"
