"""Cartesia's and ElevenLabs' voices over real sockets: what both keep."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from client_caller.audio import g711
from client_caller.engines import speech_line
from client_caller.engines.cartesia import CartesiaWire
from client_caller.engines.elevenlabs import ElevenLabsWire
from client_caller.engines.protocols import CallContext, EngineError, Speech, WordTime
from client_caller.engines.speech_socket import SpeechSocket
from client_caller.simulator.doubles.cartesia import CartesiaDouble
from client_caller.simulator.doubles.elevenlabs import ElevenLabsDouble
from client_caller.simulator.doubles.speech_contexts import PAUSE, WORD, Behaviour, ContextDouble

CONTEXT = CallContext("call", language="en-GB")
TEXT = "my private words"


@dataclass
class Vendor:
    """One of the two, and its stand-in."""

    make: type[CartesiaWire] | type[ElevenLabsWire]
    double: ContextDouble
    url: str
    wrong_model: dict[str, object]

    def engine(self, patience: float = 10.0, voice: str = "v", key: str | None = "a-key") -> SpeechSocket:
        wire = self.make(api_key=key, voice=voice, base_url=self.url)
        return SpeechSocket(wire, first_audio=patience, next_audio=patience)

    async def spoken(self, text: str = TEXT, patience: float = 10.0) -> list[Speech]:
        engine = self.engine(patience)
        try:
            return [speech async for speech in engine.speak(CONTEXT, text)]
        finally:
            await engine.close()


@pytest.fixture(params=["cartesia", "elevenlabs"])
async def vendor(request: pytest.FixtureRequest) -> AsyncIterator[Vendor]:
    if request.param == "cartesia":
        cartesia = CartesiaDouble(first_byte=0.0, speed=1000)
        wrong: dict[str, object] = {"title": "Invalid model", "message": "No such model ID.", "status_code": 400}
        async with cartesia.serving() as url:
            yield Vendor(CartesiaWire, cartesia.voice, url, wrong)
    else:
        elevenlabs = ElevenLabsDouble(first_byte=0.0, speed=1000)
        wrong = {"error": "model_not_found", "message": "Invalid model: No such model ID."}
        async with elevenlabs.serving() as url:
            yield Vendor(ElevenLabsWire, elevenlabs.voice, url, wrong)


def mulaw(speeches: list[Speech]) -> bytes:
    return b"".join(speech.mulaw for speech in speeches)


async def test_a_clause_and_the_times_of_its_words(vendor: Vendor) -> None:
    """The audio is the voice's own, sample for sample; each word ends where its tone does."""
    speeches = await vendor.spoken("Yes, that works.")
    assert len(mulaw(speeches)) == 3 * (WORD + PAUSE)
    assert mulaw(speeches).endswith(g711.SILENCE * PAUSE)
    times = [time for speech in speeches for time in speech.words]
    assert [time.word for time in times] == [0, 1, 2]
    for number, time in enumerate(times):
        # Punctuation is a letter of ElevenLabs', and takes its share of the word.
        assert 0 <= number * (WORD + PAUSE) + WORD - time.end <= WORD // 3


async def test_a_time_comes_no_later_than_its_audio(vendor: Vendor) -> None:
    """When the audio of a word has come, its time has come: the player need not wait."""
    heard = 0
    told: list[WordTime] = []
    for speech in await vendor.spoken("one two three"):
        heard += len(speech.mulaw)
        told += speech.words
        assert len(told) == heard // (WORD + PAUSE)
        assert all(time.end <= heard for time in told)


async def test_one_connection_for_many_calls(vendor: Vendor) -> None:
    """Clauses of several calls at a time, one after another, share a connection, and stay apart."""
    engine = vendor.engine()

    async def length(words: int) -> int:
        text = " ".join(["word"] * words)
        return sum([len(speech.mulaw) async for speech in engine.speak(CallContext(f"call-{words}"), text)])

    assert await length(1) == WORD + PAUSE
    assert await asyncio.gather(*map(length, (2, 3, 4))) == [n * (WORD + PAUSE) for n in (2, 3, 4)]
    assert {clause.connection for clause in vendor.double.clauses} == {0}
    await engine.close()


async def test_what_was_asked_for(vendor: Vendor) -> None:
    """The text goes out as it is, and the key in a header, never in an address that might be logged."""
    await vendor.spoken()
    (line,) = vendor.double.lines
    assert vendor.double.clauses[0].text.strip() == TEXT
    assert "a-key" in line.headers.values()
    assert "a-key" not in line.query


async def test_a_connection_lost_while_idle_costs_nothing(vendor: Vendor) -> None:
    """The vendor hangs up on idle connections; the next clause makes a new one, and is whole."""
    engine = vendor.engine()
    assert mulaw([speech async for speech in engine.speak(CONTEXT, TEXT)])
    vendor.double.break_all()
    assert len(mulaw([speech async for speech in engine.speak(CONTEXT, TEXT)])) == 3 * (WORD + PAUSE)
    assert len(vendor.double.lines) == 2
    await engine.close()


