"""One call's ear behind a WebSocket: bounded, patient for so long and no longer, and connected anew once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client_caller.audio.g711 import FRAME, SAMPLE_RATE
from client_caller.engines import server_text
from client_caller.engines.protocols import EngineError, Finished, Partial, SttResult
from client_caller.engines.stt_dialect import Dialect, DialectError

OPEN_PATIENCE = 3.0
"""Seconds for a connection, TLS and handshake together."""
CLOSE_PATIENCE = 0.5
"""Seconds for a polite end; then the connection is cut."""
KEEP_ALIVE_AFTER = 4.0
"""Seconds without audio before a keep-alive: Deepgram asks for one every 3 to 5 s and hangs up after 10 s."""
MAX_WAITING = 5 * SAMPLE_RATE
"""Samples that wait to be sent before the oldest are dropped."""
MESSAGE = FRAME
"""Samples that make a message. Three frames in one would save 0.8 ms of CPU for each second of a call, and make every
guess of the caller's words up to 40 ms late: by as much the reply is late, which is begun on the last of them."""


class SttSocket:
    """One call's ear; implements `SttStream` for any `Dialect`.

    One task holds the connection and reads, one writes; audio waits in a bounded queue between. A lost connection is
    made anew once in a call, and gets again what the dialect knows to be unanswered.
    """

    def __init__(
        self,
        place: str,
        dialect: Dialect,
        connected: Callable[[], Awaitable[ClientConnection]],
        socket: ClientConnection,
        finish_patience: float,
    ) -> None:
        """`place`: the service and its address, as errors name it. `finish_patience`: seconds after which a `finish`
        counts as answered."""
        self.dropped = 0
        """Samples that were never sent because the connection was slower than speech."""
        self._place = place
        self._dialect = dialect
        self._connected = connected
        self._socket = socket
        self._finish_patience = finish_patience
        self._outbox: deque[bytes | int] = deque()
        self._waiting = 0
        self._to_send = asyncio.Event()
        self._unfinished: dict[int, asyncio.TimerHandle] = {}
        self._results: deque[SttResult] = deque()
        self._to_give = asyncio.Event()
        self._failure: EngineError | None = None
        self._closed = False
        self._task = asyncio.create_task(self._run(), name=f"speech to text at {place}")

    def feed(self, mulaw: bytes) -> None:
        """Take some audio; when more than 5 s wait to be sent, the oldest is dropped and counted."""
        if self._task.done():
            return
        self._outbox.append(mulaw)
        self._waiting += len(mulaw)
        while self._waiting > MAX_WAITING:
            oldest = next(i for i, item in enumerate(self._outbox) if isinstance(item, bytes))
            lost = cast(bytes, self._outbox[oldest])
            del self._outbox[oldest]
            self._waiting -= len(lost)
            self.dropped += len(lost)
        if self._waiting >= MESSAGE:
            self._to_send.set()

    def finish(self, request: int) -> None:
        """Ask for the final words; answered by `Finished(request)`, after `finish_patience` at the latest."""
        if self._task.done():
            return
        loop = asyncio.get_running_loop()
        self._unfinished[request] = loop.call_later(self._finish_patience, self._give, Finished(request))
        self._outbox.append(request)
        self._to_send.set()

    async def __aiter__(self) -> AsyncIterator[SttResult]:
        while not self._closed:
            if self._results:
                yield self._results.popleft()
            elif self._failure is not None:
                raise self._failure
            else:
                self._to_give.clear()
                await self._to_give.wait()

    async def close(self) -> None:
        self._closed = True
        self._to_give.set()
        self._forget_requests()
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._hang_up()

    def _forget_requests(self) -> None:
        for timer in self._unfinished.values():
            timer.cancel()
        self._unfinished.clear()

    def _give(self, result: SttResult) -> None:
        if isinstance(result, Finished):
            timer = self._unfinished.pop(result.request, None)
            if timer is None:
                return  # Answered before, or given up.
            timer.cancel()
        if isinstance(result, Partial) and self._results and isinstance(self._results[-1], Partial):
            self._results.pop()
        self._results.append(result)
        self._to_give.set()

    async def _run(self) -> None:
        """Hold a connection until the call closes it, or until a second one is lost."""
        try:
            await self._serve(self._socket)
            lost = self._socket
            self._socket = await self._connected()
            await self._serve(self._socket)
            raise EngineError("stt", f"{self._place} broke two connections{_why(lost, self._socket)}.")
        except EngineError as error:
            self._failure = error
        except DialectError as error:
            said = server_text.printable(str(error), None, ())
            self._failure = EngineError("stt", f"{self._place} {said}.")
        self._forget_requests()
        self._to_give.set()
        await self._hang_up()

    async def _serve(self, socket: ClientConnection) -> None:
        """Read until the connection is gone."""
        self._dialect.connected()
        writer = asyncio.create_task(self._write(socket), name="speech to text writer")
        try:
            async for message in socket:
                for result in self._dialect.received(message):
                    self._give(result)
                self._to_send.set()  # what was received may be answered, or make it ready for more
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.wait([writer])

    async def _write(self, socket: ClientConnection) -> None:
        """Send what waits, in order. What goes out is noted first: whether it arrived or not, the dialect has it."""
        self._to_send.set()
        with suppress(ConnectionClosed):
            while True:
                await self._work(socket)
                for message in self._dialect.outgoing():
                    await socket.send(message)
                while self._outbox and self._dialect.ready:
                    if audio := self._waiting_audio():
                        await socket.send(self._dialect.audio(audio))
                    else:
                        for message in self._dialect.ask(cast(int, self._outbox.popleft())):
                            await socket.send(message)

    async def _work(self, socket: ClientConnection) -> None:
        """Wait until there is something to send, and keep the connection alive meanwhile."""
        while not self._to_send.is_set():
            try:
                async with asyncio.timeout(KEEP_ALIVE_AFTER):
                    await self._to_send.wait()
            except TimeoutError:
                if self._dialect.keep_alive is not None:
                    await socket.send(self._dialect.keep_alive)
        self._to_send.clear()

    def _waiting_audio(self) -> bytes:
        """All audio that waits before the next request, taken out of the queue."""
        frames = []
        while self._outbox and isinstance(self._outbox[0], bytes):
            frames.append(cast(bytes, self._outbox.popleft()))
        audio = b"".join(frames)
        self._waiting -= len(audio)
        return audio

    async def _hang_up(self) -> None:
        """Say goodbye, so that the service stops at once; cut the line if that takes long."""
        try:
            async with asyncio.timeout(CLOSE_PATIENCE):
                if self._dialect.goodbye is not None:
                    await self._socket.send(self._dialect.goodbye)
                await self._socket.close()
        except (ConnectionClosed, TimeoutError):
            self._socket.transport.abort()


def _why(*sockets: ClientConnection) -> str:
    reasons = [f"{socket.close_code} {socket.close_reason}".strip() for socket in sockets if socket.close_code]
    return f" ({server_text.printable('; '.join(reasons), None, ())})" if reasons else ""
