"""The laws of the cache of model files."""

from pathlib import Path

import pytest

from client_caller.models.cache import ModelMissing, cache_directory, find, inspect
from client_caller.models.manifest import SILERO_VAD


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "xdg", "expected"),
    [
        ("/models", "/cache", "/models"),
        ("~/models", "/cache", "/home/someone/models"),
        (None, "/cache", "/cache/client-caller/models"),
        ("", "", "/home/someone/.cache/client-caller/models"),
        (None, None, "/home/someone/.cache/client-caller/models"),
        (None, "relative/cache", "/home/someone/.cache/client-caller/models"),
    ],
)
def test_the_users_wish_comes_first(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, xdg: str | None, expected: str
) -> None:
    """Our own variable, else an absolute XDG_CACHE_HOME, else the home folder; an empty variable is none."""
    monkeypatch.setenv("HOME", "/home/someone")
    for variable, value in (("CLIENT_CALLER_MODELS", chosen), ("XDG_CACHE_HOME", xdg)):
        monkeypatch.delenv(variable, raising=False)
        if value is not None:
            monkeypatch.setenv(variable, value)
    assert cache_directory() == Path(expected)


def test_a_model_that_is_there_is_found(silero_path: Path) -> None:
    """`find` gives the verified file."""
    assert find("silero-vad") == silero_path
    assert inspect(SILERO_VAD, silero_path) == "present"


def test_a_missing_model_is_named_with_the_place_and_the_remedy(cache: Path) -> None:
    """The error says which file, where it should be, and what to type."""
    with pytest.raises(ModelMissing) as error:
        find("silero-vad")
    message = str(error.value)
    assert "silero-vad-6.2.3.onnx (hears whether the caller is speaking) is missing" in message
    assert str(cache / "silero-vad-6.2.3.onnx") in message
    assert "client-caller models pull" in message


def test_a_model_that_was_changed_is_never_handed_out(cache: Path, silero_path: Path) -> None:
    """One wrong bit, or one byte too few, and the file counts as damaged."""
    good = silero_path.read_bytes()
    for bad in (good[:1000] + bytes([good[1000] ^ 1]) + good[1001:], good[:-1]):
        (cache / SILERO_VAD.file).write_bytes(bad)
        with pytest.raises(ModelMissing, match="is damaged"):
            find("silero-vad")


def test_a_file_that_cannot_be_read_is_said_to_be_so(cache: Path) -> None:
    """Something else in the file's place is told from nothing there."""
    (cache / SILERO_VAD.file).mkdir()
    with pytest.raises(ModelMissing, match="is unreadable"):
        find("silero-vad")


def test_a_name_that_does_not_exist_is_a_mistake_in_the_program(cache: Path) -> None:
    """Only names of the manifest can be asked for."""
    with pytest.raises(KeyError):
        find("no-such-model")
