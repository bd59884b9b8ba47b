"""Every engine is used once before the first call: nobody waits on the telephone for a process or a model to start.

What does not work is found now, by who starts the server, and not by their callers. The voice is used for what it will
have to say when it is gone.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

from client_caller.agents.agent import Agent
from client_caller.conversation.clauses import clauses_of
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
from client_caller.runtime.mouth import Spare


async def get_ready(agent: Agent, engines: Engines, tell: Callable[[str], None] = lambda line: None) -> Spare:
    """Open and close an ear, warm up the model, speak the agent's apologies; returns these.

    `tell` is given a line before each of them. Raises `EngineError` for the first engine that does not work; it names
    the stage, and says what to do.
    """
    context = CallContext("readiness", agent.language, agent.hints)
    spare: dict[str, tuple[Speech, ...]] = {}

    async def apologise() -> None:
        for phrase in (agent.phrases.trouble, agent.phrases.trouble_goodbye):
            for clause in clauses_of(phrase, agent.policy):
                spare[clause] = await _speak(engines.tts, context, clause)

    steps: tuple[tuple[str, Callable[[], Awaitable[None]]], ...] = (
        ("speech to text", lambda: _hear(engines.stt, context)),
        ("the language model", lambda: _think(engines.llm, context, agent)),
        ("text to speech", apologise),
    )
    for name, use in steps:
        tell(f"Trying {name} …")
        try:
            await use()
        except EngineError as error:
            reason = f"{name.capitalize()} does not work, so no call can be answered. {error.reason}"
            raise EngineError(error.stage, reason) from None
    return spare


async def _hear(stt: SpeechToText, context: CallContext) -> None:
    stream = await stt.open(context)
    await stream.close()


async def _think(llm: LanguageModel, context: CallContext, agent: Agent) -> None:
    await llm.warm(context, (Message("system", agent.instructions),), agent.tools())


async def _speak(tts: TextToSpeech, context: CallContext, text: str) -> tuple[Speech, ...]:
    async with aclosing(cast("AsyncGenerator[Speech]", tts.speak(context, text))) as stream:
        spoken = tuple([speech async for speech in stream])
    if not any(speech.mulaw for speech in spoken):
        raise EngineError("tts", "It gave no audio for a sentence. Check its voice and model.")
    return spoken
