"""One clause by text to speech, which is given a moment to come back."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from client_caller.engines.protocols import CallContext, EngineError, Speech, TextToSpeech

log = logging.getLogger(__name__)

PAUSES = (0.2, 0.5, 1.0)
"""Seconds before each further try: together as long as a caller bears silence (`Policy.filler_after` and a little).
Without them a dead engine fails all apologies within milliseconds, and the call ends in the middle of a word."""
QUICK = 1.0
"""Seconds of a try after which there is no other: an engine that was given time and needed more is not tried again."""


async def speak(engine: TextToSpeech, context: CallContext, text: str) -> AsyncGenerator[Speech, None]:
    """Stream the audio of one clause; one that fails at once, before anything of it came, is asked for again.

    Raises the last `EngineError`.
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
            if begun or pause is None or clock() - asked > QUICK:
                raise
            log.warning("call %s: tts failed and is tried again: %s", context.call_id, error)
        await asyncio.sleep(pause)
