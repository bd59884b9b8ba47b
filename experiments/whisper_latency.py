"""How long after they were spoken do words come from a realtime transcription server?

    client-caller models serve whisper --model base.en --guess-window 10 &
    python experiments/whisper_latency.py --calls 4 ../shared/audio/utt/*.flac

Plays recordings to the server at the speed of speech, as so many calls at once would, and asks for the final words when
a conversation does: 96 ms after Silero has heard the last of the speech. All times are on the audio's own clock: a word
is late by the time from its end (by the word times of the final transcript) to the first guess that has it; final words
by the time from the last voiced sample (above -36 dBFS), and from the request. No word is shown.

What the server adds to a model that costs next to nothing: the toy of tests/tiers/whisper (a run takes about 10 ms),
one thread, six utterances of its words in each call, two shared EPYC cores, load 3 to 5. P50 / P95 in milliseconds:

                                        1 call    4 calls   16 calls
    word spoken -> guessed            41 / 182   49 / 224   67 / 413
    word spoken -> certain           299 / 480  259 / 485  321 / 859
    speech over -> final words       214 / 232  214 / 301  303 / 597
    final words asked for -> there      7 / 12     9 / 82   92 / 419

Of the 200 ms before the question 96 are the conversation's; in the rest Silero hears the speech die away.
"""

import argparse
import asyncio
import base64
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect

from client_caller.audio import g711
from client_caller.audio.g711 import FRAME, SAMPLE_RATE
from client_caller.audio.resample import resample
from client_caller.audio.voices import VoiceBatch
from client_caller.conversation.policy import Policy
from client_caller.models.cache import find
from client_caller.models.manifest import SILERO_VAD

VOICED = 10 ** (-36 / 20)
ASKED_AFTER = round(Policy().finish_transcript_after / 1000 * SAMPLE_RATE)
LEAD = SAMPLE_RATE // 5
"""Silence before each recording."""
MESSAGE = 3 * FRAME


@dataclass
class Measured:
    """Milliseconds."""

    certain: list[float] = field(default_factory=list)
    guessed: list[float] = field(default_factory=list)
    after_speech: list[float] = field(default_factory=list)
    after_request: list[float] = field(default_factory=list)
    words: int = 0


def load(path: Path, voices: VoiceBatch) -> tuple[bytes, int]:
    """The recording as mu-law up to where final words are asked for, and its last voiced sample."""
    samples, rate = soundfile.read(path, dtype="float32")
    narrow = resample(samples, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else samples
    padded = np.pad(narrow, (LEAD, SAMPLE_RATE))
    mulaw = g711.encode_float(padded)
    voice, heard = voices.join(), 0
    for start in range(0, len(mulaw), 256):
        voice.feed(mulaw[start : start + 256])
        for window in voices.run():
            if window.probability >= Policy().silence_threshold:
                heard = window.samples_through
    voice.leave()
    return mulaw[: heard + ASKED_AFTER], int(np.flatnonzero(np.abs(padded) > VOICED)[-1]) + 1


async def utterance(socket: ClientConnection, mulaw: bytes, end: int, offset: int, measured: Measured) -> int:
    """Play one recording and note when its words come; returns how much audio there was."""
    begun = time.perf_counter()
    shown: list[tuple[float, int, int]] = []  # when, words that are certain, words in all

    async def play() -> float:
        for start in range(0, len(mulaw), MESSAGE):
            piece = mulaw[start : start + MESSAGE]
            await asyncio.sleep(begun + (start + len(piece)) / SAMPLE_RATE - time.perf_counter())
            audio = base64.b64encode(piece).decode()
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await socket.send('{"type":"input_audio_buffer.commit","final":true}')
        return time.perf_counter()

    playing = asyncio.create_task(play())
    certain = ""
    while (event := json.loads(await socket.recv()))["type"] != "transcription.done":
        if event["type"] == "error":
            raise SystemExit(event["error"])
        certain += event.get("delta", "")
        words = len(certain.split())
        shown.append((time.perf_counter() - begun, words, words + len(event.get("unstable", "").split())))
    now = time.perf_counter()
    asked = await playing
    measured.after_request.append((now - asked) * 1000)
    measured.after_speech.append((now - begun - end / SAMPLE_RATE) * 1000)
    for number, word in enumerate(event.get("words", [])):
        measured.words += 1
        ended = word["end"] - offset / SAMPLE_RATE
        for times, column in ((measured.certain, 1), (measured.guessed, 2)):
            first = next((row[0] for row in shown if row[column] > number), None)
            if first is not None:
                times.append((first - ended) * 1000)
    return len(mulaw)


async def call(url: str, recordings: list[tuple[bytes, int]], language: str, measured: Measured) -> None:
    async with connect(f"{url}/v1/realtime", compression=None) as socket:
        await socket.recv()
        update = {"type": "session.update", "input_audio_format": "g711_ulaw", "language": language}
        await socket.send(json.dumps(update))
        offset = 0
        for mulaw, end in recordings:
            offset += await utterance(socket, mulaw, end, offset, measured)


def show(name: str, times: list[float]) -> None:
    if times:
        p50, p95 = np.percentile(times, [50, 95])
        print(f"{name:42} n={len(times):4}  P50 {p50:6.0f}  P95 {p95:6.0f}  max {max(times):6.0f} ms")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path)
    parser.add_argument("--url", default="ws://127.0.0.1:8002")
    parser.add_argument("--calls", type=int, default=1)
    parser.add_argument("--language", default="en")
    options = parser.parse_args()
    voices = VoiceBatch(find(SILERO_VAD.name))
    recordings = [load(path, voices) for path in options.recordings]
    measured = Measured()
    turns = [recordings[n % len(recordings) :] + recordings[: n % len(recordings)] for n in range(options.calls)]
    await asyncio.gather(*(call(options.url, turn, options.language, measured) for turn in turns))
    print(f"{options.calls} calls, {len(recordings)} utterances each, {measured.words} words")
    show("word spoken -> guessed", measured.guessed)
    show("word spoken -> certain", measured.certain)
    show("speech over -> final words", measured.after_speech)
    show("final words asked for -> there", measured.after_request)


if __name__ == "__main__":
    asyncio.run(main())
