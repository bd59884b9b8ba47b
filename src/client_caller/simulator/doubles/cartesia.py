"""A stand-in for Cartesia's text to speech: its messages as docs.cartesia.ai has them, over tones for words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.simulator.doubles.speech_contexts import PAUSE, WORD, Behaviour, Clause, ContextDouble, Line


class CartesiaDouble:
    """Takes the behaviour of its clauses from `voice.behaviours`, then goes on with the default one.

    Like the real one it sends a word's time apart from its audio and not with it (here: before it), and nothing more
    for a context that was cancelled.
    """

    def __init__(self, *, first_byte: float = 0.080, speed: float = 10.0) -> None:
        self.voice = ContextDouble("/tts/websocket", self._talk, first_byte=first_byte, speed=speed)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with self.voice.serving() as url:
            yield url

    async def _talk(self, line: Line, message: str) -> None:
        request = msgspec.json.decode(message)
        context = request["context_id"]
        if request.get("cancel"):
            if (task := line.speaking.pop(context, None)) and not task.done():
                task.cancel()
            return
        clause, behaviour = self.voice.begin(line, request["transcript"], request)
        line.speaking[context] = asyncio.create_task(self._speak(line, context, clause, behaviour))

    async def _speak(self, line: Line, context: str, clause: Clause, behaviour: Behaviour) -> None:
        base = {"done": False, "status_code": 206, "context_id": context}
        try:
            if behaviour.error:
                await line.send(base | {"type": "error", "done": True} | behaviour.error)
                return
            async for number, word, audio in self.voice.said(line, clause, behaviour):
                start = number * (WORD + PAUSE) / SAMPLE_RATE
                times = {"words": [word], "start": [start], "end": [start + WORD / SAMPLE_RATE]}
                await line.send(base | {"type": "timestamps", "word_timestamps": times})
                await line.send(base | {"type": "chunk", "data": audio, "step_time": 20})
            await line.send(base | {"type": "done", "done": True, "status_code": 200})
        except asyncio.CancelledError:
            clause.cancelled = True
            raise
        finally:
            clause.over.set()
