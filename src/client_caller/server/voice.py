"""The provider's questions about a call: what to do with it, and how it went."""

import logging
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response

from client_caller.calls.store import BROKEN
from client_caller.observe.metrics import ADMISSIONS
from client_caller.server.security import Form, Gate
from client_caller.server.switchboard import Earlier, Past, Switchboard
from client_caller.telephony import twiml

log = logging.getLogger(__name__)

MAX_RESUMES = 3
"""How often one call is resumed before it ends with an apology: whatever breaks it would break it again. The count
travels in the resume webhook's URL, which the provider signs, so that it survives this process."""

FINISHED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Twilio's `CallStatus` values of a call that is over."""


@dataclass(frozen=True, slots=True)
class Apology:
    """What a caller hears when a call can't go on."""

    words: str
    language: str
    """BCP 47."""


class VoiceWebhooks:
    """The routes under `/voice`."""

    def __init__(self, gate: Gate, board: Switchboard, past: Past, apology: Apology) -> None:
        self._gate = gate
        self._board = board
        self._past = past
        self._apology = apology

    def routes(self) -> APIRouter:
        router = APIRouter(prefix="/voice")
        router.post("")(self.answer)
        router.post("/resume")(self.resume)
        router.post("/status")(self.status)
        router.post("/stream-status")(self.stream_status)
        return router

    async def answer(self, request: Request) -> Response:
        """A call comes in."""
        form = await self._gate.form(request)
        if reason := self._board.why_not():
            ADMISSIONS.labels(reason).inc()
            return _xml(twiml.busy())
        ADMISSIONS.labels("accepted").inc()
        return self._connect(form, None, resumes=0)

    async def resume(self, request: Request) -> Response:
        """A call's stream has closed: it is over, or it was cut off and goes on."""
        form = await self._gate.form(request)
        call = _call_of(form)
        reason = await self._board.outcome(call)
        earlier = await self._past.find(call)
        if reason not in BROKEN if reason else earlier is not None and earlier.over:
            ADMISSIONS.labels("over").inc()
            self._board.forget(call)
            return _xml(twiml.hang_up())
        resumes = _count(request.query_params.get("resumes", ""))
        if resumes >= MAX_RESUMES:
            log.error("a call was cut off %d times and is given up", resumes + 1)
            ADMISSIONS.labels("given_up").inc()
            self._board.forget(call)
            return _xml(twiml.apologise(self._apology.words, self._apology.language))
        ADMISSIONS.labels("resumed").inc()
        return self._connect(form, earlier, resumes=resumes + 1)

    async def status(self, request: Request) -> Response:
        """The provider's status callback; worth configuring, not needed."""
        form = await self._gate.form(request)
        if form.get("CallStatus") in FINISHED:
            self._board.hung_up(_call_of(form))
        return Response(status_code=204)

    async def stream_status(self, request: Request) -> Response:
        """The provider's own view of a stream: only its errors are of interest."""
        form = await self._gate.form(request)
        if form.get("StreamEvent") == "stream-error":
            log.error("the provider could not keep a stream: %s", ascii(form.get("StreamError", "")[:200]))
        return Response(status_code=204)

    def _connect(self, form: Form, earlier: Earlier | None, *, resumes: int) -> Response:
        call = _call_of(form)
        token = self._board.expect(call, caller=form.get("From", ""), callee=form.get("To", ""), earlier=earlier)
        url = self._gate.url
        return _xml(
            twiml.connect(
                stream_url=url.websocket("/media"),
                stream_status_url=url.http("/voice/stream-status"),
                resume_url=url.http(f"/voice/resume?resumes={resumes}"),
                token=token,
            )
        )


def _call_of(form: Form) -> str:
    call: str = form.get("CallSid", "")
    if not (0 < len(call) <= 64 and call.isascii() and call.isprintable()):
        raise HTTPException(400, "The form has no proper CallSid.")
    return call


def _count(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else 0


def _xml(text: str) -> Response:
    return Response(text, media_type=twiml.CONTENT_TYPE)
