"""The webhooks: signed or nothing, admission, and the way back after a lost connection."""

from collections.abc import Callable
from typing import Any

import pytest

from client_caller.calls.call import Call
from client_caller.conversation.history import CallerSaid
from client_caller.server.switchboard import Earlier
from client_caller.server.voice import MAX_RESUMES

Edge = Any
FRAME = b"\x7f" * 160
SAID = CallerSaid(0, 500, "hello")
PATHS = ["/voice", "/voice/resume", "/voice/status", "/voice/stream-status"]


def verbs(response: Any) -> list[str]:
    return [verb.tag for verb in response]


def way_back(response: Any) -> str:
    """The path of the resume webhook, as the provider would call it."""
    url: str = response.find("Redirect").text
    return url.removeprefix("https://calls.example.com")


def token_in(response: Any) -> str:
    token: str = response.find("Connect/Stream/Parameter").attrib["value"]
    return token


async def test_a_call_is_answered_with_a_stream_and_a_way_back(edge: Edge) -> None:
    """The addresses are made from the public URL, the stream's with wss:// and without a query."""
    response = await edge.ask("/voice")
    assert verbs(response) == ["Connect", "Redirect"]
    stream = response.find("Connect/Stream")
    assert stream.attrib["url"] == "wss://calls.example.com/media"
    assert stream.attrib["statusCallback"] == "https://calls.example.com/voice/stream-status"
    assert way_back(response) == "/voice/resume?resumes=0"


@pytest.mark.parametrize("path", PATHS)
async def test_an_unsigned_webhook_gets_nothing(edge: Edge, path: str) -> None:
    """No signature, one for another path, and one for other fields: 403, with a hint for the operator."""
    form = {"CallSid": "CA1", "CallStatus": "completed"}
    nothing: dict[str, str] = {}
    for headers in (
        nothing,
        edge.signature("https://calls.example.com/other", form),
        edge.signature("https://calls.example.com" + path, form | {"CallSid": "CA2"}),
        edge.signature("http://127.0.0.1" + path, form),
    ):
        answer = await edge.post(path, form, headers)
        assert answer.status_code == 403
        assert "auth token" in answer.json()["detail"]
    assert edge.board.why_not() is None
    assert edge.board.owed == 0


async def test_the_signature_covers_the_query_and_blank_fields(edge: Edge) -> None:
    """The raw query counts as it came, and fields without a value are part of what was signed."""
    assert (await edge.post("/voice/status?b=2&a=%41", {"CallSid": "CA1", "CallerName": ""})).status_code == 204


@pytest.mark.parametrize("call", ["", "x" * 65, "CA1\n", "é"])
async def test_a_webhook_needs_a_proper_call(edge: Edge, call: str) -> None:
    """A signed form without a usable CallSid is a bad request."""
    assert (await edge.post("/voice", {"CallSid": call})).status_code == 400


async def test_large_or_broken_forms_are_refused(edge: Edge) -> None:
    """Before the signature is known to be right, little is read."""
    assert (await edge.post("/voice", {"CallSid": "C" * 70_000})).status_code == 413
    assert (await edge.post("/voice", {f"f{n}": "" for n in range(300)})).status_code == 400


async def test_more_calls_than_allowed_hear_the_busy_tone(run_edge: Callable[..., Any]) -> None:
    """A call that was answered but has not connected yet counts; when one ends there is room again."""
    async with run_edge(max_calls=1) as edge:
        async with edge.call("CA1") as stream:
            response = await edge.ask("/voice", "CA2")
            assert verbs(response) == ["Reject"]
            assert response[0].attrib == {"reason": "busy"}
            await stream.stop()
            await stream.closed()
        assert verbs(await edge.ask("/voice", "CA2")) == ["Connect", "Redirect"]
        assert verbs(await edge.ask("/voice", "CA3")) == ["Reject"]
        await edge.ask_status("CA2", "completed")
        assert verbs(await edge.ask("/voice", "CA3")) == ["Connect", "Redirect"]


async def test_a_draining_server_takes_no_new_call_but_resumes_its_own(edge: Edge) -> None:
    """The caller of a broken call is still there."""
    async with edge.call() as stream:
        edge.board.draining = True
        stream.socket.transport.abort()
    assert verbs(await edge.ask("/voice", "CA2")) == ["Reject"]
    assert verbs(await edge.ask("/voice/resume")) == ["Connect", "Redirect"]


async def test_the_agents_goodbye_ends_the_call(edge: Edge) -> None:
    """We close the socket, the provider comes back to ask, and is told to hang up."""
    async with edge.call() as stream:
        await stream.press("#")
        await stream.closed()
    assert edge.board.owed == 1
    assert verbs(await edge.ask("/voice/resume")) == ["Hangup"]
    assert edge.board.owed == 0


