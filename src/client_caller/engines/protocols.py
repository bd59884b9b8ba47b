"""The three protocols that an engine can speak, and the one way in which it can fail.

Audio is mu-law at 8 kHz on both sides of these protocols: a driver whose engine wants anything else converts inside.
All three stream. All three may be given up at any moment, by `close` or by closing the iterator (`aclose`); a driver
then frees everything it holds at once and reports nothing more.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from client_caller.conversation.history import Entry, Message, ToolCall

Stage = Literal["stt", "llm", "tts"]


class EngineError(Exception):
    """An engine could not do its work. The only exception that a driver lets out.

    `str(error)` is one sentence for people: what failed, at which address or part, and what to do. It holds no secret
    and no words of the caller.
    """

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True, slots=True)
class CallContext:
    """What an engine may know about a call before it starts."""

    call_id: str
    language: str = "en"
    """BCP 47."""
    hints: tuple[str, ...] = ()
    """Words and phrases that are likely in this call: names, products."""


# ---------------------------------------------------------------- speech to text


@dataclass(frozen=True, slots=True)
class Partial:
    """The present guess of the words since the last `Final`; replaces the partial before."""

    text: str


@dataclass(frozen=True, slots=True)
class Final:
    """Words that will not change again."""

    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """`finish(request)` is done: all audio fed before it is in the finals."""

    request: int


SttResult = Partial | Final | Finished


class SttStream(Protocol):
    """One call's ear. Iterating it gives results until `close`; it raises `EngineError` and ends when it fails."""

    def feed(self, mulaw: bytes) -> None:
        """Take some audio of the caller. Never blocks; what can't be taken is dropped, oldest first, and counted."""
        ...

    @property
    def dropped(self) -> int:
        """Samples that were fed so far and dropped unheard."""
        ...

    def finish(self, request: int) -> None:
        """Ask for the final words of all audio so far; answered by exactly one `Finished(request)`."""
        ...

    def __aiter__(self) -> AsyncIterator[SttResult]: ...

    async def close(self) -> None:
        """Free everything. May be called twice, and in the middle of anything."""
        ...


class SpeechToText(Protocol):
    async def open(self, context: CallContext) -> SttStream:
        """Start to listen for one call. Raises `EngineError`."""
        ...

    async def close(self) -> None:
        """Free what all calls share."""
        ...


# ---------------------------------------------------------------- language model


@dataclass(frozen=True, slots=True)
class Tool:
    """What the language model is told of a tool."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """JSON schema of an object."""


@dataclass(frozen=True, slots=True)
class Token:
    """Some more text; not necessarily one token of the model."""

    text: str


LlmResult = Token | ToolCall


class LanguageModel(Protocol):
    def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        """Stream one reply. An async generator: closing it (`aclose`) aborts the work at the engine.

        Raises `EngineError`.
        """
        ...

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        """Prepare for replies that begin with `messages`, at call set-up. May do nothing; raises `EngineError`."""
        ...

    async def close(self) -> None:
        """Free what all calls share."""
        ...


# ---------------------------------------------------------------- text to speech


@dataclass(frozen=True, slots=True)
class WordTime:
    """Where the word of a clause with this index (`clauses.words_of`) ends, in samples at 8 kHz from its start."""

    word: int
    end: int


@dataclass(frozen=True, slots=True)
class Speech:
    """Some more audio of a clause, and the times of words as they become known.

    Word times come in order, each word exactly once; a driver that knows none gives none, and they are then estimated
    (`audio.word_times`).
    """

    mulaw: bytes
    words: tuple[WordTime, ...] = ()


class TextToSpeech(Protocol):
    def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        """Stream the audio of one clause. An async generator: closing it aborts the work. Raises `EngineError`."""
        ...

    async def close(self) -> None:
        """Free what all calls share."""
        ...


@runtime_checkable
class Attentive(Protocol):
    """What a `TextToSpeech` has besides when it speaks by what was said before in the call."""

    def attend(self, context: CallContext, history: Sequence[Entry]) -> None:
        """At the beginning of a call and before each of its replies: what either side said, as far as it was heard.

        The caller's last words may be a guess: each history replaces the one before. What was spoken and is not in it,
        nobody heard. Never blocks and never fails: what goes wrong is told by the next `speak`.
        """
        ...

    async def leave(self, context: CallContext) -> None:
        """The call is over: free what was kept of it."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """One of each: what a call needs."""

    stt: SpeechToText
    llm: LanguageModel
    tts: TextToSpeech

    async def close(self) -> None:
        for engine in (self.stt, self.llm, self.tts):
            await engine.close()
