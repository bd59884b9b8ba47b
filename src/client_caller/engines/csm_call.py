"""One call's WebSocket to a server of ours that speaks CSM (`models.csm.wire`)."""

import asyncio
from contextlib import suppress

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from client_caller.engines import server_text
from client_caller.engines.protocols import EngineError
from client_caller.models.csm.wire import Answer, Failed, Request, Say, encode, read_answer

OPEN_PATIENCE = 3.0
"""Seconds for a connection and its handshake."""
CLOSE_PATIENCE = 0.5
"""Seconds for a polite end; then the connection is cut."""

Answers = asyncio.Queue[Answer | EngineError]


class CsmLine:
    """A connection from its first moment on: what is asked before it stands is sent once it does."""

    def __init__(self, address: str) -> None:
        """`address`: of the WebSocket. Connects at once, in a task."""
        self._address = address
        self._clauses: dict[int, Answers] = {}
        self._next = 0
        self._outbox: asyncio.Queue[Request] = asyncio.Queue()
        self._failure: EngineError | None = None
        self._task = asyncio.create_task(self._run(), name="csm")

    @property
    def lost(self) -> bool:
        """It can't be used any more."""
        return self._failure is not None

    def ask(self, request: Request) -> None:
        """Send a request, after those before it."""
        self._outbox.put_nowait(request)

    def number(self) -> int:
        """The next clause's, or caller's turn's."""
        number, self._next = self._next, self._next + 1
        return number

    def say(self, number: int, text: str) -> Answers:
        """Ask for a clause; returns where its answers come: a failure of the line is the last one."""
        answers: Answers = asyncio.Queue()
        self._clauses[number] = answers
        if self._failure is not None:
            answers.put_nowait(self._failure)
        self.ask(Say(number, text))
        return answers

    def done_with(self, number: int) -> None:
        """Nobody waits for this clause's answers any more."""
        self._clauses.pop(number, None)

    async def close(self) -> None:
        """Hang up. Whoever waits for sound gets an error."""
        if not self.lost:  # else it is hanging up already, and must be left to it
            self._fail(self._error("is no longer used: this engine was closed."))
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            socket = await self._connected()
        except EngineError as error:
            self._fail(error)
            return
        sending = asyncio.create_task(self._send(socket))
        try:
            async for message in socket:
                self._take(read_answer(message))
            self._fail(self._error(f"hung up{_why(socket)}."))
        except EngineError as error:
            self._fail(error)
        except ConnectionClosed:
            self._fail(self._error(f"broke the connection{_why(socket)}."))
        except ValueError:
            self._fail(self._error("speaks another protocol. Is base_url that of a CSM server of ours?"))
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            await _hang_up(socket)

    async def _connected(self) -> ClientConnection:
        try:
            return await connect(
                self._address,
                compression=None,
                open_timeout=OPEN_PATIENCE,
                close_timeout=CLOSE_PATIENCE,
                ping_interval=5,
                ping_timeout=5,
            )
        except InvalidStatus as error:
            if error.response.status_code == 503:
                raise self._error("has no room for one more call.") from None
            raise self._error(
                f"refused the call ({error.response.status_code}). Is base_url that of a CSM server of ours?"
            ) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise self._error(f"can't be reached ({type(error).__name__}). Is base_url right?") from None

    async def _send(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(encode(await self._outbox.get()))

    def _take(self, answer: Answer) -> None:
        if answer.clause is None:
            raise self._error(f"says: {server_text.printable(answer.reason, None, ())}.")
        if answers := self._clauses.get(answer.clause):
            if isinstance(answer, Failed):
                reason = server_text.printable(answer.reason, None, ())
                answers.put_nowait(self._error(f"can't speak a clause: {reason}."))
            else:
                answers.put_nowait(answer)

    def _fail(self, error: EngineError) -> None:
        if self._failure is None:
            self._failure = error
            for answers in self._clauses.values():
                answers.put_nowait(error)

    def _error(self, what: str) -> EngineError:
        return EngineError("tts", f"CSM server {self._address} {what}")


def _why(socket: ClientConnection) -> str:
    reason = f"{socket.close_code or ''} {socket.close_reason or ''}".strip()
    return f" ({server_text.printable(reason, None, ())})" if reason else ""


async def _hang_up(socket: ClientConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_PATIENCE):
            await socket.close()
    except TimeoutError:
        socket.transport.abort()
