"""Calls as they really are: made of the agent, the engines, the heartbeat and the store."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from client_caller.agents.agent import Agent
from client_caller.calls.call import Call
from client_caller.calls.journal import JournalError
from client_caller.calls.keeper import CallKeeper
from client_caller.calls.replay import history_of
from client_caller.calls.store import JOURNAL, RecordingMode, Store, StoreError
from client_caller.conversation.commands import Command
from client_caller.conversation.events import Event
from client_caller.conversation.history import Entry
from client_caller.engines.protocols import Engines
from client_caller.observe.latency import Ledger
from client_caller.observe.metrics import VOICE_TO_VOICE
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.runtime.mouth import Spare
from client_caller.runtime.session import CallSession
from client_caller.runtime.turn_judges import TurnJudges
from client_caller.server.switchboard import Earlier
from client_caller.telephony.leg import Leg

log = logging.getLogger(__name__)


def new_call_id() -> str:
    """Sorts by time, and is short enough to type."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


class Sessions:
    """Opens a session, with its keeper, for each connection of a call."""

    def __init__(
        self,
        *,
        agent: Agent,
        engines: Engines,
        heartbeat: Heartbeat,
        judges: TurnJudges | None = None,
        spare: Spare | None = None,
        store: Store,
        calls: Path,
        recording: RecordingMode,
    ) -> None:
        """`calls` is the folder in which each call gets its own; `spare` is what can be said without a voice."""
        self._agent = agent
        self._engines = engines
        self._heartbeat = heartbeat
        self._judges = judges
        self._spare = spare
        self._store = store
        self._calls = calls
        self._recording = recording
        self._policy = replace(agent.policy, announce_recording=recording == "announce")

    def open(self, call: Call, leg: Leg, earlier: tuple[Entry, ...]) -> CallSession:
        """A session for a call that has just connected. Raises `OSError` if its folder can't be made."""
        folder = self._calls / call.id
        keeper = CallKeeper(folder, call, self._policy, self._agent.phrases, self._recording, self._store)
        return CallSession(
            call=call,
            agent=self._agent,
            engines=self._engines,
            leg=leg,
            keeper=keeper,
            heartbeat=self._heartbeat,
            judges=self._judges,
            spare=self._spare,
            policy=self._policy,
            earlier=earlier,
            watch=LatencyWatch(keeper.ledger),
        )


class LatencyWatch:
    """Puts each turn's voice-to-voice latency into the metrics as soon as it is known."""

    def __init__(self, ledger: Ledger) -> None:
        """`ledger` has taken in each event before this is told of it."""
        self._ledger = ledger
        self._seen = 0

    def __call__(self, event: Event, commands: Sequence[Command]) -> None:
        while self._seen < len(self._ledger.turns):
            VOICE_TO_VOICE.observe(self._ledger.turns[self._seen].voice_to_voice / 1000)
            self._seen += 1


class StoredPast:
    """What the store and the journals know of calls."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, provider_id: str) -> Earlier | None:
        """The call, as far as it came; read in a thread, since a long journal takes a while.

        A store or journal that can't be read is logged, and the call goes on without its past: the caller is waiting.
        """
        return await asyncio.to_thread(self._find, provider_id)

    def _find(self, provider_id: str) -> Earlier | None:
        try:
            row = self._store.find_provider(provider_id)
        except StoreError as error:
            log.error("a call is resumed without its past: %s", error)
            return None
        if row is None:
            return None
        if row.state == "ended":
            return Earlier(row.call, over=True, history=())
        return Earlier(row.call, over=False, history=_history(Path(row.folder)))


def _history(folder: Path) -> tuple[Entry, ...]:
    try:
        return history_of(folder / JOURNAL)
    except (JournalError, OSError) as error:
        log.error("a call is resumed without its history: %s", error)
        return ()
