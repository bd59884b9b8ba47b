"""The laws of the list of calls."""

import os
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from client_caller.calls.call import Call
from client_caller.calls.store import Ending, Store, StoreError

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'calls.sqlite3'}"


def store_of(tmp_path: Path, *ids: str) -> Store:
    """A store with these calls, a minute apart, all written."""
    store = Store(url(tmp_path))
    for minute, id in enumerate(ids):
        started = NOON + timedelta(minutes=minute)
        store.begin(
            Call(id, f"CA-{id}", caller="+1", callee="+2"), folder=tmp_path / id, recording="off", started=started
        )
    store.close()
    return Store(url(tmp_path))


def test_a_call_from_beginning_to_end(tmp_path: Path) -> None:
    """A row is live, then has consent, then an end with its figures; times keep their zone."""
    call = Call("abc", "CA1", "outbound", "+1", "+2")
    store = Store(url(tmp_path))
    store.begin(call, folder=tmp_path / "abc", recording="announce", started=NOON)
    store.consent(call, NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(seconds=3))
    store.run(lambda: None).result()
    row = store.find("abc")
    assert (row.state, row.reason, row.ended, row.recording) == ("live", "", None, "announce")
    assert row.started == NOON
    assert row.consented == NOON + timedelta(seconds=3)
    assert row.call == call
    store.finish(call, Ending(NOON + timedelta(minutes=1), "caller_hung_up", 4, 1, 480))
    store.run(lambda: None).result()
    row = store.find("abc")
    assert (row.state, row.reason, row.turns, row.interruptions, row.median_latency) == (
        "ended",
        "caller_hung_up",
        4,
        1,
        480,
    )
    assert row.ended == NOON + timedelta(minutes=1)
    store.close()


def test_a_resumed_call_keeps_its_row(tmp_path: Path) -> None:
    """Lost, a call is broken; back, it is live with its first start; at the end its figures add up."""
    call = Call("abc", "CA1")
    store = Store(url(tmp_path))
    store.begin(call, folder=tmp_path / "abc", recording="off", started=NOON)
    store.finish(call, Ending(NOON + timedelta(minutes=1), "connection_lost", 2, 1, 500))
    store.run(lambda: None).result()
    assert store.find("abc").state == "broken"
    store.begin(call, folder=tmp_path / "abc", recording="off", started=NOON + timedelta(minutes=2))
    store.run(lambda: None).result()
    row = store.find("abc")
    assert (row.state, row.started, row.ended) == ("live", NOON, None)
    store.finish(call, Ending(NOON + timedelta(minutes=3), "ended_by_agent", 0, 0, None))
    store.close()
    row = Store(url(tmp_path)).find("abc")
    assert (row.state, row.turns, row.interruptions, row.median_latency) == ("ended", 2, 1, 500)


def test_a_killed_process_leaves_a_broken_call(tmp_path: Path) -> None:
    """A live call whose journal has long been silent reads as broken; one that still writes does not."""
    store = store_of(tmp_path, "dead", "alive", "elsewhere")
    for id, age in (("dead", 61), ("alive", 1)):
        (tmp_path / id).mkdir()
        journal = tmp_path / id / "journal.jsonl"
        journal.touch()
        os.utime(journal, (time.time() - age, time.time() - age))
    assert [(row.id, row.state) for row in store.calls()] == [
        ("elsewhere", "live"),
        ("alive", "live"),
        ("dead", "broken"),
    ]


def test_a_call_is_found_by_id_beginning_or_last(tmp_path: Path) -> None:
    """The exact id wins over longer ones; what is not clear names the candidates; wildcards are plain characters."""
    store = store_of(tmp_path, "aa", "aab", "b_1", "bx1")
    assert store.find("aa").id == "aa"
    assert store.find("aab").id == "aab"
    assert store.find("b_").id == "b_1"
    assert store.find("last").id == "bx1"
    with pytest.raises(StoreError, match=r"2 calls begin with 'b' \(b_1, bx1, …\)"):
        store.find("b")
    with pytest.raises(StoreError, match=r"no call 'zz'.*calls list"):
        store.find("zz")
    found = store.find_provider("CA-b_1")
    assert found is not None
    assert found.id == "b_1"
    assert store.find_provider("CA-nobody") is None


def test_the_latest_come_first_and_can_be_deleted(tmp_path: Path) -> None:
    """Listed latest first, up to a limit; a deleted call is gone, and deleting it again is no error."""
    store = store_of(tmp_path, "a", "b", "c")
    assert [row.id for row in store.calls(limit=2)] == ["c", "b"]
    store.delete("b")
    store.delete("b")
    assert [row.id for row in store.calls()] == ["c", "a"]
    with pytest.raises(StoreError, match="no calls yet"):
        Store("sqlite://").find("last")


def test_only_the_owner_may_read_the_database(tmp_path: Path) -> None:
    """The file's mode is 0600, its folder's 0700."""
    store_of(tmp_path, "a")
    assert (tmp_path / "data" / "calls.sqlite3").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_writing_never_waits_for_the_database(tmp_path: Path) -> None:
    """While the store's thread is held up, begin and finish return at once; the work is done in order afterwards."""
    store = Store(url(tmp_path))
    held = threading.Event()

    def hold_up() -> None:
        held.wait(10)

    store.run(hold_up)
    call = Call("abc", "CA1")
    store.begin(call, folder=tmp_path, recording="off", started=NOON)
    store.finish(call, Ending(NOON, "caller_hung_up", 0, 0, None))
    assert store.calls() == []
    held.set()
    store.close()
    assert Store(url(tmp_path)).find("abc").state == "ended"


def test_a_broken_database_does_not_reach_the_call(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A failing write is logged without numbers or names; reading says so in one sentence."""
    store = Store(url(tmp_path))
    with sqlite3.connect(tmp_path / "data" / "calls.sqlite3") as other:
        other.execute("DROP TABLE calls")
    store.begin(Call("abc", "CA1", caller="+15550001"), folder=tmp_path, recording="off", started=NOON)
    with pytest.raises(StoreError, match="does not answer: no such table: calls"):
        store.calls()
    store.close()
    assert "its row is not up to date" in caplog.text
    assert "+15550001" not in caplog.text


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("nonsense", "Could not parse"),
        ("nodatabase://x", "nodatabase"),
        ("sqlite:////dev/null/calls.sqlite3", "Not a directory|File exists"),
    ],
)
def test_a_wrong_address_is_explained(bad: str, reason: str) -> None:
    """An address that can't work is refused at once, with the setting's name."""
    with pytest.raises(StoreError, match=rf"(?s)({reason}).*calls\.database_url"):
        Store(bad)


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL without its package says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"client-caller\[postgresql\]"):
        Store("postgresql://somebody@localhost/calls")
