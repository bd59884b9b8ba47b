"""Text to speech by CSM, in a server of ours: a voice that speaks by what was said before in the call.

Each call has one connection, and with it one memory on the server. It gives no word times: CSM has none. A clause ends
where its frames end, and inside a clause words are placed by `audio.word_times`, by the player and here alike.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import numpy as np

from client_caller.audio import g711
from client_caller.audio.resample import Downsampler, Floats
from client_caller.audio.word_times import estimate
from client_caller.conversation.clauses import words_of
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry
from client_caller.engines.csm_call import Answers, CsmLine
from client_caller.engines.protocols import CallContext, EngineError, Speech
from client_caller.engines.speech_wire import websocket_address
from client_caller.models.csm.wire import FRAME_SECONDS, PATH, SAMPLE_RATE, Cancel, Context, Ended, Heard, Sound

BASE_URL = "http://127.0.0.1:8001/v1"
_FRAME = round(FRAME_SECONDS * g711.SAMPLE_RATE)
"""Samples at 8 kHz."""


@dataclass(slots=True)
class _Turn:
    """What the caller said, as the server was told."""

    number: int
    text: str


@dataclass(slots=True)
class _Clause:
    """What the server was asked to speak."""

    number: int
    text: str
    answers: Answers
    audio: bytearray = field(default_factory=bytearray)
    """Mu-law, as far as it came."""


class _Call:
    """What one call's connection was asked for, and what of it was heard."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._line = CsmLine(address)
        self._told: list[_Turn | _Clause] = []
        """What the server's memory holds."""
        self._before: int | None = None
        """Entries of the history from before that memory."""
        self._entries = 0
        """Of the last history."""

    def say(self, text: str) -> _Clause:
        """Ask for a clause: over a new connection, which remembers nothing, where the old one was lost."""
        if self._line.lost:
            self._line = CsmLine(self._address)
            self._told.clear()
            self._before = self._entries
        number = self._line.number()
        clause = _Clause(number, text, self._line.say(number, text))
        self._told.append(clause)
        return clause

    def done_with(self, clause: _Clause, *, whole: bool) -> None:
        """Nobody waits for the clause any more."""
        self._line.done_with(clause.number)
        if not whole:
            self._line.ask(Cancel(clause.number))

    def attend(self, history: Sequence[Entry]) -> None:
        """Make the server's memory what was said and heard: forget from the first difference on, and add the rest."""
        self._entries = len(history)
        if self._before is None:
            self._before = len(history)
        told = 0
        news: list[str] = []
        for entry in history[self._before :]:
            match entry:
                case AgentSaid() if not news:
                    told = self._heard(told, entry)
                case CallerSaid(text=text, backchannel=False) if text and (news or not self._holds(told, text)):
                    news.append(text)
                case CallerSaid(text=text, backchannel=False) if text:
                    told += 1
        if told < len(self._told):
            self._forget(told, Heard(self._told[told].number, 0, ""))
        for text in news:
            self._told.append(_Turn(self._line.number(), text))
            self._line.ask(Context(self._told[-1].number, text))

    def _holds(self, place: int, text: str) -> bool:
        """Whether the memory has this turn of the caller's at this place."""
        turn = self._told[place] if place < len(self._told) else None
        return isinstance(turn, _Turn) and turn.text == text

    def _heard(self, place: int, said: AgentSaid) -> int:
        """Go over the clauses of a reply, and forget what was not heard of them. Returns the place behind the last."""
        heard = len(words_of(said.heard))
        while heard and place < len(self._told) and isinstance(clause := self._told[place], _Clause):
            words = words_of(clause.text)
            if heard < len(words):
                self._forget(place + 1, _heard(clause, heard))
                clause.text = clause.text[: words[heard - 1].end]
            clause.audio.clear()  # it was for this only, and a call may be long
            heard -= min(heard, len(words))
            place += 1
        return place

    def _forget(self, place: int, heard: Heard) -> None:
        self._line.ask(heard)
        del self._told[place:]

    async def close(self) -> None:
        await self._line.close()


class CsmSpeech:
    """One server, for any number of calls; implements `TextToSpeech` and `Attentive`."""

    def __init__(self, *, base_url: str = BASE_URL, first_audio: float = 5.0, next_audio: float = 3.0) -> None:
        """`first_audio`, `next_audio`: seconds until the first and between any two pieces of a clause's audio.

        Raises `EngineError` for a base_url that is none.
        """
        self._address = f"{websocket_address(base_url, BASE_URL).removesuffix('/v1')}{PATH}"
        self._first_audio = first_audio
        self._next_audio = next_audio
        self._calls: dict[str, _Call] = {}
        self._closed = False

    def attend(self, context: CallContext, history: Sequence[Entry]) -> None:
        """Connects the call, the first time."""
        if not self._closed:
            self._call(context).attend(history)

    async def leave(self, context: CallContext) -> None:
        if call := self._calls.pop(context.call_id, None):
            await call.close()

    async def speak(self, context: CallContext, text: str) -> AsyncGenerator[Speech, None]:
        """Stream the audio of one clause. Raises `EngineError`, also where no audio comes."""
        if self._closed:
            raise EngineError("tts", f"CSM server {self._address} is no longer used: this engine was closed.")
        call = self._call(context)
        clause = call.say(text)
        downsampler = Downsampler(SAMPLE_RATE)
        until = asyncio.get_running_loop().time() + self._first_audio
        whole = False
        try:
            while not whole:
                answer = await self._answer(clause, until)
                until = asyncio.get_running_loop().time() + self._next_audio
                whole = isinstance(answer, Ended)
                samples = downsampler.flush() if isinstance(answer, Ended) else downsampler.feed(_floats(answer))
                if len(samples):
                    mulaw = g711.encode_float(samples)
                    clause.audio += mulaw
                    yield Speech(mulaw)
        finally:
            call.done_with(clause, whole=whole)

    async def close(self) -> None:
        self._closed = True
        calls, self._calls = list(self._calls.values()), {}
        await asyncio.gather(*(call.close() for call in calls))

    def _call(self, context: CallContext) -> _Call:
        if context.call_id not in self._calls:
            self._calls[context.call_id] = _Call(self._address)
        return self._calls[context.call_id]

    async def _answer(self, clause: _Clause, until: float) -> Sound | Ended:
        try:
            async with asyncio.timeout_at(until):
                answer = await clause.answers.get()
        except TimeoutError:
            kind = "more" if clause.audio else "no"
            raise EngineError("tts", f"CSM server {self._address} sent {kind} audio in time.") from None
        if isinstance(answer, Sound | Ended):
            return answer
        assert isinstance(answer, EngineError)
        raise answer


def _floats(sound: Sound) -> Floats:
    return np.frombuffer(sound.pcm, dtype="<i2").astype(np.float32) / np.float32(32768)


def _heard(clause: _Clause, words: int) -> Heard:
    """That only so many words of a clause were heard, and in how many frames they end."""
    if not words:
        return Heard(clause.number, 0, "")
    end = estimate(clause.text, bytes(clause.audio))[words - 1]
    return Heard(clause.number, math.ceil(end / _FRAME), clause.text[: words_of(clause.text)[words - 1].end])
