"""The server over real sockets."""

import asyncio
import json

import httpx
import pytest

torch = pytest.importorskip("torch")

from websockets.asyncio.client import connect  # noqa: E402
from websockets.exceptions import ConnectionClosed, InvalidStatus  # noqa: E402

from client_caller.conversation.history import AgentSaid  # noqa: E402
from client_caller.engines.csm_tts import CsmSpeech  # noqa: E402
from client_caller.engines.openai_tts import OpenAiSpeech  # noqa: E402
from client_caller.engines.protocols import CallContext  # noqa: E402
from client_caller.models.csm import wire  # noqa: E402
from client_caller.models.csm.loop import Loop  # noqa: E402
from client_caller.models.csm.memory import most_frames  # noqa: E402
from client_caller.models.csm.wire import Cancel, Context, Ended, Failed, Heard, Say, Sound  # noqa: E402

TEXT = "One two three."


async def until_free(loop: Loop) -> None:
    """Wait until the server has seen everybody hang up."""
    for _ in range(2000):
        if not loop.calls:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("a slot is still held")


async def test_any_openai_client_can_speak(address: str) -> None:
    """Streamed PCM with its rate, and the same again for the same text: nothing of the first is remembered."""
    body = {"model": "csm", "voice": "ada", "input": TEXT, "response_format": "pcm", "speed": 1.0}
    async with httpx.AsyncClient() as client:
        first, second = [await client.post(f"http://{address}/v1/audio/speech", json=body) for _ in range(2)]
    assert first.headers["content-type"] == "audio/pcm;rate=24000"
    assert len(first.content) == most_frames(TEXT) * 1920 * 2
    assert first.content == second.content


async def test_our_own_driver_takes_it(address: str) -> None:
    """`engines.openai_tts` and this server understand each other."""
    speech = OpenAiSpeech(base_url=f"http://{address}/v1", model="csm", voice="ada")
    heard = b"".join([piece.mulaw async for piece in speech.speak(CallContext("call"), TEXT)])
    await speech.close()
    assert len(heard) == most_frames(TEXT) * 640


async def test_our_driver_and_its_memory(address: str) -> None:
    """What `engines.csm_tts` says over a real server depends on what was heard, and on nothing that was not."""
    speech = CsmSpeech(base_url=f"http://{address}/v1")

    async def said(call: str, text: str) -> bytes:
        return b"".join([piece.mulaw async for piece in speech.speak(CallContext(call), text)])

    fresh = await said("fresh", "Yes?")
    await speech.leave(CallContext("fresh"))
    assert len(fresh) == most_frames("Yes?") * 640

    call = CallContext("call")
    speech.attend(call, [])
    await said("call", TEXT)
    speech.attend(call, [])  # a guess that was withdrawn: nobody heard it
    assert await said("call", "Yes?") == fresh
    speech.attend(call, [AgentSaid(0, 1, "Yes?", "", cut=False)])
    await said("call", TEXT)
    speech.attend(call, [AgentSaid(0, 1, "Yes?", "", cut=False), AgentSaid(2, 3, "One two", "three.", cut=True)])
    assert await said("call", "Yes?") != fresh
    await speech.close()


