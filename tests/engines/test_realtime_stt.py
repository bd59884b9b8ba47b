"""Speech to text over realtime transcription, against a double that reads the words which are in the audio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from client_caller.engines.protocols import CallContext, EngineError, Finished, Partial
from client_caller.engines.realtime_stt import RealtimeStt
from client_caller.engines.stt_socket import SttSocket
from client_caller.simulator import tones
from client_caller.simulator.doubles.realtime_stt import Behaviour, RealtimeDouble

from .conftest import feed
from .listening import finals, until, utterance

CONTEXT = CallContext("call", language="en-GB", hints=("Olive Tree",))
both_servers = pytest.mark.parametrize("vllm", [False, True], ids=["ours", "vllm"])


@pytest.fixture
def double() -> RealtimeDouble:
    return RealtimeDouble()


@pytest.fixture
async def base_url(double: RealtimeDouble) -> AsyncIterator[str]:
    async with double.serving() as url:
        yield url


@asynccontextmanager
async def listening(base_url: str, patience: float = 5.0) -> AsyncIterator[SttSocket]:
    engine = RealtimeStt(base_url=base_url, model="m", api_key="rt-key", finish_patience=patience)
    stream = await engine.open(CONTEXT)
    try:
        yield stream
    finally:
        await stream.close()


async def test_our_server_gets_mulaw_and_all_it_may_know(base_url: str, double: RealtimeDouble) -> None:
    """The caller's bytes as they came, the language, the hints, the key."""
    audio = utterance("one", "two")
    async with listening(base_url) as stream:
        feed(stream, audio)
        stream.finish(1)
        assert finals(await until(stream, Finished(1))) == ["one two"]
    (connection,) = double.connections
    assert connection.audio == audio
    assert connection.authorization == "Bearer rt-key"
    told = {"input_audio_format": "g711_ulaw", "language": "en-GB", "hints": ["Olive Tree"], "model": "m"}
    assert connection.update == {"type": "session.update"} | told


@both_servers
async def test_guesses_then_final_words(base_url: str, double: RealtimeDouble, vllm: bool) -> None:
    """Words come as guesses while they are spoken, and for good when asked for, from either server."""
    double.behaviours.append(Behaviour(vllm=vllm))
    async with listening(base_url) as stream:
        feed(stream, utterance("one", silence=0.1))
        await until(stream, Partial("one"))
        feed(stream, utterance("two", silence=0.1))
        await until(stream, Partial("one two"))
        stream.finish(1)
        assert finals(await until(stream, Finished(1))) == ["one two"]


@both_servers
async def test_requests_in_a_row(base_url: str, double: RealtimeDouble, vllm: bool) -> None:
    """Each is answered with the words before it; no audio is lost between one turn and the next."""
    double.behaviours.append(Behaviour(vllm=vllm))
    async with listening(base_url) as stream:
        stream.finish(1)
        feed(stream, utterance("one", silence=0.1))
        stream.finish(2)
        feed(stream, utterance("two", silence=0.1))
        stream.finish(3)
        stream.finish(4)
        answers = [finals(await until(stream, Finished(request))) for request in (1, 2, 3, 4)]
    assert answers == [[], ["one"], ["two"], []]


async def test_a_request_that_is_not_answered_is_over_in_time(base_url: str, double: RealtimeDouble) -> None:
    """Each request is answered once, whether the server does it or not."""
    double.behaviours.append(Behaviour(deaf=True))
    async with listening(base_url, patience=0.05) as stream:
        feed(stream, utterance("one"))
        stream.finish(1)
        stream.finish(2)
        assert await until(stream, Finished(2)) == [Finished(1), Finished(2)]


@both_servers
async def test_a_lost_connection_loses_no_words(base_url: str, double: RealtimeDouble, vllm: bool) -> None:
    """The second connection hears again what has no final words and nothing else; open requests are asked again."""
    double.behaviours.extend([Behaviour(break_after=1.0, vllm=vllm), Behaviour(vllm=vllm)])
    async with listening(base_url, patience=60) as stream:
        feed(stream, utterance("one", silence=0.2))
        stream.finish(1)
        assert finals(await until(stream, Finished(1))) == ["one"]
        feed(stream, utterance("two", "three", "four", silence=0.1))
        stream.finish(2)
        assert finals(await until(stream, Finished(2))) == ["two three four"]
    assert [word.word for word in tones.read(bytes(double.connections[1].audio))] == ["two", "three", "four"]


async def test_one_new_connection_a_call(base_url: str, double: RealtimeDouble) -> None:
    """The second loss is an error."""
    double.behaviours.extend([Behaviour(break_after=0.1), Behaviour(break_after=0.5)])
    async with listening(base_url) as stream:
        feed(stream, utterance("one", "two", "three"))
        with pytest.raises(EngineError, match="broke two connections"):
            await until(stream, Finished(1))


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, r"401, No more calls\. Set its API key"),
        (403, "Is base_url right"),
        (503, "all the calls that it can bear; it asks to be tried again in 2 s"),
    ],
)
async def test_a_server_that_refuses(base_url: str, double: RealtimeDouble, status: int, advice: str) -> None:
    """The reason and the remedy are named, the key is not."""
    double.behaviours.append(Behaviour(refuse=status))
    with pytest.raises(EngineError, match=advice) as caught:
        async with listening(base_url):
            pass
    assert "rt-key" not in str(caught.value)


async def test_a_server_that_is_not_there() -> None:
    """Nobody listening is said in words, with the address, the command that starts it, and no credentials."""
    with pytest.raises(EngineError, match=r"ws://127\.0\.0\.1:9/v1/realtime can't be reached.*serve whisper"):
        async with listening("http://me:hush@127.0.0.1:9/v1"):
            pass
    with pytest.raises(EngineError, match="looks like ws://"):
        RealtimeStt(base_url="whisper")


async def test_keeps_the_laws(check_stt: Callable[..., Awaitable[None]], base_url: str, double: RealtimeDouble) -> None:
    """The laws of every driver."""

    async def make() -> RealtimeStt:
        return RealtimeStt(base_url=base_url)

    async def break_twice(engine: RealtimeStt) -> None:
        double.behaviours.append(Behaviour(refuse=503))
        double.break_all()

    async def report(engine: RealtimeStt) -> None:
        double.behaviours.append(Behaviour(send_first=['{"type":"error","error":"out of memory"}']))
        double.break_all()

    utterances = [utterance("tomorrow", "evening", silence=0.5), utterance("perhaps", silence=0.5)]
    await check_stt(make, utterances=utterances, breaks=[break_twice, report])
