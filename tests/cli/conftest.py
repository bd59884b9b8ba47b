"""Calls that were, made without any engine or line, and the command that asks about them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client_caller.calls.call import Call
from client_caller.calls.keeper import CallKeeper
from client_caller.calls.store import Store, database_in
from client_caller.cli.main import app
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.events import (
    CallEnded,
    CallStarted,
    ClauseAudioStarted,
    Event,
    PlaybackStarted,
    WordAcknowledged,
    WordSent,
)
from client_caller.conversation.policy import Phrases, Policy

Run = Callable[..., Result]
HEARD: tuple[Event, ...] = (
    CallStarted(0),
    ClauseAudioStarted(80, 1, 0),
    PlaybackStarted(90, 1),
    WordSent(200, 1, 0, 0),
    WordSent(300, 1, 0, 1),
    WordAcknowledged(400, 1, 0, 0),
    CallEnded(1500, "caller_hung_up"),
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "client-caller.toml"
    path.write_text(f'[calls]\ndata_dir = "{tmp_path / "data"}"\n')
    return path


@pytest.fixture
def run(config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "60")

    def invoke(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--config", str(config)], input=answer)

    return invoke


@pytest.fixture
def made(run: Run, tmp_path: Path) -> Path:
    """Two calls, a minute apart, in which the agent greeted; returns the folder of all calls."""
    store = Store(database_in(tmp_path / "data"))
    for minute, id in enumerate(("20261120-a1", "20261120-b2")):
        make_call(
            store, tmp_path / "data" / "calls" / id, Call(id, f"CA-{id}", caller="+15550001", callee="+2"), minute
        )
    store.close()
    return tmp_path / "data" / "calls"


def make_call(store: Store, folder: Path, call: Call, minute: int) -> None:
    began = datetime(2026, 11, 20, 13, 30, tzinfo=UTC) + timedelta(minutes=minute)
    conversation = Conversation(Policy(), Phrases(greeting="Hello there"))
    keeper = CallKeeper(
        folder, call, conversation.policy, conversation.memory.phrases, "off", store, now=lambda: began.timestamp()
    )
    for event in HEARD:
        keeper.note(event, conversation.receive(event))
    keeper.close("caller_hung_up", conversation.history).result(10)
