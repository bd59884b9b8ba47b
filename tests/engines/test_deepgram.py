"""Speech to text over Deepgram's live WebSocket, against a double that reads the words which are in the audio."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from client_caller.audio.g711 import SAMPLE_RATE, SILENCE
from client_caller.engines import stt_socket
from client_caller.engines.deepgram import MAX_HINTS, Deepgram
from client_caller.engines.protocols import CallContext, EngineError, Final, Finished, Partial
from client_caller.engines.stt_socket import MAX_WAITING, SttSocket
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble

from .conftest import feed
from .listening import finals, until, utterance

CONTEXT = CallContext("call", language="en-GB")


@pytest.fixture
def double() -> DeepgramDouble:
    return DeepgramDouble()


@pytest.fixture
async def base_url(double: DeepgramDouble) -> AsyncIterator[str]:
    async with double.serving() as url:
        yield url


@asynccontextmanager
async def listening(base_url: str, context: CallContext = CONTEXT, patience: float = 2.0) -> AsyncIterator[SttSocket]:
    stream = await Deepgram(api_key="dg-key", base_url=base_url, finish_patience=patience).open(context)
    try:
        yield stream
    finally:
        await stream.close()


async def test_audio_goes_out_as_it_came_in(base_url: str, double: DeepgramDouble) -> None:
    """Deepgram gets the caller's mu-law byte for byte, and is told what it is."""
    audio = utterance("one", "two")
    hints = tuple(f"name {n}" for n in range(MAX_HINTS + 1))
    async with listening(base_url, CallContext("call", language="en-GB", hints=hints)) as stream:
        feed(stream, audio)
        stream.finish(1)
        await until(stream, Finished(1))
    (connection,) = double.connections
    assert connection.audio == audio
    assert connection.authorization == "Token dg-key"
    query = connection.query
    assert query["keyterm"] == list(hints[:MAX_HINTS])
    wanted = {"encoding": "mulaw", "sample_rate": "8000", "language": "en-GB", "interim_results": "true"}
    assert {name: query[name][0] for name in wanted} == wanted


async def test_guesses_then_final_words(base_url: str) -> None:
    """Words come as guesses while they are spoken, and for good after Deepgram's own endpointing."""
    async with listening(base_url) as stream:
        feed(stream, utterance("one"))
        assert await until(stream, Partial("one")) == [Partial("one")]
        feed(stream, utterance("two", silence=0.2))
        results = await until(stream, Final("one two", 0.98))
        assert set(results) <= {Partial("one two"), Final("one two", 0.98)}


async def test_finish_brings_the_words_without_waiting_for_silence(base_url: str, double: DeepgramDouble) -> None:
    """`Finalize` goes out behind all audio before it; the words come before its answer."""
    async with listening(base_url) as stream:
        feed(stream, utterance("one"))
        stream.finish(1)
        feed(stream, utterance("two"))
        stream.finish(2)
        assert finals(await until(stream, Finished(1))) == ["one"]
        assert finals(await until(stream, Finished(2))) == ["two"]
    assert double.connections[0].finalized_at == [SAMPLE_RATE // 4, SAMPLE_RATE // 2]


async def test_an_empty_answer_is_an_answer(base_url: str) -> None:
    """Where the final words came before the request, the empty answer to it ends the wait at once."""
    async with listening(base_url, patience=60) as stream:
        feed(stream, utterance("one", silence=0.5))
        await until(stream, Final("one", 0.98))
        stream.finish(1)
        assert await until(stream, Finished(1)) == [Finished(1)]


async def test_a_request_that_is_not_answered_is_over_in_time(base_url: str, double: DeepgramDouble) -> None:
    """Deepgram may leave a `Finalize` unanswered; each request is answered once all the same."""
    double.behaviours.append(Behaviour(deaf=True))
    async with listening(base_url, patience=0.05) as stream:
        feed(stream, utterance("one"))
        stream.finish(1)
        stream.finish(2)
        assert await until(stream, Finished(2)) == [Finished(1), Finished(2)]


async def test_an_answer_that_comes_late_is_not_a_second_one(base_url: str) -> None:
    """A request that was over in time is not answered again by what comes afterwards."""
    async with listening(base_url, patience=0.0) as stream:
        stream.finish(1)
        await until(stream, Finished(1))
        feed(stream, utterance("one", silence=0.5))
        assert not [r for r in await until(stream, Final("one", 0.98)) if isinstance(r, Finished)]


async def test_keep_alive(base_url: str, double: DeepgramDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call without audio is kept open: the double hangs up on a silent connection, as Deepgram does."""
    monkeypatch.setattr(stt_socket, "KEEP_ALIVE_AFTER", 0.05)
    double.patience = 0.2
    async with listening(base_url) as stream:
        async with asyncio.timeout(5):
            while double.connections[0].keep_alives < 6:
                double.connections[0].heard.clear()
                await double.connections[0].heard.wait()
        feed(stream, utterance("still", "here"))
        stream.finish(1)
        assert finals(await until(stream, Finished(1))) == ["still here"]
    assert len(double.connections) == 1


async def test_a_lost_connection_loses_no_words(base_url: str, double: DeepgramDouble) -> None:
    """The second connection hears again what has no final yet and nothing else; open requests are asked again."""
    double.behaviours.append(Behaviour(break_after=1.0))
    async with listening(base_url, patience=60) as stream:
        feed(stream, utterance("one", silence=0.2))
        assert finals(await until(stream, Final("one", 0.98))) == ["one"]
        feed(stream, utterance("two", "three", "four"))
        stream.finish(1)
        assert finals(await until(stream, Finished(1))) == ["two three four"]
    first, second = double.connections
    assert len(first.audio) >= SAMPLE_RATE
    assert tones.read(bytes(second.audio))[0].word == "two"


async def test_one_new_connection_a_call(base_url: str, double: DeepgramDouble) -> None:
    """The second loss is an error that gives Deepgram's reason, after whatever had been heard."""
    double.behaviours.extend([Behaviour(break_after=0.1), Behaviour(break_after=1.0)])
    async with listening(base_url) as stream:
        feed(stream, utterance("one", "two", "three", "four", "five"))
        with pytest.raises(EngineError, match="broke two connections") as caught:
            await until(stream, Finished(1))
        assert caught.value.stage == "stt"
    assert len(double.connections) == 2


async def test_no_new_connection_to_be_had(base_url: str, double: DeepgramDouble) -> None:
    """A loss while Deepgram takes no calls is an error at once."""
    double.behaviours.extend([Behaviour(break_after=0.1), Behaviour(refuse=503)])
    async with listening(base_url) as stream:
        feed(stream, utterance("one"))
        with pytest.raises(EngineError, match="503"):
            await until(stream, Finished(1))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ('{"type":"Error","description":"no more credit"}', "reported: no more credit"),
        ("nonsense", "not its protocol"),
    ],
)
async def test_errors_in_the_stream(base_url: str, double: DeepgramDouble, message: str, said: str) -> None:
    """What Deepgram reports, and what is not its protocol, ends the stream as a typed error."""
    double.behaviours.append(Behaviour(send_first=[message]))
    async with listening(base_url) as stream:
        with pytest.raises(EngineError, match=said):
            await until(stream, Finished(1))


