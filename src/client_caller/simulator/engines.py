"""Doubles of the three engines: exact timing, no computation, words that can be read back from the audio.

They keep the engine protocols in every respect but one: what they hear and say is `simulator.tones`, not speech. They
sleep on the loop's clock, so they serve in virtual time and in real time, and thousands of calls at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from client_caller.audio.g711 import SILENCE
from client_caller.conversation.clauses import words_of
from client_caller.conversation.history import Message
from client_caller.engines.protocols import (
    CallContext,
    Final,
    Finished,
    LlmResult,
    Partial,
    Speech,
    SttResult,
    Token,
    Tool,
    WordTime,
)
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import WordReader

_SAMPLES_A_MS = 8


@dataclass(frozen=True, slots=True)
class EchoStt:
    """Speech to text that reads the words which a simulated caller wrote into the audio (`tones`)."""

    final_delay: float = 0.12
    """Seconds from `finish` to the final words."""
    confidence: float = 1.0
    """With which all final words come."""
    reader: Callable[[], WordReader] = tones.Reader
    """Reads one call's words: from the audio, or from what it was told of it."""

    async def open(self, context: CallContext) -> "EchoStream":
        return EchoStream(self.final_delay, self.confidence, self.reader())

    async def close(self) -> None:
        """Nothing is shared."""


class EchoStream:
    """One call's ear: a partial with each new word, everything since the last final on `finish`."""

    dropped = 0
    """It always keeps up."""

    def __init__(self, final_delay: float, confidence: float, reader: WordReader) -> None:
        self._loop = asyncio.get_running_loop()
        self._final_delay = final_delay
        self._confidence = confidence
        self._reader = reader
        self._words: list[str] = []
        self._results: asyncio.Queue[SttResult | None] = asyncio.Queue()
        self._due: deque[tuple[int, list[str]]] = deque()
        self._closed = False

    def feed(self, mulaw: bytes) -> None:
        words = self._reader.feed(mulaw)
        if words and not self._closed:
            self._words += words
            asked_for = [word for _, words in self._due for word in words]
            self._results.put_nowait(Partial(" ".join([*asked_for, *self._words])))

    def finish(self, request: int) -> None:
        if not self._closed:
            words, self._words = self._words, []
            self._due.append((request, words))
            self._loop.call_later(self._final_delay, self._answer)

    def __aiter__(self) -> AsyncIterator[SttResult]:
        return self

    async def __anext__(self) -> SttResult:
        result = None if self._closed else await self._results.get()
        if result is None:
            raise StopAsyncIteration
        return result

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._results.put_nowait(None)

    def _answer(self) -> None:
        # Timers of the same time fire in any order: each answers the oldest request.
        request, words = self._due.popleft()
        if self._closed:
            return
        if words:
            self._results.put_nowait(Final(" ".join(words), self._confidence))
        self._results.put_nowait(Finished(request))


@dataclass(frozen=True, slots=True)
class CannedModel:
    """A language model that says what `answer` gives for the messages, word by word."""

    answer: Callable[[Sequence[Message]], str]
    first_token: float = 0.15
    """Seconds from the request."""
    words_a_second: float = 60.0

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        await asyncio.sleep(self.first_token)
        for place, word in enumerate(self.answer(messages).split()):
            if place:
                await asyncio.sleep(1 / self.words_a_second)
            yield Token(f" {word}" if place else word)

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """There is nothing to prepare."""

    async def close(self) -> None:
        """Nothing is shared."""


@dataclass(frozen=True, slots=True)
class ToneSpeech:
    """Text to speech in tones: each word readable from the audio, with its exact time."""

    first_audio: float = 0.08
    """Seconds from the request."""
    times_real_time: float = 10.0
    """How fast the rest comes, in seconds of audio a second."""
    word: float = 0.12
    """Seconds of each word, and `letter` more for each letter: about 165 words a minute of English."""
    letter: float = 0.03
    pause: float = 0.06
    """Silence behind each word."""

    def samples(self, word: str) -> int:
        """How long a word is, without the pause behind it."""
        return round((self.word + self.letter * len(word)) * 1000) * _SAMPLES_A_MS

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        await asyncio.sleep(self.first_audio)
        sent = 0
        for index, word in enumerate(words_of(text)):
            letters = text[word.start : word.end]
            sound = tones.spell(letters, self.samples(letters))
            ends = sent + len(sound)
            mulaw = sound + SILENCE * (round(self.pause * 1000) * _SAMPLES_A_MS)
            if sent:
                await asyncio.sleep(len(mulaw) / 8000 / self.times_real_time)
            sent += len(mulaw)
            yield Speech(mulaw, (WordTime(index, ends),))

    async def close(self) -> None:
        """Nothing is shared."""
