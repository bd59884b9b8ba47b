"""The files of a call: private, and unable to harm the call."""

import logging
import os
from pathlib import Path

_log = logging.getLogger(__name__)


class PrivateFile:
    """A file that only its owner may read, written at any place, and given up quietly when the disk refuses.

    No method raises `OSError`: the first failure (full disk, missing folder) is logged once and kept in `failure`, what
    was half written is taken back, and from then on writing does nothing. The same holds after `close`. What has been
    written has reached the operating system, so it outlives a `kill -9`; it is not synced, so it may not outlive a
    power cut.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for reading and writing, made with mode 0600 if it is not there."""
        self.path = path
        self.failure: str | None = None
        """Why nothing more is written, for people; None while all is well."""
        self.size = 0
        """Bytes in the file."""
        self._fd = -1
        self._at = 0
        """Where the system writes next, so that it need not be told with every line of a journal."""
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            self.size = os.fstat(self._fd).st_size
        except OSError as error:
            self.give_up(_reason(error))

    def append(self, data: bytes | bytearray) -> None:
        self.write(data, self.size)

    def write(self, data: bytes | bytearray, at: int) -> None:
        """Put `data` at byte `at`; a gap before it reads as zeros."""
        if self._fd < 0:
            return
        try:
            if at != self._at:
                self._at = os.lseek(self._fd, at, os.SEEK_SET)
            rest = memoryview(data)
            while rest:
                written = os.write(self._fd, rest)
                self._at += written
                rest = rest[written:]
            self.size = max(self.size, self._at)
        except OSError as error:
            self._take_back()
            self.give_up(_reason(error))

    def read(self, size: int, at: int) -> bytes:
        """Up to `size` bytes from byte `at`; fewer at the end of the file or after a failure."""
        if self._fd < 0:
            return b""
        try:
            self._at = os.lseek(self._fd, at, os.SEEK_SET)
            data = os.read(self._fd, size)
            self._at += len(data)
            return data
        except OSError as error:
            self.give_up(_reason(error))
            return b""

    def cut(self, size: int) -> None:
        """Drop everything from byte `size` on."""
        if self._fd < 0:
            return
        try:
            os.ftruncate(self._fd, size)
            self.size = size
        except OSError as error:
            self.give_up(_reason(error))

    def give_up(self, reason: str) -> None:
        """Write nothing more, and say so once."""
        self.failure = reason
        _log.error("%s is no longer written: %s. The call goes on without it.", self.path, reason)
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.size)
        except OSError:
            _log.warning("%s may end in the middle of a piece", self.path)


def write_whole(path: Path, content: bytes) -> None:
    """Write or replace a file of mode 0600; it is there whole or not at all. Raises `OSError`."""
    draft = path.with_name(f".{path.name}.part")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
