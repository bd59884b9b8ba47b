"""uvicorn, set up for calls: no compression, small frames, and a drain before the end.

uvicorn on its own closes every WebSocket with 1012 within 0.3 s of SIGTERM, whatever its time limit for a graceful
shutdown (measured with 0.54). Here the first signal only stops new calls: those on the line go on to their end, or to
the limit; what is still there then is closed with 1012, and the provider's `<Redirect>` resumes it elsewhere.
"""

import gc
import logging
import socket
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from client_caller.server.line import LineProtocol
from client_caller.server.switchboard import Switchboard
from client_caller.telephony.twilio_stream import MAX_FRAME

log = logging.getLogger(__name__)

DRAIN_LIMIT = 30 * 60.0
"""Seconds: the longest call of the default `Policy`."""
LINGER = 3.0
"""Seconds that a drained server still waits for a stream it has promised, or for the webhook that ends its last call.
Without an answer to that one, the provider would read out an error to the caller."""

COLLECTIONS = (700, 2, 200)
"""Of Python's garbage collector (`gc.set_threshold`). It stops the process, and with it every call: with the usual
(700, 10, 10) for up to 8 ms in its middle generation and 28 ms in its oldest, at 100 calls on a busy machine. So the
middle one is kept small, and the oldest comes between calls (`DrainingServer.on_tick`), or on a server that is never
without one, after some hundreds of them."""


class DrainingServer(uvicorn.Server):
    """The first signal drains; the second ends the calls, with 1012; the third does not wait even for that."""

    def __init__(
        self,
        config: uvicorn.Config,
        board: Switchboard,
        *,
        drain_limit: float,
        started: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(config)
        self._board = board
        self._drain_limit = drain_limit
        self._tell_started = started
        self._clock = clock
        self._deadline = float("inf")
        self._idle_since: float | None = None
        self._tidy = True
        """No call has left anything behind."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit = True
        elif self._board.draining:
            self.should_exit = True
        else:
            self._board.draining = True
            self._deadline = self._clock() + self._drain_limit
            log.warning("no new calls; waiting for %d on the line (a second signal ends them)", self._board.live)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn asks every 0.1 s, from its start on, whether to exit."""
        if counter == 0:
            self._tell_started()
        if self._board.draining and self._drained(self._clock()):
            self.should_exit = True
        self._tidy_up()
        return await super().on_tick(counter)

    def _tidy_up(self) -> None:
        """Collect what calls have left behind, once they are over."""
        if self._board.live:
            self._tidy = False
        elif not self._tidy:
            self._tidy = True
            _collect()

    def _drained(self, now: float) -> bool:
        if self._board.live:
            self._idle_since = None
            return now >= self._deadline
        if self._idle_since is None:
            self._idle_since = now
        return not self._board.owed or now >= self._idle_since + LINGER


async def serve(
    app: ASGIApp,
    board: Switchboard,
    sock: socket.socket,
    *,
    drain_limit: float = DRAIN_LIMIT,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Run on a socket of `listen` until a signal has come and the calls are over; then the socket is closed.

    `started` is told once requests are answered.
    """
    server = DrainingServer(_config(app), board, drain_limit=drain_limit, started=started)
    usual = gc.get_threshold()
    _collect()
    gc.set_threshold(*COLLECTIONS)
    try:
        await server.serve([sock])
    finally:
        gc.set_threshold(*usual)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises `OSError`.

    Made for TCP by name: only then does asyncio switch off Nagle's algorithm, which held every frame back until the
    next one came (measured: echo P50 20.2 ms instead of 1.4).
    """
    kind, tcp = socket.SOCK_STREAM, socket.IPPROTO_TCP
    family, _, _, _, address = socket.getaddrinfo(host, port, type=kind, proto=tcp, flags=socket.AI_PASSIVE)[0]
    sock = socket.socket(family, kind, tcp)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()
    except BaseException:
        sock.close()
        raise
    return sock


def _collect() -> None:
    gc.collect()
    gc.freeze()  # what is there without any call lives as long as the process: no collection need look at it again


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws=LineProtocol,
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,  # mu-law does not compress, and each context would cost memory and time
        lifespan="off",
        proxy_headers=False,  # addresses are made from the configured public URL, never from a request
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
