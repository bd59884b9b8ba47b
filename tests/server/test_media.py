"""Media streams over real sockets: who gets in, and what a misbehaving one can do to others (nothing)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from client_caller.observe.metrics import REGISTRY
from client_caller.telephony.tokens import LIFETIME

Edge = Any
FRAME = bytes(range(160))


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"client_caller_{name}", labels) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    """Let the server's tasks run until something is so; fails after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the server's own state, which nobody announces
            await asyncio.sleep(0.001)


async def test_a_call_is_heard_and_answered(edge: Edge) -> None:
    """Audio with its time, marks and keys reach the session; what it sends reaches the caller, in order."""
    async with edge.call() as stream:
        (session,) = edge.sessions
        assert (session.call.id, session.call.provider_id) == ("call-1", "CA1")
        assert (session.call.caller, session.call.callee) == ("+1555", "+1666")
        for _ in range(10):
            assert await stream.echoes(FRAME)
        assert session.heard == [(155 + 20 * number, FRAME) for number in range(10)]
        assert (await stream.next("mark"))["mark"]["name"] == "heard-10"
        await stream.event("mark", mark={"name": "heard-10"})
        await stream.press("5")
        await until(lambda: session.digits == ["5"])
        assert session.marks == ["heard-10"]
        await stream.press("*")
        assert (await stream.next("clear"))["streamSid"] == stream.name
        await stream.stop()
        assert await stream.closed() == 1000
    assert session.reason == "caller_hung_up"
    assert edge.board.live == 0


async def test_no_compression_is_negotiated(edge: Edge) -> None:
    """The client offers permessage-deflate; the server does not take it."""
    async with edge.call() as stream:
        assert stream.socket.protocol.extensions == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "7PR3qMkpDyEJtMrVOY/LDyNq8J8="},
    ],
)
async def test_a_forged_handshake_is_refused_before_it_is_accepted(edge: Edge, headers: dict[str, str]) -> None:
    """Without the provider's signature the answer is 403, and nothing is read."""
    with pytest.raises(InvalidStatus) as refused:
        async with edge.stream(headers=headers):
            pass
    assert refused.value.response.status_code == 403
    assert edge.sessions == []


async def test_a_signature_for_https_opens_no_websocket(edge: Edge) -> None:
    """The handshake is signed over wss://, so a webhook's signature is worth nothing here."""
    with pytest.raises(InvalidStatus):
        async with edge.stream(headers=edge.signature("https://calls.example.com/media", {})):
            pass


@pytest.mark.parametrize("case", ["none", "wrong", "other call", "expired", "replayed"])
async def test_a_stream_without_its_own_token_is_closed(edge: Edge, case: str) -> None:
    """No token, a guess, another call's, one of a minute ago, one that was used: 1008, and no session."""
    token: str | None = await edge.token("CA1")
    call = "CA1"
    if case == "none":
        token = None
    elif case == "wrong":
        token = "A" * 43
    elif case == "other call":
        await edge.token("CA2")
        call = "CA2"
    elif case == "expired":
        edge.clock.now += LIFETIME
    else:
        async with edge.stream(call) as first:
            await first.start(token)
            await first.next("mark")
            await first.stop()
            await first.closed()
    before = len(edge.sessions)
    async with edge.stream(call) as stream:
        await stream.start(token)
        assert await stream.closed() == 1008
    assert len(edge.sessions) == before
    assert edge.board.live == 0


async def test_a_second_stream_of_a_live_call_is_refused(edge: Edge) -> None:
    """One call, one bidirectional stream; the first one goes on."""
    async with edge.call() as first:
        token = await edge.token()
        async with edge.stream() as second:
            await second.start(token)
            assert await second.closed() == 1008
        assert await first.echoes(FRAME)