async def test_a_second_loss_is_an_error(vendor: Vendor) -> None:
    """A clause is tried on one new connection and no more; one that has begun is never said twice."""
    engine = vendor.engine()
    [speech async for speech in engine.speak(CONTEXT, TEXT)]
    for behaviours in ([Behaviour(break_after=0)] * 2, [Behaviour(break_after=1)]):
        vendor.double.behaviours.extend(behaviours)
        with pytest.raises(EngineError, match="broke the connection"):
            [speech async for speech in engine.speak(CONTEXT, TEXT)]
        assert not vendor.double.behaviours
        [speech async for speech in engine.speak(CONTEXT, TEXT)]
    await engine.close()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (Behaviour(refuse=401), r"401, Not with this key\. Set a valid API key \([A-Z]+_API_KEY\)"),
        (Behaviour(refuse=429), "no room for more"),
        (Behaviour(refuse=500), "500.*Check base_url, voice and model"),
        (Behaviour(send_first=["<html>"]), "not its protocol"),
        (Behaviour(mute=True), "sent no audio. Check voice and model"),
        (Behaviour(stall_after=0), "nothing in time"),
        (Behaviour(stall_after=1), "nothing in time"),
        (Behaviour(break_after=1), "broke the connection"),
    ],
)
async def test_failures_are_typed(vendor: Vendor, behaviour: Behaviour, said: str) -> None:
    """Whatever goes wrong is an `EngineError` of the stage `tts` that names the server, and neither key nor words."""
    vendor.double.behaviours.append(behaviour)
    with pytest.raises(EngineError, match=said) as caught:
        await vendor.spoken(patience=10.0 if behaviour.stall_after is None else 0.3)
    assert caught.value.stage == "tts"
    assert vendor.url in str(caught.value)
    assert "a-key" not in str(caught.value)
    assert "private words" not in str(caught.value)


async def test_a_wrong_model_is_told(vendor: Vendor) -> None:
    """The vendor's own words, and what to do about them."""
    vendor.double.behaviours.append(Behaviour(error=vendor.wrong_model))
    with pytest.raises(
        EngineError, match=r"reported: Invalid model: No such model ID\. Check voice and model"
    ) as caught:
        await vendor.spoken()
    assert caught.value.stage == "tts"


async def test_a_voice_gone_astray_is_cut(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one clause may bring is bounded."""
    monkeypatch.setattr(speech_line, "MOST_AUDIO", 2 * WORD)
    with pytest.raises(EngineError, match="more than two minutes"):
        await vendor.spoken()


async def test_a_server_that_is_not_there(vendor: Vendor) -> None:
    """Nobody listening is said in words, without credentials; so is an address that is none."""
    engine = SpeechSocket(vendor.make(api_key="k", voice="v", base_url="http://me:hush@127.0.0.1:9"))
    with pytest.raises(EngineError, match=r"ws://127\.0\.0\.1:9/.* can't be reached"):
        [speech async for speech in engine.speak(CONTEXT, TEXT)]
    await engine.close()
    with pytest.raises(EngineError, match="looks like wss://"):
        vendor.make(api_key="k", voice="v", base_url="vendor.com")


async def test_keeps_the_laws(check_tts: Callable[..., Awaitable[None]], vendor: Vendor) -> None:
    """The laws of every driver."""

    async def make() -> SpeechSocket:
        return vendor.engine()

    async def refuse(engine: SpeechSocket) -> None:
        vendor.double.behaviours.append(Behaviour(refuse=500))

    async def fail(engine: SpeechSocket) -> None:
        vendor.double.behaviours.append(Behaviour(error=vendor.wrong_model))

    await check_tts(make, texts=["Certainly tomorrow works.", "Good."], breaks=[refuse, fail])


async def test_a_barge_in_cancels_at_cartesia() -> None:
    """The context is over in the same moment, the connection goes on, and its room is free at once."""
    double = CartesiaDouble(first_byte=0.0, speed=1000)
    async with double.serving() as url:
        engine = SpeechSocket(CartesiaWire(api_key="k", voice="v", base_url=url))
        for number in range(30):  # more than a connection holds at a time
            double.voice.behaviours.append(Behaviour(stall_after=1))
            async with aclosing(engine.speak(CONTEXT, TEXT)) as speeches:
                await anext(speeches)
            async with asyncio.timeout(5):
                await double.voice.clauses[number].over.wait()
            assert double.voice.clauses[number].cancelled
        assert len(double.voice.lines) == 1
        await engine.close()


async def test_elevenlabs_is_never_given_a_sixth_context() -> None:
    """Contexts that run out unheard are counted until their end: however often callers cut in, no connection drops."""
    double = ElevenLabsDouble(first_byte=0.0, speed=1000)
    async with double.serving() as url:
        engine = SpeechSocket(ElevenLabsWire(api_key="k", voice="v", base_url=url))
        for _ in range(12):
            double.voice.behaviours.append(Behaviour(stall_after=1))
            async with aclosing(engine.speak(CONTEXT, TEXT)) as speeches:
                await anext(speeches)
        counts = [sum(clause.connection == line for clause in double.voice.clauses) for line in range(3)]
        assert counts == [5, 5, 2]
        await engine.close()


async def test_elevenlabs_gets_its_room_back() -> None:
    """Once a context that was given up has run out, its place is used again."""
    double = ElevenLabsDouble(first_byte=0.0, speed=1000)
    async with double.serving() as url:
        engine = SpeechSocket(ElevenLabsWire(api_key="k", voice="v", base_url=url))
        for _ in range(12):
            async with aclosing(engine.speak(CONTEXT, TEXT)) as speeches:
                await anext(speeches)
            async with asyncio.timeout(5):
                await double.voice.clauses[-1].over.wait()
            [speech async for speech in engine.speak(CONTEXT, "to its end")]
        assert len(double.voice.lines) == 1
        await engine.close()
