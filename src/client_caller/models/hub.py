"""Fetching files from the model hub: resumed where they stopped, verified by what the hub itself says of them.

The hub tells size and checksum of a file before the file (huggingface.co/docs/huggingface_hub, `get_hf_file_metadata`):
the entity tag, `X-Linked-Etag` where the file lies elsewhere, is its SHA-256, or for small files the name that git
gives it. So a file is proven to be what its pinned commit holds; that the hub holds what its authors meant is believed.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import httpx

from client_caller.models.fetch import PullFailed
from client_caller.models.weights import HubFile

ENDPOINT = "https://huggingface.co"
_PATIENCE = httpx.Timeout(30.0, connect=10.0)
_CHUNK = 1 << 20
_REDIRECTS = 5
_AGAIN = "What has come so far is kept: run the same command again, and it goes on from there."


@dataclass(frozen=True, slots=True)
class Remote:
    """What the hub says of a file."""

    url: str
    digest: str
    """SHA-256 in 64 hexadecimal digits, or git's SHA-1 of it as a blob in 40."""
    size: int
    """Bytes."""


class Hub:
    """One model hub: that in `HF_ENDPOINT`, as the hub's own tools read it, or the public one."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._endpoint = os.environ.get("HF_ENDPOINT") or ENDPOINT

    def look(self, file: HubFile) -> Remote:
        """Ask for size and checksum. Raises `PullFailed`."""
        url = f"{self._endpoint.rstrip('/')}/{file.address}"
        for _ in range(_REDIRECTS):
            try:
                answer = self._client.head(url, headers={"Accept-Encoding": "identity"}, timeout=_PATIENCE)
            except httpx.HTTPError as error:
                _unreachable(url, error)
            # To another place of the hub it is followed; to where the file lies it is not: the checksum is here.
            target = urljoin(url, answer.headers.get("Location", ""))
            if not answer.is_redirect or urlsplit(target).netloc != urlsplit(url).netloc:
                return _described(file, url, answer)
            if "X-Linked-Etag" in answer.headers:
                return _described(file, url, answer)
            url = target
        raise PullFailed(f"{file.path}: the hub sends from one address to the next. Try again later.")

    def fetch(self, remote: Remote, target: Path, progress: Callable[[int], None]) -> None:
        """Have the verified file at `target`, which appears whole or not at all.

        `progress` is told how many bytes there are, now and then. Raises `PullFailed`; what has come until then, or
        until Ctrl-C, is gone on from by the next call.
        """
        part = part_of(remote, target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._download(remote, part, progress)
            if _digest(part, remote) != remote.digest:
                part.unlink()
                raise PullFailed(
                    f"{target.name} came damaged (its checksum is not the one the hub gives), and was thrown away. "
                    "Run the same command again."
                )
            part.rename(target)
        except OSError as error:
            raise PullFailed(
                f"{target.name} can't be written to {target.parent} ({error.strerror}). Make room or give access "
                f"there, or set CLIENT_CALLER_MODELS to another folder. {_AGAIN}"
            ) from error

    def _download(self, remote: Remote, part: Path, progress: Callable[[int], None]) -> None:
        have = part.stat().st_size if part.is_file() else 0
        progress(have)
        if have >= remote.size:
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        request = self._client.stream("GET", remote.url, headers=headers, timeout=_PATIENCE, follow_redirects=True)
        try:
            with request as answer:
                _check_status(answer, remote.url)
                rest = answer.status_code == httpx.codes.PARTIAL_CONTENT  # else all of it comes anew
                with part.open("ab" if rest else "wb") as file:
                    for chunk in answer.iter_bytes():  # as they come: what was read is kept
                        file.write(chunk)
                        progress(file.tell())
                    file.flush()
                    os.fsync(file.fileno())
        except httpx.HTTPError as error:
            _unreachable(remote.url, error)


def part_of(remote: Remote, target: Path) -> Path:
    """Where what has come so far is kept."""
    return target.with_name(f".{target.name}.{remote.digest[:16]}.part")


def make_room(folder: Path, size: int) -> None:
    """Raises `PullFailed` where `size` bytes more do not fit beside what is there."""
    there = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise PullFailed(
            f"There is not enough room: {size / 1e9:.1f} GB are to come, and {there} has {free / 1e9:.1f} GB free. "
            "Make room, or set CLIENT_CALLER_MODELS to a folder on another disk."
        )


def _described(file: HubFile, url: str, answer: httpx.Response) -> Remote:
    if not answer.is_redirect:
        _check_status(answer, url)
    tag = answer.headers.get("X-Linked-Etag") or answer.headers.get("ETag", "")
    length = "" if answer.is_redirect else answer.headers.get("Content-Length", "")  # of the answer, not of the file
    size = answer.headers.get("X-Linked-Size") or length
    digest = tag.removeprefix("W/").strip('"')
    if len(digest) not in (40, 64) or not size.isdigit():
        raise PullFailed(
            f"{file.path}: {urlsplit(url).netloc} gives no checksum or no size for it, as the model hub does. "
            "Check HF_ENDPOINT."
        )
    return Remote(url, digest, int(size))


def _check_status(answer: httpx.Response, url: str) -> None:
    if answer.is_success:
        return
    what = {
        401: "wants an account for it",
        403: "wants an account for it",
        404: "does not have it",
        429: "has been asked too often; wait some minutes",
    }.get(answer.status_code, f"answered {answer.status_code}; try again later")
    raise PullFailed(f"{urlsplit(url).path}: {urlsplit(url).netloc} {what}. {_AGAIN}")


def _unreachable(url: str, error: httpx.HTTPError) -> NoReturn:
    raise PullFailed(
        f"{urlsplit(url).path}: {urlsplit(url).netloc} can't be reached, or the connection broke "
        f"({type(error).__name__}). Check the network. {_AGAIN}"
    ) from error


def _digest(path: Path, remote: Remote) -> str:
    digest = hashlib.sha256() if len(remote.digest) == 64 else hashlib.sha1(usedforsecurity=False)
    if len(remote.digest) == 40:
        digest.update(f"blob {path.stat().st_size}\0".encode())  # git-scm.com/book, "Git Objects"
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
