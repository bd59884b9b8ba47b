"""The engines at work, measured against doubles over real sockets."""

from collections.abc import AsyncIterator

import pytest

from client_caller.agents.agent import Agent
from client_caller.audio import g711
from client_caller.engines.deepgram import Deepgram
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.openai_tts import OpenAiSpeech
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.runtime import proof
from client_caller.runtime.proof import hear, speak, think
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply
from client_caller.simulator.doubles.openai_speech import SpeechDouble

CONTEXT = CallContext("check")
WORDS = b"".join(tones.spell(word, 2000) + g711.SILENCE * 400 for word in ("hear", "me", "well"))


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "PACE", 50.0)


@pytest.fixture
async def ear() -> AsyncIterator[tuple[Deepgram, DeepgramDouble]]:
    double = DeepgramDouble()
    async with double.serving() as url:
        engine = Deepgram(api_key="k", base_url=url, finish_patience=0.1)
        yield engine, double
        await engine.close()


async def test_a_voice_is_heard_and_timed() -> None:
    """All of the audio, when its first came and when its last; a voice that tells no times has none."""
    async with SpeechDouble(first_byte=0.05, speed=100).serving() as url:
        engine = OpenAiSpeech(base_url=url, model="m", voice="v")
        spoken = await speak(engine, CONTEXT, "three words here")
        await engine.close()
    assert len(spoken.mulaw) == pytest.approx(0.95 * 8000, abs=20)
    assert 50 <= spoken.first_audio <= spoken.whole
    assert spoken.timed_words == 0


async def test_words_are_heard_with_their_times(ear: tuple[Deepgram, DeepgramDouble]) -> None:
    """The words that are in the audio, how many guesses came, and when the last was known."""
    heard = await hear(ear[0], CONTEXT, WORDS)
    assert heard.text == "hear me well"
    assert heard.partials >= 1
    assert heard.known is not None
    assert heard.finished >= max(0.0, heard.known)
    (connection,) = ear[1].connections
    assert connection.closed_politely


async def test_an_ear_that_gives_no_guesses(ear: tuple[Deepgram, DeepgramDouble]) -> None:
    """Its words come with the answer, and that is seen."""
    ear[1].interim_after = 1000.0
    heard = await hear(ear[0], CONTEXT, WORDS)
    assert (heard.text, heard.partials) == ("hear me well", 0)
    assert heard.known is not None
    assert heard.known > 0


async def test_an_ear_that_hears_nothing(ear: tuple[Deepgram, DeepgramDouble]) -> None:
    """No words, and the time that it took to say so."""
    ear[1].behaviours.append(Behaviour(deaf=True))
    heard = await hear(ear[0], CONTEXT, WORDS)
    assert (heard.text, heard.known) == ("", None)
    assert heard.finished >= 100


async def test_an_ear_that_fails_in_the_middle(ear: tuple[Deepgram, DeepgramDouble]) -> None:
    """It is an error at once, and not after all of the audio."""
    ear[1].behaviours.append(Behaviour(send_first=['{"type":"Error","description":"no more credit"}']))
    with pytest.raises(EngineError, match="no more credit"):
        await hear(ear[0], CONTEXT, WORDS * 20)


async def test_an_ear_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting has an end."""
    monkeypatch.setattr(proof, "PATIENCE", 0.1)
    double = DeepgramDouble()
    double.behaviours.append(Behaviour(deaf=True))
    async with double.serving() as url:
        engine = Deepgram(api_key="k", base_url=url, finish_patience=100.0)
        heard = await hear(engine, CONTEXT, WORDS)
        assert heard.text == ""
        assert heard.finished == pytest.approx(100.0)


async def test_a_thought_is_timed_as_in_a_call() -> None:
    """Capabilities first, then the prefix warmed, then one reply with the agent's tools."""
    double = LlmDouble(first_token=0.02, words_per_second=200)
    double.replies.extend([Reply("Hello")] * 5 + [Reply("It is a fine day. And more.")])
    async with double.serving() as url:
        model = OpenAiModel(base_url=url, model="m")
        thought = await think(model, CONTEXT, Agent("Be kind."))
        await model.close()
    assert thought.text == "It is a fine day. And more."
    assert 20 <= thought.first_token < thought.first_clause
    assert [one.name for one in thought.capabilities] == ["tools", "JSON schema", "prefill", "priority"]
    assert double.requests[-1].body["tools"]
    assert double.requests[-2].body["max_tokens"] == 1


async def test_a_model_without_tools_is_timed_without_them() -> None:
    """That it takes none is one finding, and no reason not to know how fast it is."""
    double = LlmDouble(first_token=0.0, words_per_second=500)
    double.replies.append(Reply(status=400, error={"error": {"message": "no tools"}}))
    async with double.serving() as url:
        model = OpenAiModel(base_url=url, model="m")
        thought = await think(model, CONTEXT, Agent("Be kind."))
        await model.close()
    assert not thought.capabilities[0].works
    assert thought.text
    assert "tools" not in double.requests[-1].body
