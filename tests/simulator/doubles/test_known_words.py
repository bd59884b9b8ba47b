"""The laws of words that are known beforehand, alone and behind the double that tells them."""

import json
from typing import Any

from websockets.asyncio.client import connect

from client_caller.audio import g711
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble
from client_caller.simulator.doubles.known_words import KnownWords

MS = 8


def test_a_word_is_told_once_when_its_last_sample_has_come() -> None:
    """Not a sample earlier, however the audio is cut; two words that end in one piece come together."""
    words = KnownWords()
    words.expect(100, "one")
    words.expect(300, "two")
    words.expect(301, "three")
    assert [words.feed(b"\xff" * 99), words.feed(b"\xff"), words.feed(b"\xff" * 200)] == [[], ["one"], ["two"]]
    assert words.feed(b"\xff" * 1000) == ["three"]
    assert words.feed(b"\xff" * 1000) == []


async def test_guesses_lag_and_finals_do_not() -> None:
    """A partial has a word no sooner than its lag after the word's end; a final asked for at once has them all."""
    words = KnownWords()
    words.expect(200 * MS, "two")
    words.expect(400 * MS, "words")
    double = DeepgramDouble(interim_after=0.1)
    double.behaviours.append(Behaviour(reader=words))
    sound = tones.spell("sound", 400 * MS)
    results: list[dict[str, Any]] = []
    async with double.serving() as url, connect(f"{url}/v1/listen") as socket:
        for start in range(0, len(sound), g711.FRAME):
            await socket.send(sound[start : start + g711.FRAME])
        await socket.send('{"type":"Finalize"}')
        while not results or not results[-1]["is_final"]:
            results.append(json.loads(await socket.recv()))
    heard = [(one["channel"]["alternatives"][0]["transcript"], one["duration"]) for one in results]
    assert heard == [("two", 0.3), ("two words", 0.4)]
