"""The laws of getting ready: every engine is used as a call would, and one that does not work is named."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from client_caller.agents.agent import Agent
from client_caller.conversation.clauses import clauses_of
from client_caller.conversation.history import Message
from client_caller.engines.protocols import (
    CallContext,
    EngineError,
    Engines,
    LlmResult,
    Speech,
    SttStream,
    Token,
    Tool,
    WordTime,
)
from client_caller.runtime.readiness import get_ready
from client_caller.simulator.engines import EchoStt


@dataclass
class Tried:
    """All three engines in one; notes what is done, and fails where it is told to."""

    fails: str = ""
    audio: tuple[bytes, ...] = (b"\x00" * 160, b"\x00" * 160)
    did: list[str] = field(default_factory=list)

    async def open(self, context: CallContext) -> SttStream:
        self._do("open", f"open in {context.language}")
        stream = await EchoStt().open(context)
        close = stream.close

        async def closed() -> None:
            self.did.append("close the ear")
            await close()

        stream.close = closed  # type: ignore[method-assign]
        return stream

    async def warm(self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]) -> None:
        self._do("warm", f"warm with {[message.content for message in messages]}, {len(tools)} tools")

    async def reply(
        self, context: CallContext, messages: Sequence[Message], tools: Sequence[Tool]
    ) -> AsyncIterator[LlmResult]:
        yield Token("")

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        self._do("speak", f"speak {text}")
        for number, mulaw in enumerate(self.audio):
            yield Speech(mulaw, (WordTime(number, 160),))
        self.did.append("spoke to the end")

    async def close(self) -> None:
        self.did.append("close")

    def _do(self, what: str, how: str) -> None:
        self.did.append(how)
        if what == self.fails:
            stage = {"open": "stt", "warm": "llm", "speak": "tts"}[what]
            raise EngineError(stage, "The server is not there. Start it.")  # type: ignore[arg-type]


def engines(tried: Tried) -> Engines:
    return Engines(tried, tried, tried)


async def test_each_engine_is_used_once() -> None:
    """In the order of a turn, and with what a call would give it; a line is told before each; none is closed."""
    tried = Tried()
    told: list[str] = []
    agent = Agent("Be kind.", greeting="Hi.", language="es")
    spare = await get_ready(agent, engines(tried), lambda line: told.append(f"{len(tried.did)} {line}"))
    warm = f"warm with ['Be kind.'], {len(agent.tools())} tools"
    apologies = [
        *clauses_of(agent.phrases.trouble, agent.policy),
        *clauses_of(agent.phrases.trouble_goodbye, agent.policy),
    ]
    spoken = [deed for text in apologies for deed in (f"speak {text}", "spoke to the end")]
    assert tried.did == ["open in es", "close the ear", warm, *spoken]
    assert [(text, len(said)) for text, said in spare.items()] == [(text, 2) for text in apologies]
    assert told == ["0 Trying speech to text …", "2 Trying the language model …", "3 Trying text to speech …"]


@pytest.mark.parametrize(
    ("fails", "stage", "name"),
    [("open", "stt", "Speech to text"), ("warm", "llm", "The language model"), ("speak", "tts", "Text to speech")],
)
async def test_an_engine_that_does_not_work_is_named(fails: str, stage: str, name: str) -> None:
    """The error has its stage, its name and the way out, and nothing is tried after it."""
    tried = Tried(fails)
    with pytest.raises(EngineError) as caught:
        await get_ready(Agent("Be kind."), engines(tried))
    assert caught.value.stage == stage
    assert str(caught.value) == (
        f"{name} does not work, so no call can be answered. The server is not there. Start it."
    )
    assert tried.did[-1].startswith(fails)


async def test_a_voice_without_a_sound_does_not_work() -> None:
    """An engine that ends well but gives no audio would leave the caller in silence."""
    with pytest.raises(EngineError, match=r"Text to speech does not work.* no audio"):
        await get_ready(Agent("Be kind."), engines(Tried(audio=(b"",))))
