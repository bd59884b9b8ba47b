"""What the doubles of `client-caller bench density` cost by themselves: the same talk, and no server around them.

Takes its settings as one JSON object on stdin; prints milliseconds of CPU for each second of each call.
"""

import asyncio
import base64
import json
import sys
import time

from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.engines.protocols import CallContext, Finished
from client_caller.simulator.chatter import PAUSE, answer
from client_caller.simulator.engines import CannedModel, EchoStream, EchoStt, ToneSpeech

SETTLE = 2.0
"""Seconds before the measurement: until all calls are in the middle of their talk."""
_CONTEXT = CallContext("bench")
_MODEL = CannedModel(answer)
_VOICE = ToneSpeech()


async def cost(calls: int, seconds: float, clip: bytes) -> float:
    """Milliseconds of CPU per call-second; `clip` is what each caller says, mu-law."""
    spoken = b"".join([speech.mulaw async for speech in _VOICE.speak(_CONTEXT, answer(()))])
    quiet = SILENCE * (len(spoken) + PAUSE * SAMPLE_RATE // 1000)
    ears = [await EchoStt().open(_CONTEXT) for _ in range(calls)]
    tasks = [asyncio.create_task(_answer(ear)) for ear in ears]
    tasks.append(asyncio.create_task(_feed(ears, _frames(clip), _frames(quiet))))
    await asyncio.sleep(SETTLE)
    began = time.process_time()
    await asyncio.sleep(seconds)
    used = time.process_time() - began
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return 1000 * used / calls / seconds


async def _feed(ears: list[EchoStream], clip: list[bytes], quiet: list[bytes]) -> None:
    """Let all of them hear the same talk, each from its own place in it."""
    loop = asyncio.get_running_loop()
    talk = clip + quiet
    due, beat = loop.time(), 0
    while True:
        for number, ear in enumerate(ears):
            place = (beat + number * len(talk) // len(ears)) % len(talk)
            ear.feed(talk[place])
            if place == len(clip):
                ear.finish(beat)
        beat += 1
        due += FRAME / SAMPLE_RATE
        await asyncio.sleep(due - loop.time())


async def _answer(ear: EchoStream) -> None:
    """Think and speak when the words are there."""
    async for result in ear:
        if isinstance(result, Finished):
            async for _ in _MODEL.reply(_CONTEXT, (), ()):
                pass
            async for _ in _VOICE.speak(_CONTEXT, answer(())):
                pass


def _frames(mulaw: bytes) -> list[bytes]:
    return [mulaw[start : start + FRAME].ljust(FRAME, SILENCE) for start in range(0, len(mulaw), FRAME)]


def main() -> None:
    """Measure once."""
    import uvloop  # not there on Windows, where `bench density` is not either

    settings = json.load(sys.stdin)
    clip = base64.b64decode(settings["clip"])
    print(uvloop.run(cost(settings["calls"], settings["seconds"], clip)))


if __name__ == "__main__":
    main()
