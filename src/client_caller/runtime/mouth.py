"""One clause by text to speech, which is given a moment to come back; an apology needs no voice."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import cast

from client_caller.engines.protocols import CallContext, EngineError, Speech, TextToSpeech

log = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0)
"""Seconds before each further try: together as long as a caller bears silence (`Policy.filler_after` and a little)."""
QUICK = 1.0
"""Seconds of a try after which there is no other: an engine that was given time and needed more is not tried again."""

Spare = Mapping[str, tuple[Speech, ...]]
"""What was spoken beforehand, for when the voice is gone: the audio of each clause."""


async def speak(engine: TextToSpeech, context: CallContext, text: str, spare: Spare) -> AsyncGenerator[Speech, None]:
    """Stream the audio of one clause; one that fails at once, before anything of it came, is asked for again.

    Raises the last `EngineError`, unless the clause is among those spoken beforehand.
    """
    clock = asyncio.get_running_loop().time
    for pause in (*PAUSES, None):
        asked, begun = clock(), False
        try:
            async with aclosing(cast("AsyncGenerator[Speech]", engine.speak(context, text))) as stream:
                async for speech in stream:
                    begun = True
                    yield speech
            return
        except EngineError as error:
            if not begun and text in spare:
                log.warning("call %s: tts failed, and says what it said beforehand: %s", context.call_id, error)
                for speech in spare[text]:
                    yield speech
                return
            if begun or pause is None or clock() - asked > QUICK:
                raise
            log.warning("call %s: tts failed and is tried again: %s", context.call_id, error)
        await asyncio.sleep(pause)