@pytest.mark.parametrize("first", ['{"event":"media"}', "no json", b"\x00", "x" * 60_000])
async def test_whoever_does_not_begin_with_a_start_is_closed(edge: Edge, first: str | bytes) -> None:
    """Nothing is forgiven to a stream without a name."""
    async with edge.stream() as stream:
        await stream.socket.send(first)
        assert await stream.closed() == 1008
    assert edge.sessions == []


async def test_another_codec_is_refused(edge: Edge) -> None:
    """Audio that can't be heard is not mistaken for noise."""
    async with edge.stream() as stream:
        await stream.start(
            await edge.token(), mediaFormat={"encoding": "audio/x-l16", "sampleRate": 16000, "channels": 1}
        )
        assert await stream.closed() == 1008


async def test_a_silent_handshake_is_closed(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that never says who it is does not stay."""
    monkeypatch.setattr("client_caller.server.media.START", 0.01)
    async with edge.stream() as stream:
        assert await stream.closed() == 1008


async def test_a_handshake_that_is_given_up_is_counted(edge: Edge) -> None:
    """A socket that closes before it says who it is leaves nothing behind."""
    before = metric("refusals_total", reason="no_start")
    async with edge.stream():
        pass
    await until(lambda: metric("refusals_total", reason="no_start") == before + 1)
    assert edge.sessions == []


async def test_a_call_that_can_not_be_opened_is_closed(run_edge: Callable[..., Any]) -> None:
    """As `server_error`: the provider comes back, and the call is tried again."""

    def fail(*_: object) -> Any:
        raise OSError("no room for the call's folder")

    async with run_edge(open_session=fail) as edge:
        async with edge.stream() as stream:
            await stream.start(await edge.token())
            assert await stream.closed() == 1000
        assert edge.board.live == 0
        assert await edge.board.outcome("CA1") == "server_error"


async def test_an_error_that_ends_the_stream_loses_the_call(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the codec's limit is below the socket's, the codec ends it."""
    monkeypatch.setattr("client_caller.telephony.twilio_stream.MAX_FRAME", 1000)
    async with edge.call() as stream:
        await stream.socket.send("x" * 1001)
        assert await stream.closed() == 1000
    assert edge.sessions[0].reason == "connection_lost"


MISBEHAVIOUR: dict[str, Callable[[Any], Any]] = {
    "binary": lambda stream: stream.socket.send(b"\x00" * 160),
    "broken json": lambda stream: stream.socket.send('{"event":"media"'),
    "nested json": lambda stream: stream.socket.send("[" * 60_000),
    "unknown event": lambda stream: stream.say({"event": "weather"}),
    "second start": lambda stream: stream.start("x"),
    "wrong stream": lambda stream: stream.say({"event": "mark", "streamSid": "MZx", "mark": {"name": "x"}}),
    "bad base64": lambda stream: stream.event("media", media={"timestamp": "1", "payload": "%%%"}),
    "no payload": lambda stream: stream.event("media"),
}


@pytest.mark.parametrize("case", sorted(MISBEHAVIOUR))
async def test_bad_frames_cost_only_themselves(edge: Edge, case: str) -> None:
    """Two calls at once: one sends rubbish. Both go on."""
    async with edge.call("CA1") as bad, edge.call("CA2") as good:
        await MISBEHAVIOUR[case](bad)
        assert await bad.echoes(FRAME)
        assert await good.echoes(FRAME)


async def test_an_oversize_frame_ends_its_call_alone(edge: Edge) -> None:
    """More than 64 KiB in one frame closes that socket with 1009; the call can be resumed, the other one goes on."""
    async with edge.call("CA1") as bad, edge.call("CA2") as good:
        await bad.socket.send("x" * 70_000)
        assert await bad.closed() == 1009
        await until(lambda: edge.board.live == 1)
        assert edge.sessions[0].reason == "connection_lost"
        assert await good.echoes(FRAME)


async def test_a_failing_session_ends_its_call_alone(edge: Edge) -> None:
    """An exception in one call's shell loses that call as `server_error`; the other one goes on."""
    async with edge.call("CA1") as bad, edge.call("CA2") as good:
        await bad.press("0")
        assert await bad.closed() == 1000
        assert edge.sessions[0].reason == "server_error"
        assert await good.echoes(FRAME)


async def test_an_abrupt_close_loses_the_call(edge: Edge) -> None:
    """A connection that breaks without a stop is `connection_lost`, at once."""
    async with edge.call("CA1") as broken, edge.call("CA2") as good:
        broken.socket.transport.abort()
        await until(lambda: edge.board.live == 1)
        assert edge.sessions[0].reason == "connection_lost"
        assert await good.echoes(FRAME)


async def test_a_line_that_falls_silent_is_lost(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence on the phone is 50 frames a second; no frames at all is a dead line."""
    monkeypatch.setattr("client_caller.server.media.IDLE", 0.02)
    async with edge.call() as stream:
        await stream.closed()
    assert edge.sessions[0].reason == "connection_lost"


async def test_nothing_is_heard_after_the_stop(edge: Edge) -> None:
    """What comes behind the stop is not handed to the call."""
    async with edge.call() as stream:
        await stream.stop()
        await stream.audio(FRAME)
        await stream.closed()
    assert edge.sessions[0].heard == []


async def test_hanging_up_lets_the_last_words_leave(edge: Edge) -> None:
    """Everything sent before the hang-up arrives, then the socket closes; nothing sent after it does."""
    async with edge.call() as stream:
        session = edge.sessions[0]
        for number in range(100):
            session.leg.send_audio(bytes([number]) * 160)
        session.press("#")
        session.leg.send_audio(b"late" * 40)
        frames = [await stream.next("media") for _ in range(100)]
        assert len(frames) == 100
        assert await stream.closed() == 1000
    assert session.reason == "ended_by_agent"


async def test_a_far_end_that_does_not_read_is_cut(edge: Edge) -> None:
    """It is disconnected once a bounded outbox is full; the server does not wait for it, and others notice nothing."""
    before = metric("stalled_lines_total")
    async with edge.call("CA1") as deaf, edge.call("CA2") as good:
        deaf.socket.transport.pause_reading()
        session = edge.sessions[0]
        async with asyncio.timeout(20):
            while session.reason is None:
                session.leg.send_audio(b"\xff" * 200_000)
                await asyncio.sleep(0)
        assert session.reason == "connection_lost"
        assert await good.echoes(FRAME)
        await until(lambda: metric("stalled_lines_total") == before + 1)
        deaf.socket.transport.resume_reading()
    assert metric("dropped_audio_seconds_total", where="outbox") > 0


async def test_what_was_tolerated_is_counted(edge: Edge) -> None:
    """Bad frames, unknown events and missing audio show up in the metrics."""
    broken = metric("protocol_errors_total", reason="broken_json")
    unknown = metric("protocol_errors_total", reason="unknown_event")
    lost = metric("lost_audio_seconds_total")
    async with edge.call() as stream:
        await stream.socket.send("{")
        await stream.say({"event": "weather"})
        await stream.audio(FRAME)
        stream.now += 500
        await stream.audio(FRAME)
        await stream.stop()
        await stream.closed()
    assert metric("protocol_errors_total", reason="broken_json") == broken + 1
    await until(lambda: metric("protocol_errors_total", reason="unknown_event") == unknown + 1)
    assert metric("lost_audio_seconds_total") == lost + 0.5


async def test_an_open_server_takes_a_stream_without_token_but_no_false_one(run_edge: Callable[..., Any]) -> None:
    """`--insecure-local` is for doubles that know no webhook; a token that is given must still be right."""
    async with run_edge(signed=False) as edge:
        async with edge.stream("CA7") as stream:
            await stream.start(None)
            await stream.next("mark")
            assert edge.sessions[0].call.provider_id == "CA7"
        async with edge.stream("CA8") as stream:
            await stream.start("guess")
            assert await stream.closed() == 1008
