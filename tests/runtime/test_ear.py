"""The laws of the ear: it stays open, and what is fed while it can't hear waits, up to a bound."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from client_caller.engines.protocols import CallContext, EngineError, Finished, SttResult, SttStream
from client_caller.observe.metrics import REGISTRY
from client_caller.runtime.ear import BACKLOG, Ear
from client_caller.simulator.virtual_time import run_virtual


class Stream:
    """Notes what it is given; breaks when told to."""

    def __init__(self) -> None:
        self.fed: list[bytes | int] = []
        self.dropped = 0
        self.closed = 0
        self.results: asyncio.Queue[SttResult | EngineError | None] = asyncio.Queue()

    def feed(self, mulaw: bytes) -> None:
        self.fed.append(mulaw)

    def finish(self, request: int) -> None:
        self.fed.append(request)

    async def __aiter__(self) -> AsyncIterator[SttResult]:
        while (result := await self.results.get()) is not None:
            if isinstance(result, EngineError):
                raise result
            yield result

    async def close(self) -> None:
        self.closed += 1


class Engine:
    """Opens slowly."""

    def __init__(self, seconds: float = 0.5) -> None:
        self.seconds = seconds
        self.streams: list[Stream] = []

    async def open(self, context: CallContext) -> SttStream:
        await asyncio.sleep(self.seconds)
        self.streams.append(Stream())
        return self.streams[-1]

    async def close(self) -> None:
        pass


class Heard:
    def __init__(self, engine: Engine) -> None:
        self.results: list[SttResult] = []
        self.errors: list[EngineError] = []
        self.ear = Ear(engine, CallContext("c"), self.results.append, self.errors.append)


def test_what_waits_is_heard_first_and_in_order() -> None:
    """Audio and requests from before the engine was open come first, in their order."""

    async def run() -> list[bytes | int]:
        engine = Engine()
        heard = Heard(engine)
        task = asyncio.create_task(heard.ear.run())
        heard.ear.feed(b"one")
        heard.ear.finish(1)
        heard.ear.feed(b"two")
        await asyncio.sleep(1)
        heard.ear.feed(b"three")
        heard.ear.finish(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert engine.streams[0].closed == 1
        return engine.streams[0].fed

    assert run_virtual(run()) == [b"one", 1, b"two", b"three", 2]


def test_the_wait_is_bounded() -> None:
    """An engine that never opens costs five seconds of audio, not the call's memory; the newest is kept."""

    async def run() -> list[bytes | int]:
        engine = Engine(seconds=20)
        heard = Heard(engine)
        task = asyncio.create_task(heard.ear.run())
        for second in range(19):
            heard.ear.feed(bytes([second]) * 8000)
            heard.ear.finish(second)
        await asyncio.sleep(21)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return engine.streams[0].fed

    fed = run_virtual(run())
    audio = [piece for piece in fed if isinstance(piece, bytes)]
    assert sum(map(len, audio)) == BACKLOG
    assert audio[-1] == bytes([18]) * 8000


def test_every_drop_is_in_the_metrics() -> None:
    """What waited too long for the engine, and what each stream gave up on, once and as it happens."""

    async def run() -> list[float]:
        engine = Engine()
        heard = Heard(engine)
        counted = [_dropped()]
        heard.ear.feed(bytes(BACKLOG))
        heard.ear.finish(1)
        heard.ear.feed(bytes(8000))
        counted.append(_dropped())
        task = asyncio.create_task(heard.ear.run())
        for stream in (0, 1):
            await asyncio.sleep(1)
            for dropped in (4000, 4000, 12_000):
                engine.streams[stream].dropped = dropped
                heard.ear.feed(b"more")
                counted.append(_dropped())
            engine.streams[stream].results.put_nowait(None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return [later - counted[0] for later in counted[1:]]

    assert run_virtual(run()) == pytest.approx([5.0, 5.5, 5.5, 6.5, 7.0, 7.0, 8.0])


def _dropped() -> float:
    return REGISTRY.get_sample_value("client_caller_dropped_audio_seconds_total", {"where": "stt"}) or 0.0


def test_it_opens_again_after_a_failure() -> None:
    """Each failure is told once; the next stream hears what is said from then on."""

    async def run() -> tuple[Heard, Engine]:
        engine = Engine()
        heard = Heard(engine)
        task = asyncio.create_task(heard.ear.run())
        await asyncio.sleep(1)
        engine.streams[0].results.put_nowait(Finished(1))
        engine.streams[0].results.put_nowait(EngineError("stt", "gone"))
        await asyncio.sleep(2)
        heard.ear.feed(b"again")
        engine.streams[1].results.put_nowait(None)
        await asyncio.sleep(3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return heard, engine

    heard, engine = run_virtual(run())
    assert heard.results == [Finished(1)]
    assert [str(error) for error in heard.errors] == ["gone", "speech to text ended in the middle of the call"]
    assert [stream.closed for stream in engine.streams] == [1, 1, 1]
    assert engine.streams[1].fed == [b"again"]
