"""Real speech with its words written into it: what was said and what was played can be read back from the samples.

Where a double in tones (`engines.ToneSpeech`) does not sound like a person, this does: to voice activity detection, in
an echo, to a person's ear.
"""

import asyncio
from collections.abc import AsyncIterator

from client_caller.audio.g711 import SILENCE
from client_caller.conversation.clauses import words_of
from client_caller.engines.protocols import CallContext, Speech, TextToSpeech, WordTime
from client_caller.simulator import tones


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


class ReadableVoice:
    """Text to speech that speaks with another's voice, readably. That voice has to know when its words end.

    What was begun is spoken to its end, also when nobody wants it any more: how far another process had come when it
    was stopped would be a matter of real time, and the virtual clock is to know nothing of that.
    """

    def __init__(self, voice: TextToSpeech, first_audio: float = 0.08) -> None:
        """`first_audio`: seconds from the request to the audio, all of which comes at once."""
        self._voice = voice
        self._first_audio = first_audio
        self._speaking: set[asyncio.Task[Speech]] = set()

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        await asyncio.sleep(self._first_audio)
        speaking = asyncio.create_task(self._whole(context, text))
        self._speaking.add(speaking)
        speaking.add_done_callback(self._speaking.discard)
        yield readable(await asyncio.shield(speaking), text)

    async def close(self) -> None:
        await asyncio.gather(*self._speaking, return_exceptions=True)
        await self._voice.close()

    async def _whole(self, context: CallContext, text: str) -> Speech:
        pieces = [piece async for piece in self._voice.speak(context, text)]
        return Speech(b"".join(piece.mulaw for piece in pieces), tuple(time for one in pieces for time in one.words))