async def test_a_key_that_is_refused(base_url: str, double: DeepgramDouble) -> None:
    """The reason and the remedy are named, the key is not."""
    double.behaviours.append(Behaviour(refuse=401))
    with pytest.raises(EngineError, match=r"401, Invalid credentials\. Set a valid API key") as caught:
        async with listening(base_url):
            pass
    assert "dg-key" not in str(caught.value)


async def test_a_server_that_is_not_there() -> None:
    """Nobody listening is said in words, with the address and without credentials."""
    with pytest.raises(EngineError, match=r"ws://127\.0\.0\.1:9/v1/listen can't be reached"):
        async with listening("http://me:hush@127.0.0.1:9/v1"):
            pass
    with pytest.raises(EngineError, match="looks like wss://"):
        Deepgram(api_key=None, base_url="api.deepgram.com")


async def test_closing_says_goodbye(base_url: str, double: DeepgramDouble) -> None:
    """`CloseStream` goes out at the end of a call, so that Deepgram stops counting at once."""
    async with listening(base_url):
        pass
    async with asyncio.timeout(2):
        await double.connections[0].over.wait()
    assert double.connections[0].closed_politely


async def test_a_server_that_does_not_read() -> None:
    """Audio that can't be sent is bounded, the oldest is dropped and counted, and closing does not hang."""

    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shakes hands, and then never reads again."""
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(
            line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
        )
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        reader._transport.pause_reading()  # type: ignore[attr-defined]

    async with await asyncio.start_server(stuck, "127.0.0.1", 0) as server:
        async with listening(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", patience=0.01) as stream:
            fed = 0
            while not stream.dropped:
                feed(stream, SILENCE * MAX_WAITING)
                fed += MAX_WAITING
                await asyncio.sleep(0)
                assert fed < 10_000 * MAX_WAITING
            stream.finish(1)
            assert await until(stream, Finished(1)) == [Finished(1)]
            begun = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - begun < 1.5


async def test_keeps_the_laws(check_stt: Callable[..., Awaitable[None]], base_url: str, double: DeepgramDouble) -> None:
    """The laws of every driver."""

    async def make() -> Deepgram:
        return Deepgram(api_key="k", base_url=base_url)

    async def break_twice(engine: Deepgram) -> None:
        double.behaviours.append(Behaviour(refuse=503))
        double.break_all()

    async def report(engine: Deepgram) -> None:
        double.behaviours.append(Behaviour(send_first=['{"type":"Error","description":"no more credit"}']))
        double.break_all()

    utterances = [utterance("tomorrow", "evening", silence=0.5), utterance("perhaps", silence=0.5)]
    await check_stt(make, utterances=utterances, breaks=[break_twice, report])
