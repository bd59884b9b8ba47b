"""One OpenAI-compatible HTTP server: the connection that its drivers share, and its errors in words for people.

httpx rather than the `openai` package: giving a reply up has to close the connection in the same moment (that is how
vLLM is told to abort), nothing may be retried behind a caller's back while a turn waits, and a process that holds
hundreds of calls should not carry some thirty megabytes of client for two requests.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import httpx
import msgspec

from client_caller.engines import server_text
from client_caller.engines.protocols import EngineError, Stage

CONNECT_PATIENCE = 3.0
"""Seconds to reach a server: one lost SYN is repeated after one second, a second one after three."""
ERROR_PATIENCE = 1.0
"""Seconds to read the body of an error."""
_IDLE = 120.0
"""Seconds that an idle connection is kept: longer than a caller's turn, so that a reply does not wait for TLS."""
_ERROR_BYTES = 16_384

_ADVICE = {
    401: "Check the API key.",
    403: "Check the API key.",
    404: "Check base_url and model.",
    429: "The server has no room for more requests.",
}


class Refused(EngineError):
    """The server answered, and its answer was no."""

    def __init__(self, stage: Stage, reason: str, status: int) -> None:
        super().__init__(stage, reason)
        self.status = status
        """HTTP's."""


class OpenAiServer:
    """A server's address and one keep-alive client for all calls.

    `stage` names the engine in errors. Raises `EngineError` for an address that is none.
    """

    def __init__(self, stage: Stage, base_url: str, api_key: str | None) -> None:
        url = _parsed(stage, base_url)
        self.address = str(url.copy_with(username=None, password=None, query=None, fragment=None)).rstrip("/")
        """Where the server is, without credentials: for errors."""
        self._stage = stage
        self._api_key = api_key
        self._base_url = str(url).rstrip("/")
        self._closed = False
        self._waits: set[asyncio.Timeout] = set()
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_PATIENCE),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE),
        )

    def error(self, what: str) -> EngineError:
        """`what` went wrong, as a sentence with the server's address."""
        return EngineError(self._stage, f"{self._stage.upper()} server {self.address} {what}")

    @asynccontextmanager
    async def post(
        self, path: str, body: Mapping[str, Any], *, until: float, private: Iterable[str]
    ) -> AsyncIterator["Answer"]:
        """Send `body` as JSON and give the answer, its body still to be read; leaving early closes the connection.

        `until` is the moment on the loop's clock by which the answer has to begin. `private` are texts that no error
        may repeat. Raises `EngineError`: `Refused` for any answer but 200.
        """
        request = self._client.build_request(
            "POST",
            self._base_url + path,
            content=msgspec.json.encode(body),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
        )
        async with self._in_time(until):
            response = await self._send(request)
        answer = Answer(response, self._in_time)
        try:
            if response.status_code != httpx.codes.OK:
                raise await self._refusal(answer, private)
            yield answer
        finally:
            await answer.close()

    async def close(self) -> None:
        """Whoever waits for the server gets an `EngineError`. httpx alone would let a connection that is just being
        made come to life after this, and keep it."""
        self._closed = True
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(0)
        await self._client.aclose()

    async def _send(self, request: httpx.Request) -> httpx.Response:
        """A kept connection that the server has just closed fails only when it is used: then, once, a fresh one."""
        try:
            return await self._client.send(request, stream=True)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            return await self._client.send(request, stream=True)

    @asynccontextmanager
    async def _in_time(self, until: float) -> AsyncIterator[None]:
        """Wait for the server in this block, with every failure typed."""
        try:
            if self._closed:
                raise TimeoutError
            async with asyncio.timeout_at(until) as wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.remove(wait)
        except TimeoutError:
            late = "is no longer used: this engine was closed." if self._closed else "sent nothing in time. Overloaded?"
            raise self.error(late) from None
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise self.error("can't be reached. Is it running, and is base_url right?") from None
        except httpx.HTTPError as error:
            raise self.error(f"broke the connection ({type(error).__name__}).") from None

    async def _refusal(self, answer: "Answer", private: Iterable[str]) -> Refused:
        until = asyncio.get_running_loop().time() + ERROR_PATIENCE
        body = bytearray()
        with suppress(EngineError):  # What came of it is shown.
            while len(body) < _ERROR_BYTES and (chunk := await answer.read(until)):
                body += chunk
        said = self.printable(server_text.message_of(bytes(body)), private)
        advice = _ADVICE.get(answer.status, "The server's log says more.")
        told = self.error(f"answered {answer.status}{f': {said}' if said else ''}. {advice}")
        return Refused(told.stage, told.reason, answer.status)

    def printable(self, message: str, private: Iterable[str]) -> str:
        """A server's own words, fit for an error (`server_text.printable`)."""
        return server_text.printable(message, self._api_key, private)


class Answer:
    """A server's answer: its head, and its body piece by piece."""

    def __init__(self, response: httpx.Response, in_time: Callable[[float], AbstractAsyncContextManager[None]]) -> None:
        self.status = response.status_code
        self.content_type: str = response.headers.get("Content-Type", "")
        self._response = response
        self._in_time = in_time
        self._chunks = response.aiter_raw()

    async def read(self, until: float) -> bytes:
        """The next bytes of the body, none at its end. Raises `EngineError`, also when `until` has passed."""
        async with self._in_time(until):
            return await anext(self._chunks, b"")

    async def close(self) -> None:
        """The connection is kept if the body was read to its end, else closed at once."""
        await self._response.aclose()


def _parsed(stage: Stage, base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        example = "http://127.0.0.1:8000/v1"
        raise EngineError(stage, f"The base_url of {stage} is not an http or https address. It looks like {example}")
    return url
