"""Real speech with its words written into it: what was said and what was played can be read back from the samples.

Where a double in tones (`engines.ToneSpeech`) does not sound like a person, this does: to voice activity detection, in
an echo, to a person's ear.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from client_caller.audio.g711 import SILENCE
from client_caller.conversation.clauses import words_of
from client_caller.engines.protocols import CallContext, Speech, TextToSpeech, WordTime
from client_caller.simulator import tones

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


def readable(speech: Speech, text: str) -> Speech:
    """The whole speech of a text, with each word's label (`tones.spell`) in the place of its last milliseconds.

    Words that are closer together than their labels are long move apart, by a few milliseconds.
    """
    audio = bytearray(speech.mulaw)
    spoken = words_of(text)
    times = []
    written = 0
    for time in speech.words:
        word = spoken[time.word]
        label = tones.spell(text[word.start : word.end])
        written = max(time.end, written + len(label))
        audio += SILENCE * (written - len(audio))
        audio[written - len(label) : written] = label
        times.append(WordTime(time.word, written))
    return Speech(bytes(audio), tuple(times))


@dataclass(frozen=True, slots=True)
class ReadableVoice:
    """Text to speech that speaks with another's voice, readably. That voice has to know when its words end."""

    voice: TextToSpeech
    first_audio: float = 0.08
    """Seconds from the request to the audio, all of which comes at once."""

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        await asyncio.sleep(self.first_audio)
        async with aclosing(cast("AsyncGenerator[Speech]", self.voice.speak(context, text))) as stream:
            pieces = [piece async for piece in stream]
        whole = Speech(b"".join(piece.mulaw for piece in pieces), tuple(time for one in pieces for time in one.words))
        yield readable(whole, text)

    async def close(self) -> None:
        await self.voice.close()
