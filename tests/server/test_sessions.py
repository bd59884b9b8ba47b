"""Real calls behind the edge: engines are doubles, everything else is what serves."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import soundfile

from client_caller.agents.agent import Agent
from client_caller.audio.voices import VoiceBatch
from client_caller.calls.call import Call
from client_caller.calls.journal import read
from client_caller.calls.replay import replay
from client_caller.calls.store import Store, StoreError
from client_caller.conversation.events import CallStarted, TimePassed
from client_caller.conversation.history import AgentSaid
from client_caller.conversation.policy import Phrases, Policy
from client_caller.engines.protocols import Engines
from client_caller.observe.latency import Ledger, TurnLatency
from client_caller.observe.metrics import REGISTRY
from client_caller.runtime.heartbeat import Heartbeat
from client_caller.server.sessions import LatencyWatch, Sessions, StoredPast, new_call_id
from client_caller.server.switchboard import Earlier
from client_caller.simulator import tones
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.provider import Provider

PROGRAM = Path(__file__).with_name("tone_server.py")
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
SILENCE = b"\xff" * 160


class Listener:
    """Says nothing, and hangs up when it has heard so many words of the agent."""

    def __init__(self, words: int, then: Callable[[], None] | None = None) -> None:
        self.heard: list[str] = []
        self._words = words
        self._then = then
        self._reader = tones.Reader()

    def live(self, heard: bytes) -> bytes | None:
        self.heard += self._reader.feed(heard)
        if self._then and len(self.heard) >= 3:
            self._then()
            self._then = None
        return SILENCE if len(self.heard) < self._words else None


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'calls.sqlite3'}")
    yield store
    store.close()


@pytest.fixture
async def sessions(store: Store, tmp_path: Path, silero_path: Path) -> AsyncIterator[Sessions]:
    heartbeat = Heartbeat(VoiceBatch(silero_path))
    beating = asyncio.create_task(heartbeat.run())
    yield Sessions(
        agent=Agent("Be brief.", greeting="Hello there, good to hear from you."),
        engines=Engines(EchoStt(), CannedModel(lambda messages: "Yes."), ToneSpeech()),
        heartbeat=heartbeat,
        store=store,
        calls=tmp_path / "calls",
        recording="off",
    )
    beating.cancel()


def provider(edge: Any) -> Provider:
    return Provider(
        "https://calls.example.com/voice", reach=f"http://127.0.0.1:{edge.port}", auth_token=AUTH_TOKEN, retries=0
    )


async def test_a_signed_call_from_webhook_to_store(
    run_edge: Callable[..., Any], sessions: Sessions, store: Store
) -> None:
    """The caller hears the greeting; the call is on the list, its journal replays, and the past says it is over."""
    async with run_edge(open_session=sessions.open, past=StoredPast(store)) as edge:
        caller = Listener(4)
        record = await provider(edge).call(caller, caller="+1555", callee="+1666")
        async with asyncio.timeout(5):
            while edge.board.live:  # noqa: ASYNC110 - the server's own state, which nobody announces
                await asyncio.sleep(0.001)
    assert (record.how, record.refusals) == ("hung_up", [])
    assert caller.heard[:3] == ["Hello", "there,", "good"]
    store.run(lambda: None).result(5)
    row = store.find("last")
    assert (row.provider_id, row.caller, row.callee) == (record.call_sid, "+1555", "+1666")
    assert (row.state, row.reason) == ("ended", "caller_hung_up")
    result = replay(Path(row.folder) / "journal.jsonl")
    assert result.difference is None
    earlier = await StoredPast(store).find(record.call_sid)
    assert earlier == Earlier(row.call, over=True, history=())


async def test_a_call_whose_connection_breaks_goes_on_where_it_was(
    run_edge: Callable[..., Any], sessions: Sessions, store: Store
) -> None:
    """One row, one folder, two segments; the second begins with what was heard in the first."""
    async with run_edge(open_session=sessions.open, past=StoredPast(store)) as edge:
        caller = Listener(6)
        record = await provider(edge).call(caller, impairments=(Impairments(lost_at=1.6), PERFECT))
    assert record.verbs == ["Connect", "Redirect", "Connect"]
    store.run(lambda: None).result(5)
    (row,) = store.calls()
    first, second = read(Path(row.folder) / "journal.jsonl")
    begun = second.steps[0].event
    assert isinstance(begun, CallStarted)
    (said,) = begun.earlier
    assert isinstance(said, AgentSaid)
    assert said.cut
    assert said.heard.startswith("Hello there")
    assert first.header.call == second.header.call == row.call


async def test_a_killed_server_loses_no_call(tmp_path: Path, silero_path: Path) -> None:
    """`kill -9` in mid-sentence: recording and journal up to then are whole, and the next process resumes the call
    with its history when the provider comes back."""
    server = await _tone_server(tmp_path, 0, silero_path)
    port = await _port(server)
    restarted: list[asyncio.Task[asyncio.subprocess.Process]] = []

    def kill() -> None:
        server.kill()
        restarted.append(asyncio.create_task(_tone_server(tmp_path, port, silero_path)))

    caller = Listener(10, then=kill)
    try:
        async with asyncio.timeout(30):
            record = await Provider(f"http://127.0.0.1:{port}/voice", retries=5).call(caller)
    finally:
        for task in restarted:
            second = await task
            second.terminate()
            await second.communicate()
        await server.communicate()
    assert record.verbs == ["Connect", "Redirect", "Connect"]
    store = Store(f"sqlite:///{tmp_path / 'calls.sqlite3'}")
    (row,) = store.calls()
    store.close()
    assert row.state == "ended"
    before, after = read(Path(row.folder) / "journal.jsonl")
    begun = after.steps[0].event
    assert isinstance(begun, CallStarted)
    (said,) = begun.earlier
    assert isinstance(said, AgentSaid)
    assert said.heard.split()[:2] == ["Hello", "there,"]
    assert len(before.steps) > 30
    recording = soundfile.info(Path(row.folder) / "recording.wav")
    assert (recording.channels, recording.samplerate) == (2, 8000)
    assert recording.frames / 8000 >= after.header.offset / 1000


async def _tone_server(data: Path, port: int, model: Path) -> asyncio.subprocess.Process:
    arguments = (str(PROGRAM), str(data), str(port), str(model))
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)


async def _port(server: asyncio.subprocess.Process) -> int:
    assert server.stdout is not None
    async with asyncio.timeout(20):
        return int(await server.stdout.readline())


async def test_an_unknown_call_has_no_past(store: Store) -> None:
    """Nothing is made up."""
    assert await StoredPast(store).find("CA-unknown") is None


async def test_an_unreadable_journal_costs_the_history_not_the_call(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, sessions: Sessions
) -> None:
    """The operator is told; the caller goes on with the same call."""
    call = Call("call-1", "CA1")
    leg = _Leg()
    session = sessions.open(call, leg, ())
    session.begin()
    session.lose("connection_lost")
    await session.ended()
    store.run(lambda: None).result(5)
    (tmp_path / "calls" / "call-1" / "journal.jsonl").write_text("no journal\n" * 3)
    assert await StoredPast(store).find("CA1") == Earlier(call, over=False, history=())
    assert "without its history" in caplog.text


async def test_a_store_that_does_not_answer_costs_the_past_not_the_call(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator is told; the caller goes on, as if for the first time."""

    def fail(provider_id: str) -> None:
        raise StoreError("The store of calls does not answer.")

    monkeypatch.setattr(store, "find_provider", fail)
    assert await StoredPast(store).find("CA1") is None
    assert "without its past" in caplog.text


