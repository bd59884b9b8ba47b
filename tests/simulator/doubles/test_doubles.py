"""The doubles of the model tier keep the latencies they are set to, and say what came of each request."""

import asyncio
import json

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from client_caller.audio.g711 import SAMPLE_RATE, SILENCE
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply
from client_caller.simulator.doubles.openai_speech import Answer, SpeechDouble

SPEECH = tones.spell("hello", SAMPLE_RATE // 4)


async def arrivals(url: str, body: dict[str, object]) -> tuple[list[float], bytes]:
    """Seconds after the request at which data came, and all of it."""
    clock = asyncio.get_running_loop().time
    async with httpx.AsyncClient() as client:
        begun = clock()
        async with client.stream("POST", url, json=body) as response:
            times, data = [], b""
            async for chunk in response.aiter_raw():
                times.append(clock() - begun)
                data += chunk
    return times, data


async def test_the_llm_is_never_early() -> None:
    """The first token comes after its delay, the last one no sooner than the speed allows, and all words come."""
    double = LlmDouble(first_token=0.1, words_per_second=100)
    double.replies.append(Reply("w " * 20 + "w"))
    async with double.serving() as url:
        times, data = await arrivals(f"{url}/chat/completions", {"stream": True, "messages": []})
    assert times[0] >= 0.1
    assert times[-1] >= 0.1 + 20 / 100
    events = [line.removeprefix("data: ") for line in data.decode().split("\n\n") if line]
    assert events[-1] == "[DONE]"
    text = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(text) == "w " * 20 + "w"
    assert double.requests[0].ending == "complete"


async def test_the_llm_knows_only_its_own_path() -> None:
    """A wrong base URL is answered as a real server would."""
    async with LlmDouble().serving() as url, httpx.AsyncClient() as client:
        assert (await client.post(f"{url}/nowhere", json={})).status_code == 404


async def test_the_voice_is_never_early() -> None:
    """The first byte comes after its delay, and the rest no faster than the multiple of real time."""
    double = SpeechDouble(first_byte=0.1, speed=10)
    async with double.serving() as url:
        times, data = await arrivals(f"{url}/audio/speech", {"input": "one two three four"})
    assert times[0] >= 0.1
    seconds = len(data) / 2 / 24_000
    assert times[-1] >= 0.1 + (seconds - 0.05) / 10
    assert data == double.pcm("one two three four")


async def test_a_broken_voice_is_broken() -> None:
    """What is to break in the middle does so, and the double knows."""
    double = SpeechDouble(first_byte=0, speed=100)
    double.answers.append(Answer(break_after=0.1))
    async with double.serving() as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await arrivals(f"{url}/audio/speech", {"input": "one two"})
    assert double.requests[0].ending == "broken"


async def test_the_ear_decides_by_the_position_in_the_audio() -> None:
    """An utterance is final after 120 ms of silence in the audio and not before, however fast it was fed."""
    double = DeepgramDouble()
    async with double.serving() as url, connect(f"{url}/v1/listen") as socket:
        await socket.send(SPEECH + SILENCE * 950)
        guess = json.loads(await socket.recv())
        assert (guess["is_final"], guess["channel"]["alternatives"][0]["transcript"]) == (False, "hello")
        await socket.send(SILENCE * 20)
        final = json.loads(await socket.recv())
        assert (final["is_final"], final["speech_final"], final["from_finalize"]) == (True, True, False)
        assert final["channel"]["alternatives"][0]["transcript"] == "hello"
        assert final["start"] + final["duration"] == pytest.approx((len(SPEECH) + 970) / SAMPLE_RATE)
        await socket.send('{"type":"Finalize"}')
        empty = json.loads(await socket.recv())
        assert (empty["from_finalize"], empty["channel"]["alternatives"][0]["transcript"]) == (True, "")


async def test_the_ear_has_the_words_of_a_list_for_real_speech() -> None:
    """Audio in which no words are written is heard as the utterances that were given, one after the other."""
    double = DeepgramDouble()
    double.behaviours.append(Behaviour(transcripts=["good morning", "bye"]))
    noise = b"\x10\x90" * 2000
    heard: list[str] = []
    async with double.serving() as url, connect(f"{url}/v1/listen") as socket:
        for _ in range(3):
            await socket.send(noise + SILENCE * 1000)
        while len(heard) < 3:
            result = json.loads(await socket.recv())
            if result["is_final"]:
                heard.append(result["channel"]["alternatives"][0]["transcript"])
    assert heard == ["good morning", "bye", "good morning"]


async def test_long_silence_brings_empty_finals() -> None:
    """As the real one does: otherwise audio without a final would pile up at its clients."""
    async with DeepgramDouble().serving() as url, connect(f"{url}/v1/listen") as socket:
        await socket.send(SILENCE * 3 * SAMPLE_RATE)
        final = json.loads(await socket.recv())
    assert (final["is_final"], final["duration"], final["channel"]["alternatives"][0]["transcript"]) == (True, 3.0, "")


async def test_the_ear_hangs_up() -> None:
    """On `CloseStream` it gives the rest and the metadata and closes; on a line without a message it closes in time;
    elsewhere than at its path it is not there."""
    double = DeepgramDouble(patience=0.05)
    async with double.serving() as url:
        async with connect(f"{url}/v1/listen") as socket:
            await socket.send(SPEECH)
            await socket.send('{"type":"CloseStream"}')
            kinds = [json.loads(message)["type"] async for message in socket]
        assert kinds == ["Results", "Results", "Metadata"]
        async with connect(f"{url}/v1/listen") as socket:
            with pytest.raises(ConnectionClosed, match="NET-0001"):
                await socket.recv()
        with pytest.raises(InvalidStatus):
            await connect(f"{url}/v2/listen")
