"""The laws that every driver keeps, whatever engine is behind it.

A driver's test takes the fixture of its protocol, which stands for one law at a time, and gives it an engine:

    async def test_keeps_the_laws(check_tts: Callable[..., Awaitable[None]]) -> None:
        await check_tts(make, texts=["One clause.", "Another one."], breaks=[cut_the_connection])

`make` is awaited for a new engine, which the law closes. Each of `breaks` is awaited with the engine and makes its work
fail: for speech to text in the middle of a stream, for the others before the next piece of work. Servers that stand in
for the real ones have to run before.
"""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from client_caller.audio import g711
from client_caller.conversation.clauses import words_of
from client_caller.conversation.history import Message
from client_caller.engines.protocols import (
    CallContext,
    EngineError,
    Final,
    Finished,
    LanguageModel,
    LlmResult,
    Partial,
    Speech,
    SpeechToText,
    SttResult,
    SttStream,
    TextToSpeech,
)

Check = Callable[..., Awaitable[None]]
Make = Callable[[], Awaitable[Any]]
Breaks = Sequence[Callable[[Any], Awaitable[None]]]
Utterances = Sequence[bytes]
Asks = Sequence[Sequence[Message]]

CONTEXT = CallContext("call-of-the-laws")
PATIENCE = 20.0
"""Seconds for any one law."""


# ---------------------------------------------------------------- what a process holds


@dataclass(frozen=True)
class Holdings:
    """What can be left behind: tasks, and open files, pipes and sockets."""

    tasks: frozenset[asyncio.Task[Any]]
    files: frozenset[tuple[int, str]]

    @classmethod
    def now(cls) -> "Holdings":
        files = set()
        for name in os.listdir("/dev/fd"):
            try:
                files.add((int(name), os.readlink(f"/dev/fd/{name}")))
            except OSError:
                continue  # the descriptor of this very listing
        return cls(frozenset(asyncio.all_tasks()), frozenset(files))

    async def regained(self, tasks_only: bool = False) -> None:
        """Wait until nothing is held that was not held at this moment; the limit is the law's own."""
        while True:
            now = Holdings.now()
            more = (now.tasks - self.tasks, frozenset() if tasks_only else now.files - self.files)
            if not any(more):
                return
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                pytest.fail(f"left behind: {more}")


@asynccontextmanager
async def freeing(make: Make) -> AsyncIterator[Any]:
    """An engine that is closed at the end, twice, and has then to have freed all that it held."""
    before = Holdings.now()
    async with asyncio.timeout(PATIENCE):
        engine = await make()
        try:
            yield engine
        finally:
            await engine.close()
            await engine.close()
        await before.regained()


def assert_discreet(error: EngineError, stage: str, said: Sequence[str]) -> None:
    """The error names its stage and a reason, and repeats none of the longer words that were said."""
    assert error.stage == stage
    assert error.reason
    assert str(error) == error.reason
    reason = error.reason.lower()
    for word in re.findall(r"\w{5,}", " ".join(said).lower()):
        assert word not in reason, "a caller's word is in the error"


async def cancelled(work: Awaitable[Any]) -> None:
    """Begin some work, let it come to its first wait for the engine, and cancel it."""
    task = asyncio.ensure_future(work)
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# ---------------------------------------------------------------- speech to text


def feed(stream: SttStream, mulaw: bytes) -> None:
    for start in range(0, len(mulaw), g711.FRAME):
        stream.feed(mulaw[start : start + g711.FRAME])


async def until_finished(stream: SttStream, request: int) -> list[SttResult]:
    results: list[SttResult] = []
    async for result in stream:
        results.append(result)
        if isinstance(result, Finished):
            assert result.request == request
            return results
    raise AssertionError("the stream ended before it had finished")


async def heard(engine: SpeechToText, mulaw: bytes) -> str:
    """The final words of an utterance, in a stream of its own."""
    stream = await engine.open(CONTEXT)
    try:
        feed(stream, mulaw)
        stream.finish(1)
        results = await until_finished(stream, 1)
        return " ".join(result.text for result in results if isinstance(result, Final))
    finally:
        await stream.close()


