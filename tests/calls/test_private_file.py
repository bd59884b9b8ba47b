"""The laws of a call's files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from client_caller.calls.private_file import PrivateFile, write_whole


def test_what_is_written_is_there_at_once(tmp_path: Path) -> None:
    """At its place, with zeros in the gap, readable by others before any close; what was there before is kept."""
    path = tmp_path / "file"
    file = PrivateFile(path)
    file.append(b"abc")
    file.write(b"xyz", 5)
    file.write(b"B", 1)
    assert path.read_bytes() == b"aBc\0\0xyz"
    assert file.size == 8
    assert file.read(3, 1) == b"Bc\0"
    assert file.read(9, 6) == b"yz"
    file.close()
    again = PrivateFile(path)
    again.append(b"!")
    again.cut(8)
    again.append(b"?")
    assert path.read_bytes() == b"aBc\0\0xyz?"
    again.close()


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    """Mode 0600, whatever the umask allows, for growing files and whole ones."""
    before = os.umask(0)
    try:
        PrivateFile(tmp_path / "growing").close()
        write_whole(tmp_path / "whole", b"x")
    finally:
        os.umask(before)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "growing": 0o600,
        "whole": 0o600,
    }


def test_a_closed_file_takes_nothing(tmp_path: Path) -> None:
    """After the end of a call late data is dropped, without an error."""
    file = PrivateFile(tmp_path / "file")
    file.append(b"abc")
    file.close()
    file.append(b"def")
    file.cut(0)
    file.close()
    assert file.read(3, 0) == b""
    assert file.failure is None
    assert (tmp_path / "file").read_bytes() == b"abc"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
@pytest.mark.parametrize(
    "use",
    [lambda file: file.append(b"x"), lambda file: file.cut(0)],
    ids=["write", "cut"],
)
def test_a_device_that_refuses_ends_it_with_one_message(
    use: Callable[[PrivateFile], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The first refusal closes the file and is logged once; everything after is quiet."""
    file = PrivateFile(Path("/dev/full"))
    for _ in range(3):
        use(file)
    assert file.failure
    assert sum("no longer written" in record.message for record in caplog.records) == 1


def test_what_cannot_be_read_back_ends_it_too(tmp_path: Path) -> None:
    """A pipe has no places: reading gives nothing, and the file is given up."""
    os.mkfifo(tmp_path / "pipe")
    file = PrivateFile(tmp_path / "pipe")
    assert file.read(1, 0) == b""
    assert file.failure == "Illegal seek"


def test_a_whole_file_replaces_the_old_one_or_nothing(tmp_path: Path) -> None:
    """A writer that fails leaves what was there."""
    path = tmp_path / "whole"
    write_whole(path, b"old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    (tmp_path / ".whole.part").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(path, b"newer")
    assert path.read_bytes() == b"new"
