"""Every engine is used once before the first call: nobody waits on the telephone for a process or a model to start.

What does not work is found now, by who starts the server, and not by their callers.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from client_caller.agents.agent import Agent
from client_caller.conversation.history import Message
from client_caller.engines.protocols import (
    CallContext,
    EngineError,
    Engines,
    LanguageModel,
    Speech,
    SpeechToText,
    TextToSpeech,
)

WORDS = "Hello."
"""What the voice says, to nobody."""


async def get_ready(agent: Agent, engines: Engines, tell: Callable[[str], None] = lambda line: None) -> None:
    """Open and close an ear, warm up the model, speak a word to its end.

    `tell` is given a line before each of them. Raises `EngineError` for the first engine that does not work; it names
    the stage, and says what to do.
    """
    context = CallContext("readiness", agent.language, agent.hints)
    steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
        ("speech to text", lambda: _hear(engines.stt, context)),
        ("the language model", lambda: _think(engines.llm, context, agent)),
        ("text to speech", lambda: _speak(engines.tts, context)),
    )
    for name, use in steps:
        tell(f"Trying {name} …")
        try:
            await use()
        except EngineError as error:
            reason = f"{name.capitalize()} does not work, so no call can be answered. {error.reason}"
            raise EngineError(error.stage, reason) from None


async def _hear(stt: SpeechToText, context: CallContext) -> None:
    stream = await stt.open(context)
    await stream.close()


async def _think(llm: LanguageModel, context: CallContext, agent: Agent) -> None:
    await llm.warm(context, (Message("system", agent.instructions),), agent.tools())


async def _speak(tts: TextToSpeech, context: CallContext) -> None:
    samples = 0
    async with aclosing(cast("AsyncGenerator[Speech]", tts.speak(context, WORDS))) as stream:
        async for speech in stream:
            samples += len(speech.mulaw)
    if not samples:
        raise EngineError("tts", "It gave no audio for a word. Check its voice and model.")
