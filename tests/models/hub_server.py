"""A model hub for tests: a real HTTP server that answers as the public one does.

Large files are sent from elsewhere: the hub's answer is a redirect with `X-Linked-Etag` (SHA-256) and `X-Linked-Size`.
Small ones come from the hub itself, after a redirect within it, with git's blob SHA-1 as entity tag. Ranges are served.
"""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = 1 << 16


class HubServer:
    """`files` by repository/revision/path. `requests` are those for contents: (path, first byte asked for)."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, int]] = []
        self.break_after: int | None = None
        """Hang up once, after so many bytes of a file."""
        self.claims: dict[str, Mapping[str, str]] = {}
        """Headers in place of the right ones, by key of `files`."""
        self.refuse: int | None = None
        self.ranges = True
        self.hold_after: int | None = None
        """Stop once, after so many bytes of a file, until `go_on`, and then hang up."""
        self.sent = threading.Event()
        """Those bytes are sent."""
        self.go_on = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: HubServer
    elsewhere: str

    def log_message(self, *arguments: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in ({"Content-Length": str(len(body))} | dict(headers or {})).items():
            self.send_header(name, text)
        self.end_headers()
        if self.command == "GET":
            self._send(body)

    def _send(self, body: bytes) -> None:
        limit = self.hub.break_after or self.hub.hold_after
        if limit is None or len(body) <= limit:
            self.wfile.write(body)
            return
        self.wfile.write(body[:limit])
        self.wfile.flush()
        self.hub.sent.set()
        if self.hub.hold_after:
            self.hub.go_on.wait(30)
        self.hub.break_after = self.hub.hold_after = None
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.hub.refuse:
            return self._answer(self.hub.refuse)
        if found := re.fullmatch(r"/(blob|small)/(.*)", self.path):
            return self._content(found[2])
        repository, _, rest = self.path[1:].partition("/resolve/")
        key = f"{repository}/{rest}"
        if key not in self.hub.files:
            return self._answer(404, b"Entry not found")
        content = self.hub.files[key]
        if len(content) < LARGE:
            return self._answer(307, headers={"Location": f"/small/{key}"})
        told = {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content))}
        told |= self.hub.claims.get(key, {})
        return self._answer(302, b"Found", {"Location": f"{self.elsewhere}/blob/{key}"} | told)

    def _content(self, key: str) -> None:
        content = self.hub.files[key]
        git = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
        headers = {"ETag": f'W/"{git}"', "Content-Length": str(len(content))} | dict(self.hub.claims.get(key, {}))
        if self.command == "HEAD":
            return self._answer(200, headers=headers)
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(start[1]) if start and self.hub.ranges else 0
        self.hub.requests.append((key.rpartition("/")[2], int(start[1]) if start else 0))
        return self._answer(206 if first else 200, content[first:])


@contextmanager
def served(hub: HubServer) -> Iterator[str]:
    """The address of the hub. Its large files lie at another one."""
    with _listening(hub, "") as elsewhere, _listening(hub, elsewhere) as address:
        yield address


@contextmanager
def _listening(hub: HubServer, elsewhere: str) -> Iterator[str]:
    handler = type("Handler", (_Handler,), {"hub": hub, "elsewhere": elsewhere})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.handle_error = lambda *arguments: None  # type: ignore[method-assign]  # who hung up is no error here
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
