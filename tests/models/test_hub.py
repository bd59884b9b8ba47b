"""Fetching from the model hub: whole and verified or not at all, and resumed. A real HTTP server plays the hub."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from client_caller.models import hub
from client_caller.models.fetch import PullFailed
from client_caller.models.hub import Hub
from client_caller.models.weights import HubFile

from .hub_server import HubServer, served

LARGE = bytes(range(256)) * 1024
MODEL, CONFIG = HubFile("us/model", "abc", "model.bin"), HubFile("us/model", "abc", "deep/config.json")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub with a large and a small file, and the only one that is asked."""
    made = HubServer()
    made.files = {"us/model/abc/model.bin": LARGE, "us/model/abc/deep/config.json": b"{}"}
    with served(made) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield made


Pull = Callable[[HubFile], list[int]]


@pytest.fixture
def pull(house: HubServer, tmp_path: Path) -> Iterator[Pull]:
    """Fetch one file to tmp_path; returns what progress was told."""
    with httpx.Client() as client:

        def fetch(file: HubFile) -> list[int]:
            told: list[int] = []
            there = Hub(client)
            there.fetch(there.look(file), tmp_path / file.path, told.append)
            return told

        yield fetch


def test_files_large_and_small(pull: Pull, tmp_path: Path) -> None:
    """Both kinds of checksum that the hub gives are understood, nothing else is left, and progress reaches the end."""
    told = pull(MODEL)
    assert told == sorted(told)
    assert told[-1] == len(LARGE)
    pull(CONFIG)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == {
        "model.bin",
        "deep/config.json",
    }
    assert (tmp_path / "model.bin").read_bytes() == LARGE
    assert (tmp_path / "deep/config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_connection_is_gone_on_from(house: HubServer, pull: Pull, tmp_path: Path, ranges: bool) -> None:
    """What has come is kept and not asked for again; a server that knows no ranges sends all, and all is right too."""
    house.break_after, house.ranges = 100_000, ranges
    with pytest.raises(PullFailed, match=r"the connection broke.*goes on from there"):
        pull(MODEL)
    assert not (tmp_path / "model.bin").exists()
    pull(MODEL)
    assert (tmp_path / "model.bin").read_bytes() == LARGE
    (_, first), (_, second) = house.requests
    assert first == 0 < second <= 100_000


def test_what_is_not_as_it_should_be_is_thrown_away(house: HubServer, pull: Pull, tmp_path: Path) -> None:
    """A wrong checksum leaves nothing, not even to go on from; the next attempt is whole."""
    house.claims["us/model/abc/model.bin"] = {"X-Linked-Etag": f'"{"0" * 64}"'}
    with pytest.raises(PullFailed, match="checksum"):
        pull(MODEL)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    house.claims.clear()
    pull(MODEL)
    assert (tmp_path / "model.bin").read_bytes() == LARGE


@pytest.mark.parametrize(
    ("status", "said"),
    [(401, "wants an account"), (404, "does not have it"), (429, "too often"), (500, "answered 500")],
)
def test_what_the_hub_refuses_is_said(house: HubServer, pull: Pull, status: int, said: str) -> None:
    """With the file and the reason."""
    house.refuse = status
    with pytest.raises(PullFailed, match=f"us/model/resolve/abc/model.bin.*{said}"):
        pull(MODEL)


def test_a_server_that_is_no_hub(house: HubServer, pull: Pull) -> None:
    """Without a checksum nothing is fetched."""
    house.claims["us/model/abc/deep/config.json"] = {"ETag": '"abc"'}
    with pytest.raises(PullFailed, match="Check HF_ENDPOINT"):
        pull(CONFIG)
    assert house.requests == []


def test_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear error."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with httpx.Client() as client, pytest.raises(PullFailed, match=r"127.0.0.1:9 can't be reached.*Check the network"):
        Hub(client).look(MODEL)


def test_a_full_disk(house: HubServer, pull: Pull, tmp_path: Path) -> None:
    """Found out before anything comes, or in the middle: the remedy is told either way."""
    with pytest.raises(PullFailed, match=r"1000000.0 GB are to come.*CLIENT_CALLER_MODELS"):
        hub.make_room(tmp_path / "not" / "yet", 10**15)
    with httpx.Client() as client:
        part = hub.part_of(Hub(client).look(MODEL), tmp_path / MODEL.path)
    part.symlink_to("/dev/full")
    with pytest.raises(PullFailed, match=r"model.bin can't be written.*No space left.*CLIENT_CALLER_MODELS"):
        pull(MODEL)
