"""The laws of the PocketSphinx driver, with the real decoder in its real process, on speech of eSpeak NG."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from client_caller.audio import g711
from client_caller.engines.espeak import Espeak
from client_caller.engines.pocketsphinx import LAG, PocketSphinx, PocketSphinxStream
from client_caller.engines.protocols import CallContext, EngineError, Final, Finished, Partial, SttResult
from client_caller.simulator.virtual_time import run_virtual

CALL = CallContext("one")
SENTENCES = [
    "hello I would like to book a table for tomorrow evening",
    "for four people at seven o'clock please",
    "yes please that sounds wonderful",
    "yes please tell me what is on the menu",
    "excuse me do you have something for children",
    "perfect thank you very much goodbye",
]
SECOND = g711.SILENCE * g711.SAMPLE_RATE


def spoken(sentences: Sequence[str]) -> list[bytes]:
    """Each sentence as speech, with half a second of silence before and after."""

    async def speak() -> list[bytes]:
        engine = Espeak("en-gb-x-rp")
        try:
            return [
                SECOND[:4000]
                + b"".join([speech.mulaw async for speech in engine.speak(CALL, sentence)])
                + SECOND[:4000]
                for sentence in sentences
            ]
        finally:
            await engine.close()

    return asyncio.run(speak())


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return spoken(SENTENCES)


@pytest.fixture(scope="module")
def short_lines() -> list[bytes]:
    return spoken(["yes please", "goodbye", "for children"])


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where workers put their files: those that are killed leave them there."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
async def engine() -> AsyncIterator[PocketSphinx]:
    engine = PocketSphinx(SENTENCES)
    yield engine
    await engine.close()


async def until_finished(stream: PocketSphinxStream) -> list[SttResult]:
    results: list[SttResult] = []
    async for result in stream:
        results.append(result)
        if isinstance(result, Finished):
            break
    return results


async def idle(engine: PocketSphinx) -> None:
    """As the virtual clock does: let the loop run until the worker owes nothing."""
    while engine.busy:  # noqa: ASYNC110 (there is no event to wait for: `busy` is what is tested)
        await asyncio.sleep(0)


async def feed(engine: PocketSphinx, stream: PocketSphinxStream, mulaw: bytes) -> None:
    """Frame by frame, as fast as the worker can take them."""
    for start in range(0, len(mulaw), g711.FRAME):
        stream.feed(mulaw[start : start + g711.FRAME])
        await idle(engine)


async def test_keeps_the_laws_of_its_protocol(
    check_stt: Callable[..., Awaitable[None]], short_lines: list[bytes]
) -> None:
    """See conftest."""

    async def make() -> PocketSphinx:
        return PocketSphinx(SENTENCES)

    async def kill(engine: PocketSphinx) -> None:
        os.kill(engine.worker_pid or 0, signal.SIGKILL)

    await check_stt(make, utterances=short_lines, breaks=[kill])


async def test_hears_the_script(engine: PocketSphinx, lines: list[bytes]) -> None:
    """At most one word in twenty is wrong, over one stream as in a call; nothing was dropped on the way."""
    stream = await engine.open(CALL)
    wrong = total = 0
    for request, (sentence, line) in enumerate(zip(SENTENCES, lines, strict=True)):
        await feed(engine, stream, line)
        stream.finish(request)
        heard = " ".join(result.text for result in await until_finished(stream) if isinstance(result, Final)).split()
        meant = sentence.lower().split()
        total += len(meant)
        wrong += sum(one != other for one, other in zip(heard, meant, strict=False)) + abs(len(heard) - len(meant))
    assert wrong / total <= 0.05
    assert stream.dropped == 0


async def test_partials_grow_word_by_word(engine: PocketSphinx, lines: list[bytes]) -> None:
    """They come while the caller speaks, only when they change, and the last one is nearly the final."""
    stream = await engine.open(CALL)
    await feed(engine, stream, lines[0])
    stream.finish(1)
    *partials, final, finished = await until_finished(stream)
    texts = [result.text for result in partials if isinstance(result, Partial)]
    assert len(texts) == len(partials) >= 6
    assert all(one != other for one, other in pairwise(texts))
    assert isinstance(final, Final)
    assert abs(len(texts[-1].split()) - len(final.text.split())) <= 1
    assert finished == Finished(1)


async def test_the_same_audio_gives_the_same_words(engine: PocketSphinx, lines: list[bytes]) -> None:
    """However it is cut, and whatever was heard before: so that a call on the virtual clock repeats itself."""
    first = await engine.open(CALL)
    await feed(engine, first, lines[1])
    first.finish(1)
    again = await engine.open(CALL)
    await idle(engine)
    again.feed(lines[1])
    again.finish(1)
    finals = [[r for r in await until_finished(s) if isinstance(r, Final)] for s in (first, again)]
    assert finals[0] == finals[1] != []


async def test_busy_until_every_answer_is_there(engine: PocketSphinx, lines: list[bytes]) -> None:
    """What was fed and not yet answered keeps the engine busy; then it is not."""
    stream = await engine.open(CALL)
    assert engine.busy
    stream.feed(lines[0])
    stream.finish(1)
    await idle(engine)
    assert isinstance(stream._results.get_nowait(), Partial | Final)
    assert isinstance([stream._results.get_nowait() for _ in range(stream._results.qsize())][-1], Finished)


def test_on_the_virtual_clock_a_call_repeats_itself(lines: list[bytes]) -> None:
    """Time stands still while the worker decodes: each result has the same time and words in every run."""

    async def call(engine: PocketSphinx) -> list[tuple[float, SttResult]]:
        clock = asyncio.get_running_loop().time
        stream = await engine.open(CALL)
        assert clock() == 0
        reading = asyncio.ensure_future(collect(stream, clock))
        for start in range(0, len(lines[1]), g711.FRAME):
            await asyncio.sleep(0.02)
            stream.feed(lines[1][start : start + g711.FRAME])
        stream.finish(1)
        results = await reading
        await engine.close()
        assert clock() == pytest.approx(len(lines[1]) / g711.SAMPLE_RATE, abs=0.021)
        return results

    async def collect(stream: PocketSphinxStream, clock: Callable[[], float]) -> list[tuple[float, SttResult]]:
        results = []
        async for result in stream:
            results.append((clock(), result))
            if isinstance(result, Finished):
                break
        return results

    def run() -> list[tuple[float, SttResult]]:
        engine = PocketSphinx(SENTENCES)
        return run_virtual(call(engine), busy=lambda: engine.busy)

    first = run()
    assert len(first) > 5
    assert run() == first


async def test_a_lagging_worker_is_given_the_newest_two_seconds(engine: PocketSphinx, lines: list[bytes]) -> None:
    """Older audio is dropped and counted, requests to finish are not; the memory stays bounded."""
    stream = await engine.open(CALL)
    await idle(engine)
    os.kill(engine.worker_pid or 0, signal.SIGSTOP)
    stream.feed(SECOND)  # this one is on its way
    stream.finish(1)
    for _ in range(60):
        stream.feed(SECOND)
    stream.feed(lines[2][-LAG:])
    stream.finish(2)
    assert stream.dropped == 60 * len(SECOND) + len(lines[2][-LAG:]) - LAG
    assert sum(len(getattr(request, "mulaw", b"")) for request in stream._waiting) == LAG
    os.kill(engine.worker_pid or 0, signal.SIGCONT)
    assert await until_finished(stream) == [Finished(1)]
    results = await until_finished(stream)
    assert any(isinstance(result, Final) and "wonderful" in result.text for result in results)
    assert results[-1] == Finished(2)


async def test_one_piece_may_be_longer_than_the_lag(engine: PocketSphinx) -> None:
    """Of a single piece too, only the end is kept while the worker is busy."""
    stream = await engine.open(CALL)
    stream.feed(SECOND * 5)
    assert stream.dropped == 5 * len(SECOND) - LAG


async def test_the_number_of_calls_is_bounded(lines: list[bytes]) -> None:
    """One more than allowed is refused with a reason; a call that ends makes room."""
    engine = PocketSphinx(SENTENCES, max_calls=2)
    try:
        first, _ = await engine.open(CALL), await engine.open(CALL)
        with pytest.raises(EngineError, match="already hears 2 calls") as caught:
            await engine.open(CALL)
        assert caught.value.stage == "stt"
        await first.close()
        await engine.open(CALL)
    finally:
        await engine.close()


async def test_after_a_lost_worker_new_calls_are_heard(engine: PocketSphinx, lines: list[bytes]) -> None:
    """The calls that were there fail with a reason, the next one gets a new process."""
    lost = await engine.open(CALL)
    first = engine.worker_pid
    os.kill(first or 0, signal.SIGKILL)
    with pytest.raises(EngineError, match="ended in the middle of a call"):
        await anext(lost)
    stream = await engine.open(CALL)
    assert engine.worker_pid not in (None, first)
    await feed(engine, stream, lines[2])
    stream.finish(1)
    assert any(isinstance(result, Final) for result in await until_finished(stream))
    await lost.close()


async def test_close_leaves_no_process_and_no_files(lines: list[bytes], temporary: Path) -> None:
    """Also in mid-utterance: no zombie, and none of the worker's temporary files."""
    engine = PocketSphinx(SENTENCES)
    stream = await engine.open(CALL)
    pid = engine.worker_pid or 0
    assert os.listdir(temporary)
    stream.feed(lines[0])
    await engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not os.listdir(temporary)
    assert not engine.busy
    with pytest.raises(EngineError, match="closed"):
        await engine.open(CALL)


async def test_a_script_with_unknown_words_is_refused() -> None:
    """At the start, with all the words, as a typed error."""
    engine = PocketSphinx(["good morning mister zyxgrumpf"])
    with pytest.raises(EngineError, match="zyxgrumpf") as caught:
        await engine.start()
    assert caught.value.stage == "stt"
    await engine.close()


async def test_only_english_is_heard(engine: PocketSphinx) -> None:
    """A call in another language is refused, not misheard."""
    with pytest.raises(EngineError, match="English only, not for es-MX"):
        await engine.open(CallContext("two", "es-MX"))
    assert engine.worker_pid is None


async def test_without_the_extra_the_error_says_what_to_install(
    engine: PocketSphinx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing package is a typed error that names the extra."""
    (tmp_path / "pocketsphinx.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"pip install 'client-caller\[demo\]'"):
        await engine.start()
