"""The laws of readable speech: what was said can be read back, and it still sounds like the voice."""

import asyncio
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from client_caller.engines.protocols import CallContext, Speech, WordTime
from client_caller.simulator import tones
from client_caller.simulator.readable_speech import ReadableVoice, readable
from client_caller.simulator.virtual_time import run_virtual

HUM = b"\x9a\x1a\x8f\x0f"
"""Some sound that is no label."""


@given(st.lists(st.tuples(st.text("abcdefghijé.,", min_size=1, max_size=12), st.integers(0, 400)), max_size=8))
def test_words_are_read_back_where_they_end(spoken: list[tuple[str, int]]) -> None:
    """However short or close together the words are: each is there, in order, and its time is the label's end."""
    ends = [sum(length for _, length in spoken[: number + 1]) for number in range(len(spoken))]
    audio = (HUM * (sum(length for _, length in spoken) // 4 + 1))[: ends[-1] if ends else 0]
    text = " ".join(word for word, _ in spoken)
    given = Speech(audio, tuple(WordTime(number, end) for number, end in enumerate(ends)))
    made = readable(given, text)
    found = tones.read(made.mulaw)
    assert [one.word for one in found] == text.split()
    assert [one.end for one in found] == [time.end for time in made.words]
    assert all(time.end >= end for time, end in zip(made.words, ends, strict=True))
    assert len(made.mulaw) >= len(audio)


class Humming:
    """Text to speech that gives a word's sound with its time, then the next; each takes so long."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.finished: list[str] = []
        self.closed = False

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        for number, _ in enumerate(text.split()):
            await asyncio.sleep(self.seconds)
            yield Speech(HUM * 100, (WordTime(number, (number + 1) * 400),))
        self.finished.append(text)

    async def close(self) -> None:
        self.closed = True


def test_a_voice_in_pieces_becomes_one() -> None:
    """All of a clause comes at once, after the delay that was asked for, with the words at the voice's own times."""

    async def speak() -> tuple[float, list[Speech]]:
        pieces = [piece async for piece in ReadableVoice(Humming(), 0.25).speak(CallContext("x"), "good day to you")]
        return asyncio.get_running_loop().time(), pieces

    at, pieces = run_virtual(speak())
    assert at == 0.25
    assert [time.end for time in pieces[0].words] == [400, 800, 1200, 1600]
    assert [one.word for one in tones.read(pieces[0].mulaw)] == ["good", "day", "to", "you"]
    assert len(pieces) == 1


def test_what_was_begun_is_spoken_to_its_end() -> None:
    """Nobody wants it any more: the voice below hears nothing of that, and is closed only when it is done."""

    async def give_up() -> tuple[Humming, list[bool]]:
        voice = Humming(0.1)
        readable_voice = ReadableVoice(voice)
        listening = asyncio.ensure_future(anext(aiter(readable_voice.speak(CallContext("x"), "good day"))))
        await asyncio.sleep(0.2)
        listening.cancel()
        done = [bool(voice.finished)]
        await readable_voice.close()
        return voice, [*done, bool(voice.finished)]

    voice, done = run_virtual(give_up())
    assert done == [False, True]
    assert voice.finished == ["good day"]
    assert voice.closed
