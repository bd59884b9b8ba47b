"""Server-sent events, as much of them as a stream of JSON needs: bytes in, the data of each event out.

The format: html.spec.whatwg.org, "Server-sent events". Sans-I/O.
"""

MAX_EVENT = 1 << 20
"""Bytes. A chunk of a reply has a few hundred; whatever is a thousand times larger is not one."""


class EventStream:
    """One response's body.

    Any line end (LF, CR LF, CR) and any cut of the bytes is taken. Comments and all fields but `data` are passed over.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[str] = []
        self._size = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that this chunk completes. Raises `ValueError` for what is no event stream."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        self._after_cr |= chunk.endswith(b"\r")
        self._line += chunk
        # `bytes.splitlines` knows exactly the three line ends of the format.
        lines = bytes(self._line).splitlines(keepends=True)
        self._line.clear()
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            self._line += lines.pop()
        events = [event for line in lines for event in self._take(line.rstrip(b"\r\n"))]
        if self._size + len(self._line) > MAX_EVENT:
            raise ValueError("an event is larger than one megabyte")
        return events

    def finish(self) -> list[str]:
        """The last event, where the stream ended without the empty line that should close it."""
        rest = self._take(bytes(self._line))
        self._line.clear()
        return rest + self._take(b"")

    def _take(self, line: bytes) -> list[str]:
        if not line:
            event = "\n".join(self._data)
            found = [event] if self._data else []
            self._data.clear()
            self._size = 0
            return found
        field, _, value = line.partition(b":")
        if field == b"data":
            self._data.append(value.removeprefix(b" ").decode())
            self._size += len(value)
        return []
