"""The laws of the engine doubles: exact times, whole protocols, readable audio."""

import asyncio
from contextlib import aclosing

from client_caller.conversation.clauses import words_of
from client_caller.engines.protocols import CallContext, Final, Finished, Partial, SttResult, Token
from client_caller.simulator import tones
from client_caller.simulator.engines import CannedModel, EchoStt, ToneSpeech
from client_caller.simulator.virtual_time import run_virtual

CONTEXT = CallContext("call")


def test_the_ear_reads_what_the_caller_wrote_into_the_audio() -> None:
    """A partial of all words since the last final with each new one, finals on request, and nothing twice."""

    async def main() -> list[tuple[float, SttResult]]:
        loop = asyncio.get_running_loop()
        stream = await EchoStt(final_delay=0.2).open(CONTEXT)
        results: list[tuple[float, SttResult]] = []

        async def listen() -> None:
            results.extend([(loop.time(), result) async for result in stream])

        listening = loop.create_task(listen())
        stream.feed(tones.spell("good")[:20])
        stream.feed(tones.spell("good")[20:])
        await asyncio.sleep(1)
        stream.feed(b"\xff" * 160 + tones.spell("day"))
        stream.finish(1)
        stream.finish(2)
        await asyncio.sleep(0.1)
        stream.feed(tones.spell("again"))
        stream.finish(3)
        await asyncio.sleep(1)
        await stream.close()
        await stream.close()
        stream.feed(tones.spell("late"))
        stream.finish(4)
        await listening
        return results

    assert run_virtual(main()) == [
        (0.0, Partial("good")),
        (1.0, Partial("good day")),
        (1.1, Partial("good day again")),
        (1.2, Final("good day", 1.0)),
        (1.2, Finished(1)),
        (1.2, Finished(2)),
        (1.3, Final("again", 1.0)),
        (1.3, Finished(3)),
    ]


def test_a_closed_ear_answers_nothing_more() -> None:
    """Closing in the middle of a request ends the iteration at once, and the answer never comes."""

    async def main() -> tuple[float, list[SttResult]]:
        loop = asyncio.get_running_loop()
        stream = await EchoStt(final_delay=5).open(CONTEXT)
        stream.feed(tones.spell("word"))
        stream.finish(1)
        loop.call_later(1, lambda: asyncio.ensure_future(stream.close()))
        results = [result async for result in stream]
        return loop.time(), results

    assert run_virtual(main()) == (1.0, [Partial("word")])


def test_the_model_keeps_its_pace() -> None:
    """The first token comes after its delay, then so many words a second, and the text is whole."""

    async def main() -> list[tuple[float, str]]:
        loop = asyncio.get_running_loop()
        model = CannedModel(lambda messages: "one two three", first_token=0.4, words_a_second=10)
        tokens = []
        async for token in model.reply(CONTEXT, (), ()):
            assert isinstance(token, Token)
            tokens.append((loop.time(), token.text))
        return tokens

    assert run_virtual(main()) == [(0.4, "one"), (0.5, " two"), (0.6, " three")]


def test_the_voice_says_every_word_with_its_exact_time() -> None:
    """Each word can be read from the audio and ends where its time says; the audio comes as fast as promised."""
    text = "A clause, of (seven) words: three… done."

    async def main() -> tuple[bytes, list[tuple[int, int]], list[float]]:
        loop = asyncio.get_running_loop()
        audio, times, came = b"", [], []
        voice = ToneSpeech(first_audio=0.5, times_real_time=4)
        async for speech in voice.speak(CONTEXT, text):
            audio += speech.mulaw
            times += [(time.word, time.end) for time in speech.words]
            came.append(loop.time())
        return audio, times, came

    audio, times, came = run_virtual(main())
    spelled = tones.read(audio)
    assert [one.word for one in spelled] == text.split()
    assert times == [(index, one.end) for index, one in enumerate(spelled)]
    assert len(times) == len(words_of(text))
    assert came[0] == 0.5
    first = (len("A") * 0.03 + 0.12 + 0.06) / 4
    assert abs((came[-1] - came[0]) - (len(audio) / 8000 / 4 - first)) < 1e-6


def test_giving_up_in_the_middle_leaves_nothing_behind() -> None:
    """Closing the model's or the voice's iterator ends it at once."""

    async def main() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        async with aclosing(CannedModel(lambda messages: "a b c").reply(CONTEXT, (), ())) as tokens:  # type: ignore[type-var]
            await anext(tokens)
        async with aclosing(ToneSpeech().speak(CONTEXT, "a b c")) as speech:  # type: ignore[type-var]
            await anext(speech)
        return loop.time(), len(asyncio.all_tasks())

    assert run_virtual(main()) == (0.23, 1)