class _Leg:
    """A line that leads nowhere."""

    def send_audio(self, mulaw: bytes) -> None: ...
    def send_mark(self, name: str) -> None: ...
    def clear(self) -> None: ...
    def hang_up(self, reason: str) -> None: ...


async def test_an_announced_recording_is_announced(store: Store, tmp_path: Path, silero_path: Path) -> None:
    """The setting reaches the conversation as its policy: the notice comes first."""
    sessions = Sessions(
        agent=Agent("Be brief."),
        engines=Engines(EchoStt(), CannedModel(lambda messages: "Yes."), ToneSpeech()),
        heartbeat=Heartbeat(VoiceBatch(silero_path)),
        store=store,
        calls=tmp_path / "calls",
        recording="announce",
    )
    session = sessions.open(Call("call-1", "CA1"), _Leg(), ())
    session.begin()
    session.lose("caller_hung_up")
    await session.ended()
    assert Phrases().recording_notice in (tmp_path / "calls" / "call-1" / "journal.jsonl").read_text()


def test_each_turns_latency_is_observed_once() -> None:
    """Whatever comes in between, a turn that the ledger has found lands in the histogram, and only once."""
    ledger = Ledger(Policy())
    watch = LatencyWatch(ledger)
    event = TimePassed(0)
    before = _observed()
    ledger.turns.append(TurnLatency(1, 1000, 1450, (), ahead=False))
    watch(event, ())
    watch(event, ())
    ledger.turns.append(TurnLatency(2, 2000, 2250, (), ahead=False))
    watch(event, ())
    count, total = _observed()
    assert count - before[0] == 2
    assert total - before[1] == pytest.approx(0.7)


def _observed() -> tuple[float, float]:
    name = "client_caller_voice_to_voice_seconds"
    return REGISTRY.get_sample_value(f"{name}_count") or 0.0, REGISTRY.get_sample_value(f"{name}_sum") or 0.0


def test_call_ids_sort_by_time_and_differ() -> None:
    """They name folders."""
    ids = [new_call_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert [name[:15] for name in ids] == sorted(name[:15] for name in ids)
    assert all(set(name) <= set("0123456789abcdef-") for name in ids)
