"""A stand-in for ElevenLabs' text to speech: its multi-context messages, over tones for words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.simulator.doubles.speech_contexts import WORD, Behaviour, Clause, ContextDouble, Line

_MOST = 5
"""Contexts on one connection."""


@dataclass
class _Context:
    text: str = ""
    flushed: bool = False


class ElevenLabsDouble:
    """Takes the behaviour of its clauses from `voice.behaviours`, then goes on with the default one.

    Like the real one it begins with a flush, sends the last message of a context only once that is closed, speaks what
    was flushed to its end all the same, and drops the connection at the sixth context.
    """

    def __init__(self, voice_id: str = "v", *, first_byte: float = 0.080, speed: float = 10.0) -> None:
        path = f"/v1/text-to-speech/{voice_id}/multi-stream-input"
        self.voice = ContextDouble(path, self._talk, first_byte=first_byte, speed=speed)
        self._contexts: dict[tuple[int, str], _Context] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the block runs; gives the base URL."""
        async with self.voice.serving() as url:
            yield url

    async def _talk(self, line: Line, message: str) -> None:
        request = msgspec.json.decode(message)
        key = (line.number, request["context_id"])
        if not request.get("close_context"):
            context = self._contexts.setdefault(key, _Context())
            context.text += request.get("text", "")
            context.flushed |= request.get("flush", False)
            if sum(number == line.number for number, _ in self._contexts) > _MOST:
                await self._drop(line, "max_active_conversations", "Maximum simultaneous contexts exceeded (5).")
            return
        if (context := self._contexts.get(key, _Context())) and context.flushed:
            clause, behaviour = self.voice.begin(line, context.text, request)
            line.speaking[key[1]] = asyncio.create_task(self._speak(line, key, clause, behaviour))

    async def _speak(self, line: Line, key: tuple[int, str], clause: Clause, behaviour: Behaviour) -> None:
        try:
            if behaviour.error:
                await self._drop(line, behaviour.error["error"], behaviour.error["message"])
                return
            async for number, word, audio in self.voice.said(line, clause, behaviour):
                spoken = f" {word}" if number else word
                message: dict[str, Any] = {"audio": audio, "contextId": key[1], "isFinal": None}
                alignment = _alignment(spoken)
                await line.send(message | {"alignment": alignment, "normalizedAlignment": alignment})
            await line.send({"isFinal": True, "contextId": key[1]})
        finally:
            self._contexts.pop(key, None)
            clause.over.set()

    async def _drop(self, line: Line, error: str, message: str) -> None:
        await line.send({"message": message, "error": error, "code": 1008})
        await line.socket.close(1008, message)


def _alignment(spoken: str) -> dict[str, Any]:
    """Letters of equal length, in milliseconds from the beginning of this word's own audio."""
    each = WORD * 1000 // SAMPLE_RATE // len(spoken)
    starts = [each * number for number in range(len(spoken))]
    lengths = [each] * (len(spoken) - 1) + [WORD * 1000 // SAMPLE_RATE - starts[-1]]
    return {"chars": list(spoken), "charStartTimesMs": starts, "charDurationsMs": lengths}