@pytest.mark.parametrize(
    ("change", "status", "reason"),
    [
        ({"voice": "bob"}, 404, "There is no voice 'bob' here; this server's is 'ada'."),
        ({"input": "word " * 200}, 400, "this clause is longer than the model can speak: send shorter ones"),
    ],
)
async def test_what_it_can_not_speak_is_said(address: str, change: dict[str, str], status: int, reason: str) -> None:
    """In the form in which OpenAI's clients look for it."""
    body = {"model": "csm", "voice": "ada", "input": TEXT, "response_format": "pcm"} | change
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://{address}/v1/audio/speech", json=body)
        other = await client.post(f"http://{address}/v1/audio/speech", json=body | {"response_format": "mp3"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, reason)
    assert other.status_code == 422
    assert "pcm" in other.text


async def test_a_call_over_its_websocket(address: str) -> None:
    """Clauses in order, sound as it comes, a cancel, the caller's words, what was heard, and on."""
    async with connect(f"ws://{address}{wire.PATH}") as socket:

        async def ends(count: int) -> tuple[list[Ended], dict[int, int]]:
            ended: list[Ended] = []
            frames: dict[int, int] = {}
            while len(ended) < count:
                match wire.read_answer(await socket.recv()):
                    case Sound(clause, pcm):
                        assert len(pcm) == 1920 * 2
                        frames[clause] = frames.get(clause, 0) + 1
                    case Ended() as end:
                        ended.append(end)
                    case Failed() as failed:
                        raise AssertionError(failed.reason)
            return ended, frames

        for first in (Say(0, TEXT), Say(1, "Four.")):
            await socket.send(wire.encode(first))
        whole = most_frames(TEXT)
        assert await ends(2) == (
            [Ended(0, whole, "limit"), Ended(1, most_frames("Four."), "limit")],
            {0: whole, 1: most_frames("Four.")},
        )
        for request in (Say(2, TEXT), Cancel(2), Heard(1, 3, "Four"), Context(3, "Stop."), Say(4, TEXT)):
            await socket.send(wire.encode(request))
        ended, frames = await ends(2)
        assert ended[0].reason == "cancelled"
        assert ended[0].frames == frames.get(2, 0) <= 2
        assert ended[1] == Ended(4, whole, "limit")


async def test_a_full_server_says_when_to_come_again(address: str, loop: Loop) -> None:
    """503 with Retry-After, by HTTP and by WebSocket; who hangs up makes room."""
    url = f"ws://{address}{wire.PATH}"
    async with connect(url), connect(url), httpx.AsyncClient() as client:
        with pytest.raises(InvalidStatus) as refused:
            await connect(url)
        assert refused.value.response.status_code == 503
        assert refused.value.response.headers["Retry-After"] == "2"
        body = {"model": "csm", "voice": "ada", "input": TEXT, "response_format": "pcm"}
        answer = await client.post(f"http://{address}/v1/audio/speech", json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert "no room" in answer.json()["error"]["message"]
    await until_free(loop)
    async with connect(url):
        assert loop.calls == 1


async def test_who_stops_listening_makes_room(address: str, loop: Loop) -> None:
    """A request that is given up in the middle of its sound holds no slot any longer."""
    body = {"model": "csm", "voice": "ada", "input": TEXT * 5, "response_format": "pcm"}
    async with httpx.AsyncClient() as client:
        async with client.stream("POST", f"http://{address}/v1/audio/speech", json=body) as answer:
            await anext(answer.aiter_bytes())
            assert loop.calls == 1
        frames = loop.pace.frames
        await until_free(loop)
    assert frames <= loop.pace.frames < most_frames(TEXT * 5)


@pytest.mark.parametrize("message", ["{}", b"\x00", '{"type":"say","clause":-1}'])
async def test_another_protocol_is_hung_up_on(address: str, message: str | bytes) -> None:
    """With the code that RFC 6455 has for it."""
    async with connect(f"ws://{address}{wire.PATH}") as socket:
        await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007


async def test_health_and_metrics(address: str, loop: Loop) -> None:
    """What a supervisor and Prometheus ask for; a broken engine is no healthy server."""
    async with httpx.AsyncClient(base_url=f"http://{address}") as client:
        async with connect(f"ws://{address}{wire.PATH}") as socket:
            await socket.send(wire.encode(Say(0, TEXT)))
            await socket.recv()
            healthy = await client.get("/healthz")
            assert healthy.json() == {"status": "ok", "voice": "ada", "calls": 1, "slots": 2}
            metrics = (await client.get("/metrics")).text
        assert "csm_slots 2.0" in metrics
        assert "csm_calls 1.0" in metrics
        assert "csm_frames_total" in metrics
        loop.broken = True
        broken = await client.get("/healthz")
        assert (broken.status_code, json.loads(broken.text)["status"]) == (503, "broken")