async def stt_results_come_while_audio_goes_in(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """There is a partial or final before the end of the utterance, and final words after `finish`."""
    async with freeing(make) as engine:
        stream = await engine.open(CONTEXT)
        feed(stream, utterances[0])
        assert isinstance(await anext(aiter(stream)), Partial | Final)
        stream.finish(7)
        results = await until_finished(stream, 7)
        assert any(isinstance(result, Final) and result.text for result in results)
        await stream.close()


async def stt_answers_each_finish_once(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """Each `finish` is answered once and in order, also where nothing was said."""
    async with freeing(make) as engine:
        stream = await engine.open(CONTEXT)
        for request in (1, 2, 3):
            stream.finish(request)
        for request in (1, 2, 3):
            assert await until_finished(stream, request) == [Finished(request)]
        feed(stream, utterances[0])
        stream.finish(4)
        assert await until_finished(stream, 4) != [Finished(4)]
        await stream.close()


async def stt_closes_in_the_middle(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """A stream closed at any moment ends its iteration, reports nothing more, and takes no harm from being used."""
    async with freeing(make) as engine:
        assert await heard(engine, utterances[0])
        open_engine = Holdings.now()
        for moment in range(4):
            stream = await engine.open(CONTEXT)
            if moment >= 1:
                feed(stream, utterances[0])
            if moment >= 2:
                stream.finish(1)
            waiting = asyncio.ensure_future(anext(aiter(stream))) if moment == 3 else None
            await asyncio.sleep(0)
            await stream.close()
            await stream.close()
            if waiting is not None:
                await asyncio.wait([waiting])
                assert isinstance(waiting.exception(), StopAsyncIteration)
            feed(stream, utterances[0])
            stream.finish(2)
            assert [result async for result in stream] == []
            await open_engine.regained(tasks_only=True)
        assert await heard(engine, utterances[0])


async def stt_cancelled_iteration_does_no_harm(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """Giving up the wait for a result loses none."""
    async with freeing(make) as engine:
        stream = await engine.open(CONTEXT)
        await cancelled(anext(aiter(stream)))
        feed(stream, utterances[0])
        stream.finish(1)
        assert any(isinstance(result, Final) for result in await until_finished(stream, 1))
        await stream.close()


async def stt_fails_in_words(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """An engine that breaks in mid-stream ends the iteration with one typed error that holds no words of the caller."""
    for break_engine in breaks:
        async with freeing(make) as engine:
            said = [await heard(engine, utterances[0])]
            stream = await engine.open(CONTEXT)
            feed(stream, utterances[0])
            assert isinstance(await anext(aiter(stream)), Partial | Final)
            await break_engine(engine)
            with pytest.raises(EngineError) as caught:
                async for _ in stream:
                    pass
            assert_discreet(caught.value, "stt", said)
            stream.feed(utterances[0])
            stream.finish(9)
            await stream.close()
            assert [result async for result in stream] == []


async def stt_streams_do_not_mix(make: Make, utterances: Utterances, breaks: Breaks) -> None:
    """Streams at the same time hear what each would hear alone."""
    async with freeing(make) as engine:
        alone = [await heard(engine, utterance) for utterance in utterances]
        assert len(set(alone)) > 1, "give utterances that differ"
        assert list(await asyncio.gather(*(heard(engine, utterance) for utterance in utterances))) == alone


@pytest.fixture(
    params=[
        stt_results_come_while_audio_goes_in,
        stt_answers_each_finish_once,
        stt_closes_in_the_middle,
        stt_cancelled_iteration_does_no_harm,
        stt_fails_in_words,
        stt_streams_do_not_mix,
    ]
)
def check_stt(request: pytest.FixtureRequest) -> Check:
    """`await check_stt(make, utterances=[mulaw, …], breaks=[…])`: two or more utterances with different words, each
    with enough silence behind it for its words to come. They are fed at once: keep them under two seconds."""
    return request.param  # type: ignore[no-any-return]


# ---------------------------------------------------------------- language model


async def reply(engine: LanguageModel, messages: Sequence[Message]) -> list[LlmResult]:
    return [result async for result in engine.reply(CONTEXT, messages, ())]


async def llm_streams(make: Make, asks: Asks, breaks: Breaks) -> None:
    """A reply comes in several pieces, also after `warm`."""
    async with freeing(make) as engine:
        await engine.warm(CONTEXT, asks[0][:1], ())
        assert len(await reply(engine, asks[0])) > 1


async def llm_is_given_up(make: Make, asks: Asks, breaks: Breaks) -> None:
    """A reply can be closed after its first piece or cancelled before it; nothing is left, and the next one works."""
    async with freeing(make) as engine:
        whole = await reply(engine, asks[0])
        idle = Holdings.now()
        async with aclosing(engine.reply(CONTEXT, asks[0], ())) as results:
            assert await anext(results) == whole[0]
        await idle.regained(tasks_only=True)
        await cancelled(anext(engine.reply(CONTEXT, asks[0], ())))
        await idle.regained(tasks_only=True)
        assert await reply(engine, asks[0]) == whole


async def llm_closes_in_the_middle(make: Make, asks: Asks, breaks: Breaks) -> None:
    """Closing the engine under a reply ends that reply, as a typed error if it had not ended."""
    async with freeing(make) as engine, aclosing(engine.reply(CONTEXT, asks[0], ())) as results:
        await anext(results)
        await engine.close()
        try:
            async for _ in results:
                pass
        except EngineError as error:
            assert_discreet(error, "llm", [message.content for message in asks[0][1:]])


async def llm_fails_in_words(make: Make, asks: Asks, breaks: Breaks) -> None:
    """A broken engine is one typed error that holds no words of the caller."""
    for break_engine in breaks:
        async with freeing(make) as engine:
            await break_engine(engine)
            with pytest.raises(EngineError) as caught:
                await reply(engine, asks[0])
            assert_discreet(caught.value, "llm", [message.content for message in asks[0][1:]])


async def llm_replies_do_not_mix(make: Make, asks: Asks, breaks: Breaks) -> None:
    """Replies at the same time are what each would be alone."""
    async with freeing(make) as engine:
        alone = [await reply(engine, messages) for messages in asks]
        assert any(one != alone[0] for one in alone), "ask for replies that differ"
        assert list(await asyncio.gather(*(reply(engine, messages) for messages in asks))) == alone


@pytest.fixture(
    params=[llm_streams, llm_is_given_up, llm_closes_in_the_middle, llm_fails_in_words, llm_replies_do_not_mix]
)
def check_llm(request: pytest.FixtureRequest) -> Check:
    """`await check_llm(make, asks=[messages, …], breaks=[…])`: two or more chats, each with its instructions first,
    whose replies are repeatable, of several pieces, and different."""
    return request.param  # type: ignore[no-any-return]


# ---------------------------------------------------------------- text to speech


async def spoken(engine: TextToSpeech, text: str) -> list[Speech]:
    return [speech async for speech in engine.speak(CONTEXT, text)]


def joined(speeches: Sequence[Speech]) -> bytes:
    return b"".join(speech.mulaw for speech in speeches)


async def tts_speaks(make: Make, texts: Sequence[str], breaks: Breaks) -> None:
    """There is sound; words have times in order, each once and within the audio, or none at all."""
    async with freeing(make) as engine:
        for text in texts:
            speeches = await spoken(engine, text)
            assert g711.decode(joined(speeches)).any()
            times = [time for speech in speeches for time in speech.words]
            assert [time.word for time in times] in ([], list(range(len(words_of(text)))))
            ends = [time.end for time in times]
            assert ends == sorted(ends)
            assert all(0 <= end <= len(joined(speeches)) for end in ends)


async def tts_is_given_up(make: Make, texts: Sequence[str], breaks: Breaks) -> None:
    """A clause can be closed after its first audio or cancelled before it; nothing is left, and the next one works."""
    async with freeing(make) as engine:
        await spoken(engine, texts[0])
        idle = Holdings.now()
        async with aclosing(engine.speak(CONTEXT, texts[0])) as speeches:
            await anext(speeches)
        await idle.regained(tasks_only=True)
        await cancelled(anext(engine.speak(CONTEXT, texts[0])))
        await idle.regained(tasks_only=True)
        assert joined(await spoken(engine, texts[0]))


async def tts_closes_in_the_middle(make: Make, texts: Sequence[str], breaks: Breaks) -> None:
    """Closing the engine under a clause ends that clause, as a typed error if it had not ended."""
    async with freeing(make) as engine:
        work = [asyncio.ensure_future(spoken(engine, text)) for text in texts]
        for _ in range(3):
            await asyncio.sleep(0)
        await engine.close()
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, BaseException):
                assert isinstance(result, EngineError)
                assert_discreet(result, "tts", texts)


async def tts_fails_in_words(make: Make, texts: Sequence[str], breaks: Breaks) -> None:
    """A broken engine is one typed error that does not repeat the text."""
    for break_engine in breaks:
        async with freeing(make) as engine:
            await break_engine(engine)
            with pytest.raises(EngineError) as caught:
                await spoken(engine, texts[0])
            assert_discreet(caught.value, "tts", texts)


async def tts_clauses_do_not_mix(make: Make, texts: Sequence[str], breaks: Breaks) -> None:
    """Clauses at the same time are as long as each would be alone (within 20 ms: not every engine repeats itself)."""
    async with freeing(make) as engine:
        alone = [len(joined(await spoken(engine, text))) for text in texts]
        assert max(alone) - min(alone) > 2 * g711.FRAME, "give texts of different lengths"
        together = await asyncio.gather(*(spoken(engine, text) for text in texts))
        assert [len(joined(speeches)) for speeches in together] == pytest.approx(alone, abs=g711.FRAME)


@pytest.fixture(
    params=[tts_speaks, tts_is_given_up, tts_closes_in_the_middle, tts_fails_in_words, tts_clauses_do_not_mix]
)
def check_tts(request: pytest.FixtureRequest) -> Check:
    """`await check_tts(make, texts=[…], breaks=[…])`: two or more clauses of different length."""
    return request.param  # type: ignore[no-any-return]
