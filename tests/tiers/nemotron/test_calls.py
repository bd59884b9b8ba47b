"""The laws of whole calls on a real model, in this process: what is said of speech, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import pytest
from tests.tiers.nemotron.conftest import CHUNKS, filled

from client_caller.audio.silero import WINDOW
from client_caller.models.hearing.batching import Batcher
from client_caller.models.hearing.events import Final, Guess, Wishes
from client_caller.models.hearing.gate import ONSET
from client_caller.models.hearing.recogniser import Floats
from client_caller.models.hearing.words import text_of
from client_caller.models.nemotron.engine import Engine
from client_caller.models.nemotron.recogniser import Nemotron
from client_caller.models.nemotron.weights import Weights

Told = list[Guess | Final | BaseException]


@asynccontextmanager
async def hearing(engine: Engine) -> AsyncIterator[Nemotron]:
    nemotron = Nemotron(engine.sizes, Batcher(engine.transcribe, gather=0.0))
    work = asyncio.create_task(nemotron.batcher.run())
    try:
        yield nemotron
    finally:
        work.cancel()
        await asyncio.wait([work])
        await nemotron.batcher.close()


async def call(nemotron: Nemotron, samples: Floats) -> Told:
    """All that is told of audio in which somebody speaks from beginning to end."""
    told: Told = []
    over = asyncio.Event()

    def tell(event: Guess | Final | BaseException) -> None:
        told.append(event)
        if not isinstance(event, Guess):
            over.set()

    session = nemotron.listen(tell, rate=16_000, wishes=Wishes("en"))
    for begin in range(0, len(samples), 2 * WINDOW):
        session.feed(samples[begin : begin + 2 * WINDOW])
        session.voice(begin // 2 + WINDOW, 0.9)
    async with asyncio.timeout(60):
        while session.backlog > 0:  # noqa: ASYNC110 - guesses are told only until final words are asked for
            await asyncio.sleep(0)
        session.finish()
        await over.wait()
    session.close()
    return told


def spelled(pieces: list[tuple[str, int]]) -> str:
    return "".join(piece for piece, _ in pieces).replace("▁", " ").strip()


def said(told: Told) -> str:
    final = told[-1]
    assert isinstance(final, Final)
    return text_of(final.words)


@pytest.mark.parametrize("chunk", CHUNKS)
async def test_final_words_are_those_of_offline_decoding(
    chunk: int,
    weights: dict[int, Weights],
    engines: dict[int, Engine],
    speech: Floats,
    offline: Callable[[Floats, int], list[tuple[str, int]]],
) -> None:
    """The same words as `transformers` has when it gets all of the audio at once, from the same time on; and what was
    told as certain before is their beginning."""
    samples = speech[: 4 * 16_000 // (2 * WINDOW) * 2 * WINDOW]
    async with hearing(engines[chunk]) as nemotron:
        told = await call(nemotron, samples)
    sizes = weights[chunk].sizes
    bits = 1 + (len(samples) + sizes.window // 2 - _first(sizes.mel_frames(first=True), sizes.hop, sizes.window)) // (
        sizes.hop * sizes.mel_frames(first=False)
    )
    expected = offline(filled(samples, weights[chunk], bits + 1), chunk)
    assert said(told) == spelled(expected)
    final = told[-1]
    assert isinstance(final, Final)
    assert len(final.words) > 2
    assert final.words[0].start == pytest.approx(expected[0][1] * sizes.frame)
    certain = "".join(event.delta for event in told if isinstance(event, Guess)).strip()
    assert certain
    assert said(told).startswith(certain)


def _first(frames: int, hop: int, window: int) -> int:
    """Samples of the first chunk, with the silence before it."""
    return hop * (frames - 1) + window


async def test_calls_at_once_hear_what_each_hears_alone(engines: dict[int, Engine], speech: Floats) -> None:
    """Though their chunks share runs, in whatever mixture."""
    parts = [np.ascontiguousarray(part) for part in np.split(speech[: len(speech) // 4096 * 4096], 4)]
    async with hearing(engines[160]) as nemotron:
        alone = [said(await call(nemotron, part)) for part in parts]
        together = [said(told) for told in await asyncio.gather(*(call(nemotron, part) for part in parts))]
    assert together == alone
    assert len(set(alone)) > 1
    assert all(alone)


def test_the_gate_opens_with_the_first_window_of_all() -> None:
    """What `call` relies on: speech from the beginning is heard from the beginning."""
    assert ONSET * WINDOW < 8000
