"""One media stream's WebSocket, from its handshake to its end."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from client_caller.calls.call import Call
from client_caller.conversation.history import Entry
from client_caller.observe.metrics import LOST_AUDIO, PROTOCOL_ERRORS, REFUSALS, STALLED_LINES
from client_caller.server.leg import SocketLeg
from client_caller.server.line import LINE, Line
from client_caller.server.security import Gate
from client_caller.server.switchboard import Connection, Refused, Switchboard
from client_caller.telephony.leg import Leg
from client_caller.telephony.twilio_stream import (
    Audio,
    Digit,
    Mark,
    ProtocolError,
    Started,
    Stopped,
    TwilioStream,
)

log = logging.getLogger(__name__)

START = 10.0
"""Seconds from the handshake to the start message; Twilio sends it at once."""
IDLE = 10.0
"""Seconds without any frame before a line counts as lost. Twilio sends 50 a second, in silence too."""
FLUSH = 2.0
"""Seconds that the last frames of a call, and then the closing of its socket, may take to leave."""
FREE = 30.0
"""Seconds that a call may take to free what it holds: longer than any tool may run."""

_POLICY_VIOLATION = 1008
_RESTART = 1012


class Session(Protocol):
    """One call's shell: `runtime.session.CallSession`, or anything that behaves like it.

    It ends when it is told to (`lose`), or on its own: then it first hangs up its leg. Either way `ended` returns.
    """

    def begin(self) -> None: ...
    def hear(self, mulaw: bytes, timestamp: int) -> None: ...
    def acknowledge(self, mark: str) -> None: ...
    def press(self, digit: str) -> None: ...
    def lose(self, reason: str) -> None: ...
    async def ended(self) -> str: ...


SessionFactory = Callable[[Call, Leg, tuple[Entry, ...]], Session]


async def carry(websocket: WebSocket, gate: Gate, board: Switchboard, open_session: SessionFactory) -> None:
    """Let a stream in, or not, and carry its call."""
    if not gate.opens(websocket):
        await websocket.close()  # before it is accepted, this answers the handshake with 403
        return
    await websocket.accept()
    stream = TwilioStream()
    try:
        async with asyncio.timeout(START):
            started = await _start(websocket, stream)
        token = started.parameters.get("token", "")
        connection = board.connect(started.call_sid, token, open_to_all=gate.signature is None)
    except WebSocketDisconnect:
        REFUSALS.labels("no_start").inc()
    except (ProtocolError, Refused, TimeoutError) as error:
        await _refuse(websocket, error)
    else:
        await _Carrier(websocket, stream, connection).run(board, open_session)
    finally:
        _count(stream)


async def _start(websocket: WebSocket, stream: TwilioStream) -> Started:
    while True:
        message = stream.receive(await _frame(websocket))
        if isinstance(message, Started):
            return message


async def _refuse(websocket: WebSocket, error: ProtocolError | Refused | TimeoutError) -> None:
    match error:
        case ProtocolError():
            PROTOCOL_ERRORS.labels(error.reason).inc()
            reason, explanation = "protocol", str(error)
        case Refused():
            reason = explanation = str(error)
        case _:
            reason, explanation = "no_start", "no start message came"
    REFUSALS.labels(reason).inc()
    log.warning("media stream refused: %s", explanation)
    await websocket.close(_POLICY_VIOLATION)


async def _frame(websocket: WebSocket) -> str | bytes:
    """The next frame. Raises `WebSocketDisconnect`."""
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1006))
    text: str | None = event.get("text")
    return event["bytes"] if text is None else text


class _Carrier:
    """Carries one connection: what arrives, what leaves, and the session between them."""

    def __init__(self, websocket: WebSocket, stream: TwilioStream, connection: Connection) -> None:
        self._websocket = websocket
        self._stream = stream
        self._connection = connection
        self._leg = SocketLeg(stream)
        self._line: Line = websocket.scope["extensions"][LINE]
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[str] = self._loop.create_future()
        """Why nothing more is heard of the far end."""
        self._heard_at = self._loop.time()
        self._watching = self._loop.call_later(IDLE, self._watch)

    async def run(self, board: Switchboard, open_session: SessionFactory) -> None:
        reason = "server_error"
        try:
            session = open_session(self._connection.call, self._leg, self._connection.earlier)
            self._connection.lose = session.lose
            session.begin()
            reason = await self._converse(session)
        except Exception:
            log.exception("call %s failed", self._connection.call.id)
        finally:
            self._watching.cancel()
            board.ended(self._connection, reason)
        await self._close()

    async def _converse(self, session: Session) -> str:
        """Both directions until either side is done. Returns why the call ended, once all of it is freed."""
        reader = asyncio.create_task(self._read(session))
        writer = asyncio.create_task(self._leg.write(self._line))
        stalled = asyncio.create_task(self._leg.stalled.wait())
        over = asyncio.create_task(session.ended())
        try:
            await asyncio.wait((self._gone, writer, stalled, over), return_when=asyncio.FIRST_COMPLETED)
            if self._leg.reason is None:
                session.lose(self._gone.result() if self._gone.done() else "connection_lost")
            reason = await asyncio.wait_for(over, FREE)
            self._leg.hang_up(reason)
            await asyncio.wait((self._gone, writer, stalled), timeout=FLUSH, return_when=asyncio.FIRST_COMPLETED)
            return reason
        finally:
            tasks = (reader, writer, stalled, over)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, session: Session) -> None:
        """Hand what arrives to the call until the line is gone."""
        self._line.hand_to(partial(self._take, session))
        try:
            while True:
                self._take(session, await _frame(self._websocket))
        except WebSocketDisconnect as gone:
            self._lose("server_stopped" if gone.code == _RESTART else "connection_lost")

    def _take(self, session: Session, frame: str | bytes) -> None:
        if self._gone.done():
            return
        self._heard_at = self._loop.time()
        try:
            message = self._stream.receive(frame)
            if isinstance(message, Audio):  # first, and without a match: there are 50 of it a second
                session.hear(message.mulaw, message.timestamp)
            elif isinstance(message, Stopped):
                self._lose("caller_hung_up")
            elif isinstance(message, Mark):
                session.acknowledge(message.name)
            elif isinstance(message, Digit):
                session.press(message.digit)
        except ProtocolError as error:
            PROTOCOL_ERRORS.labels(error.reason).inc()
            if error.fatal:
                log.warning("call %s: %s", self._connection.call.id, error)
                self._lose("connection_lost")
        except Exception:
            log.exception("call %s could not take what arrived", self._connection.call.id)
            self._lose("server_error")

    def _watch(self) -> None:
        """Lose the line when nothing has come for too long; looked at when that may be, since frames are many."""
        rest = self._heard_at + IDLE - self._loop.time()
        if rest > 0:
            self._watching = self._loop.call_later(rest, self._watch)
        else:
            self._lose("connection_lost")

    def _lose(self, reason: str) -> None:
        if not self._gone.done():
            self._gone.set_result(reason)

    async def _close(self) -> None:
        """Close the socket, or cut it where the far end takes nothing any more."""
        try:
            async with asyncio.timeout(0 if self._leg.stalled.is_set() else FLUSH):
                await self._websocket.close()
        except TimeoutError:
            STALLED_LINES.inc()
            self._line.abort()
        except (RuntimeError, WebSocketDisconnect):
            pass  # the far end was faster


def _count(stream: TwilioStream) -> None:
    for reason in ("unknown_event", "repeated_audio"):
        PROTOCOL_ERRORS.labels(reason).inc(stream.counts[reason])
    LOST_AUDIO.inc(stream.counts["lost_audio_ms"] / 1000)