async def test_a_broken_call_goes_on_with_its_history(edge: Edge) -> None:
    """Same call, new token, one resume counted, and the session is told what was said before."""
    async with edge.call() as stream:
        stream.socket.transport.abort()
    edge.past.calls["CA1"] = Earlier(edge.sessions[0].call, over=False, history=(SAID,))
    response = await edge.ask("/voice/resume?resumes=0")
    assert way_back(response) == "/voice/resume?resumes=1"
    async with edge.stream() as stream:
        await stream.start(token_in(response))
        assert await stream.echoes(FRAME)
    first, second = edge.sessions
    assert second.call == first.call
    assert (first.earlier, second.earlier) == ((), (SAID,))


async def test_a_line_that_we_still_think_open_is_lost_before_the_call_goes_on(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider has moved on but its socket looks alive to us: the old connection is ended first."""
    monkeypatch.setattr("client_caller.server.switchboard.NOTICE", 0.01)
    async with edge.call() as stream:
        response = await edge.ask("/voice/resume")
        assert edge.sessions[0].reason == "connection_lost"
        await stream.closed()
    async with edge.stream() as stream:
        await stream.start(token_in(response))
        assert await stream.echoes(FRAME)


async def test_a_call_from_before_a_restart_goes_on(edge: Edge) -> None:
    """This process has never heard of it; the past has."""
    call = Call("call-from-before", "CA9", caller="+1555")
    edge.past.calls["CA9"] = Earlier(call, over=False, history=(SAID,))
    response = await edge.ask("/voice/resume?resumes=0", "CA9")
    async with edge.stream("CA9") as stream:
        await stream.start(token_in(response))
        assert await stream.echoes(FRAME)
    assert edge.sessions[0].call == call
    assert edge.sessions[0].earlier == (SAID,)


async def test_a_call_that_ended_before_a_restart_is_hung_up(edge: Edge) -> None:
    """The past knows that it is over."""
    edge.past.calls["CA9"] = Earlier(Call("call-from-before", "CA9"), over=True, history=(SAID,))
    assert verbs(await edge.ask("/voice/resume", "CA9")) == ["Hangup"]


async def test_a_stream_that_never_opened_is_tried_again(edge: Edge) -> None:
    """The provider could not connect: the call begins anew, with the same name."""
    await edge.ask("/voice")
    response = await edge.ask("/voice/resume?resumes=0")
    async with edge.stream() as stream:
        await stream.start(token_in(response))
        assert await stream.echoes(FRAME)
    assert edge.sessions[0].call.id == "call-1"


async def test_a_call_that_keeps_breaking_is_given_up_politely(edge: Edge) -> None:
    """The count travels in the signed URL, so it holds across restarts."""
    response = await edge.ask("/voice")
    for _ in range(MAX_RESUMES):
        response = await edge.ask(way_back(response))
        assert verbs(response) == ["Connect", "Redirect"]
    response = await edge.ask(way_back(response))
    assert verbs(response) == ["Say", "Hangup"]
    assert (response[0].text, response[0].attrib["language"]) == ("Sorry.", "en-GB")


@pytest.mark.parametrize("resumes", ["", "x", "-1", "9999999", "%C2%B2"])
async def test_an_odd_count_is_no_error(edge: Edge, resumes: str) -> None:
    """Whatever is in the query, the caller gets an answer."""
    assert (await edge.post(f"/voice/resume?resumes={resumes}", {"CallSid": "CA1"})).status_code == 200


async def test_the_providers_word_that_a_call_is_over_ends_it(edge: Edge) -> None:
    """A status callback of a finished call loses a line that still looks open; one of a call in progress does not."""
    async with edge.call() as stream:
        await edge.ask_status("CA1", "in-progress")
        assert await stream.echoes(FRAME)
        await edge.ask_status("CA1", "completed")
        await stream.closed()
    assert edge.sessions[0].reason == "caller_hung_up"


async def test_a_stream_error_is_logged_without_breaking_the_log(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """The provider's text is quoted and short."""
    form = {"CallSid": "CA1", "StreamEvent": "stream-error", "StreamError": "Error\nforged line " + "x" * 500}
    assert (await edge.post("/voice/stream-status", form)).status_code == 204
    (record,) = caplog.records
    assert "forged line" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 300
    assert (await edge.post("/voice/stream-status", form | {"StreamEvent": "stream-started"})).status_code == 204
    assert len(caplog.records) == 1
