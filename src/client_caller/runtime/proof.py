"""Each engine at work, before the first call: a sentence is spoken, what was spoken is heard, one sentence is thought.

Only measured here; what to make of it says `runtime.verdict`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast

from client_caller.agents.agent import Agent
from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.conversation.clauses import ClauseSplitter
from client_caller.conversation.history import Message
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.openai_probe import Capability
from client_caller.engines.protocols import (
    CallContext,
    Final,
    Finished,
    LanguageModel,
    Partial,
    SpeechToText,
    SttStream,
    TextToSpeech,
    Token,
)

ASK = "Please say one short sentence."
"""What the language model is asked."""
PACE = 1.0
"""Seconds of audio that are fed in a second: engines that hear while one speaks are judged at the pace of speech."""
LEAD = SAMPLE_RATE // 4
"""Samples of silence before the speech: nobody speaks with the first sample of a call."""
PATIENCE = 20.0
"""Seconds for hearing to answer."""


@dataclass(frozen=True, slots=True)
class Spoken:
    mulaw: bytes
    first_audio: float
    """Milliseconds from the request."""
    whole: float
    """Milliseconds until all of it was there."""
    timed_words: int
    """Words whose time the voice told."""


@dataclass(frozen=True, slots=True)
class Heard:
    text: str
    partials: int
    known: float | None
    """Milliseconds from the end of the speech until the last words were there, as a guess or for good; negative: they
    were there before. None: no words came."""
    finished: float
    """Milliseconds from the end of the speech to the answer to `finish`."""


@dataclass(frozen=True, slots=True)
class Thought:
    text: str
    first_token: float
    first_clause: float
    """Milliseconds from the request. Without words, until the reply was over."""
    capabilities: tuple[Capability, ...] = ()


async def speak(tts: TextToSpeech, context: CallContext, text: str) -> Spoken:
    """Have a text spoken. Raises `EngineError`.

    A voice that gets ready when it is first used was made to by the word before.
    """
    clock = asyncio.get_running_loop().time
    async with aclosing(cast("AsyncGenerator[object]", tts.speak(context, "Hello."))) as warm_up:
        async for _ in warm_up:
            pass
    begun = clock()
    first: float | None = None
    audio, timed = bytearray(), 0
    async for speech in tts.speak(context, text):
        if speech.mulaw and first is None:
            first = clock()
        audio += speech.mulaw
        timed += len(speech.words)
    whole = clock()
    return Spoken(bytes(audio), 1000 * ((first or whole) - begun), 1000 * (whole - begun), timed)


async def hear(stt: SpeechToText, context: CallContext, mulaw: bytes) -> Heard:
    """Have speech heard, at the pace of speech, and ask for its words at its end. Raises `EngineError`."""
    stream = await stt.open(context)
    ear = _Ear(stream)
    listening = asyncio.create_task(ear.listen())
    try:
        await _feed(stream, LEAD * SILENCE + mulaw.rstrip(SILENCE + b"\x7f"), listening)
        ear.spoken = asyncio.get_running_loop().time()
        stream.finish(1)
        async with asyncio.timeout(PATIENCE):
            await listening
    except TimeoutError:
        pass  # What came of it is told: no answer is one of the verdicts.
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await stream.close()
    return ear.result()


async def think(llm: LanguageModel, context: CallContext, agent: Agent) -> Thought:
    """Have one sentence thought, as in a call: instructions, tools, the prefix warmed. Raises `EngineError`."""
    clock = asyncio.get_running_loop().time
    instructions = Message("system", agent.instructions)
    capabilities = tuple(await llm.capabilities()) if isinstance(llm, OpenAiModel) else ()
    tools = agent.tools() if all(one.works for one in capabilities if one.name == "tools") else ()
    await llm.warm(context, (instructions,), tools)
    begun = clock()
    token = clause = None
    splitter = ClauseSplitter(agent.policy)
    words = ""
    async for result in llm.reply(context, (instructions, Message("user", ASK)), tools):
        token = token or clock()
        if isinstance(result, Token):
            words += result.text
            clause = clause or (clock() if splitter.feed(result.text) else None)
    over = clock()
    return Thought(words, 1000 * ((token or over) - begun), 1000 * ((clause or over) - begun), capabilities)


class _Ear:
    """What came from a stream, and when."""

    def __init__(self, stream: SttStream) -> None:
        self.spoken = 0.0
        """When the last of the speech was fed."""
        self._stream = stream
        self._finals: list[str] = []
        self._guess = ""
        self._partials = 0
        self._known: float | None = None
        self._finished: float | None = None

    async def listen(self) -> None:
        clock = asyncio.get_running_loop().time
        async for result in self._stream:
            before = self._words()
            match result:
                case Partial(text):
                    self._guess = text
                    self._partials += 1
                case Final(text):
                    self._finals.append(text)
                    self._guess = ""
                case Finished():
                    self._finished = clock()
                    return
            if self._words() != before:
                self._known = clock()

    def result(self) -> Heard:
        finished = self._finished if self._finished is not None else self.spoken + PATIENCE
        known = 1000 * (self._known - self.spoken) if self._known is not None else None
        return Heard(" ".join(self._words()), self._partials, known, 1000 * (finished - self.spoken))

    def _words(self) -> list[str]:
        said = " ".join([*self._finals, self._guess]).casefold()
        return "".join(char if char.isalnum() or char == "'" else " " for char in said).split()


async def _feed(stream: SttStream, mulaw: bytes, listening: "asyncio.Task[None]") -> None:
    """Frame by frame on an absolute schedule, until its end or that of the stream."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    for start in range(0, len(mulaw), FRAME):
        stream.feed(mulaw[start : start + FRAME])
        due = begun + (start + FRAME) / SAMPLE_RATE / PACE
        await asyncio.wait([listening], timeout=max(0.0, due - clock()))
        if listening.done():
            listening.result()
            return
