"""Text to speech over `/v1/audio/speech`, against a double that speaks in tones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.engines.openai_tts import OpenAiSpeech
from client_caller.engines.protocols import CallContext, EngineError, Speech
from client_caller.simulator.doubles.openai_speech import PAUSE, WORD, Answer, SpeechDouble

CONTEXT = CallContext("call")
TEXT = "my private words"


@pytest.fixture
def double() -> SpeechDouble:
    return SpeechDouble(first_byte=0.01, speed=100)


@pytest.fixture
async def base_url(double: SpeechDouble) -> AsyncIterator[str]:
    async with double.serving() as url:
        yield url


def engine(base_url: str, sample_rate: int = 24_000, patience: float = 10.0) -> OpenAiSpeech:
    return OpenAiSpeech(
        base_url=base_url,
        model="m",
        voice="v",
        api_key="sk-key",
        sample_rate=sample_rate,
        extra_body={"stream": True},
        first_audio=patience,
        next_audio=patience,
    )


async def spoken(base_url: str, sample_rate: int = 24_000, patience: float = 10.0) -> list[Speech]:
    made = engine(base_url, sample_rate, patience)
    try:
        return [speech async for speech in made.speak(CONTEXT, TEXT)]
    finally:
        await made.close()


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency, Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * g711.SAMPLE_RATE / len(samples)


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100])
async def test_pitch_and_length_are_right(sample_rate: int) -> None:
    """At any rate of the server, words have their own pitch and length at the telephone's."""
    double = SpeechDouble(first_byte=0.0, speed=1000, sample_rate=sample_rate)
    async with double.serving() as url:
        speeches = await spoken(url, sample_rate)
    samples = g711.decode_float(b"".join(speech.mulaw for speech in speeches))
    assert len(samples) / g711.SAMPLE_RATE == pytest.approx(3 * (WORD + PAUSE) + PAUSE, abs=0.002)
    for number in range(3):
        start = round(number * (WORD + PAUSE) * g711.SAMPLE_RATE)
        assert pitch(samples[start + 200 : start + 1800]) == pytest.approx(300 + 40 * number, abs=8)


async def test_audio_streams(base_url: str, double: SpeechDouble) -> None:
    """The first audio comes while the server still makes the rest, and no word times with it."""
    double.speed = 5
    made = engine(base_url)
    async with aclosing(made.speak(CONTEXT, TEXT)) as speeches:
        first = await anext(speeches)
        assert double.requests[0].ending is None
        assert 0 < len(first.mulaw) < 0.5 * g711.SAMPLE_RATE
        assert first.words == ()
    await made.close()


async def test_the_request(base_url: str, double: SpeechDouble) -> None:
    """Everything that was configured is in the request."""
    await spoken(base_url)
    (request,) = double.requests
    assert request.authorization == "Bearer sk-key"
    assert request.body == {"model": "m", "voice": "v", "response_format": "pcm", "stream": True, "input": TEXT}


async def test_closing_aborts_at_once(base_url: str, double: SpeechDouble) -> None:
    """When a clause is given up, the server knows in the same moment."""
    double.answers.append(Answer(stall_after=0.1))
    made = engine(base_url)
    async with aclosing(made.speak(CONTEXT, TEXT)) as speeches:
        await anext(speeches)
    async with asyncio.timeout(5):
        await double.requests[0].over.wait()
    assert double.requests[0].ending == "aborted"
    await made.close()


async def test_samples_may_be_cut_anywhere(base_url: str, double: SpeechDouble) -> None:
    """One odd byte at the start shifts every cut of the stream, and nothing is lost: it is half a sample of its own."""
    double.answers.append(Answer(prefix=b"\0", suffix=b"\0"))
    shifted, plain = await spoken(base_url), await spoken(base_url)
    lengths = [sum(len(speech.mulaw) for speech in speeches) for speeches in (shifted, plain)]
    assert lengths[0] - lengths[1] in (0, 1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(status=404, error={"detail": "voice v not found"}), "answered 404: voice v not found"),
        (Answer(status=422, error={"detail": [{"input": TEXT}]}), "422: \\(not shown"),
        (Answer(prefix=b"RIFF\x24\xb8\x01\x00WAVE"), "sent a WAV file where raw audio"),
        (Answer(prefix=b"ID3"), "sent an MP3 file where raw audio"),
        (Answer(content_type="audio/mpeg"), "sent audio/mpeg where raw audio"),
        (Answer(content_type="application/json"), "sent application/json where raw audio"),
        (Answer(content_type='audio/pcm; rate="16000"'), "sends audio at 16000 Hz.*it is 24000"),
        (Answer(seconds=0.0), "sent no audio"),
        (Answer(suffix=b"\0"), "half a sample"),
        (Answer(stall_after=0.0), "nothing in time"),
        (Answer(stall_after=0.2), "nothing in time"),
        (Answer(break_after=0.2), "broke the connection"),
    ],
)
async def test_failures_are_typed(base_url: str, double: SpeechDouble, answer: Answer, said: str) -> None:
    """Whatever goes wrong is an `EngineError` of the stage `tts` that names the server, and neither key nor words."""
    double.answers.append(answer)
    with pytest.raises(EngineError, match=said) as caught:
        await spoken(base_url, patience=10.0 if answer.stall_after is None else 0.3)
    assert caught.value.stage == "tts"
    assert base_url in str(caught.value)
    assert "sk-key" not in str(caught.value)
    assert "private words" not in str(caught.value)


async def test_a_server_that_says_its_rate_is_believed(base_url: str, double: SpeechDouble) -> None:
    """The right rate in the content type is no error, nor is a missing content type."""
    double.answers.extend([Answer(content_type="audio/pcm;rate=24000;channels=1"), Answer(content_type="")])
    assert await spoken(base_url)
    assert await spoken(base_url)


def test_a_rate_that_is_none() -> None:
    """What can't be converted to the telephone's rate is refused at once."""
    with pytest.raises(EngineError, match="sample_rate"):
        engine("http://127.0.0.1:9/v1", sample_rate=4000)


async def test_keeps_the_laws(check_tts: Callable[..., Awaitable[None]], base_url: str, double: SpeechDouble) -> None:
    """The laws of every driver."""

    async def make() -> OpenAiSpeech:
        return engine(base_url)

    async def refuse(engine: OpenAiSpeech) -> None:
        double.answers.append(Answer(status=500, error={"error": {"message": "out of memory"}}))

    async def break_off(engine: OpenAiSpeech) -> None:
        double.answers.append(Answer(break_after=0.1))

    await check_tts(make, texts=["Certainly tomorrow works.", "Good."], breaks=[refuse, break_off])
