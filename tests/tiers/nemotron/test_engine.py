"""The laws of hearing chunk by chunk, each against what `transformers` makes of the whole."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tiers.nemotron.conftest import CHUNKS, filled

from client_caller.models.hearing.recogniser import Floats
from client_caller.models.nemotron.chunks import Chunk, Cutter, Stream, Token
from client_caller.models.nemotron.engine import Engine
from client_caller.models.nemotron.weights import Weights, load

Offline = Callable[[Floats, int], list[tuple[str, int]]]


def cut(samples: Floats, weights: Weights) -> list[Floats]:
    cutter = Cutter(weights.sizes)
    return [*cutter.push(samples), cutter.end()]


def alone(engine: Engine, pieces: list[Floats]) -> list[Token]:
    stream = Stream()
    return [token for piece in pieces for token in engine.transcribe([Chunk(stream, piece)])[0]]


def places(tokens: list[Token]) -> list[tuple[str, int]]:
    return [(token.piece, token.frame) for token in tokens]


@pytest.mark.parametrize("chunk", CHUNKS)
def test_chunks_are_encoded_as_the_whole(
    chunk: int, weights: dict[int, Weights], engines: dict[int, Engine], speech: Floats
) -> None:
    """Frame for frame, also when more was heard than attention reaches back."""
    pieces = cut(speech, weights[chunk])
    stream = Stream()
    streamed = torch.cat([engines[chunk].encode([piece], [stream]) for piece in pieces], 1)
    whole = weights[chunk].extractor(
        [filled(speech, weights[chunk], len(pieces))], sampling_rate=16_000, return_tensors="pt"
    )
    made = weights[chunk].model.get_audio_features(**whole, num_lookahead_tokens=weights[chunk].sizes.lookahead)
    full = made.pooler_output[:, : streamed.shape[1]]  # the extractor makes a mel frame more, and masks it
    assert streamed.shape == full.shape
    assert streamed.shape[1] > weights[chunk].window
    assert full.std() > 0.5
    assert (streamed - full).abs().max() <= 1e-4


@pytest.mark.parametrize("chunk", CHUNKS)
def test_words_are_those_of_the_whole(
    chunk: int, weights: dict[int, Weights], engines: dict[int, Engine], speech: Floats, offline: Offline
) -> None:
    """Piece for piece, each at its frame, against the offline `generate`."""
    pieces = cut(speech, weights[chunk])
    heard = alone(engines[chunk], pieces)
    assert places(heard) == offline(filled(speech, weights[chunk], len(pieces)), chunk)
    assert len({token.piece for token in heard}) > 2
    assert all(0 < token.probability <= 1 for token in heard)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_a_call_hears_the_same_among_others(
    chunk: int, weights: dict[int, Weights], engines: dict[int, Engine], speech: Floats
) -> None:
    """Calls that begin at different times, say different things, and share runs where they can."""
    engine = engines[chunk]
    third = len(speech) // 3
    calls = [
        cut(audio, weights[chunk]) for audio in (speech, np.roll(speech, third), np.roll(speech, 2 * third)[:third])
    ]
    streams = [Stream() for _ in calls]
    together: list[list[Token]] = [[] for _ in calls]
    for step in range(max(map(len, calls)) + 2):
        due = [(call, step - call) for call in range(len(calls)) if 0 <= step - call < len(calls[call])]
        answers = engine.transcribe([Chunk(streams[call], calls[call][at]) for call, at in due])
        for (call, _), answer in zip(due, answers, strict=True):
            together[call] += answer
    for tokens, pieces in zip(together, calls, strict=True):
        solo = alone(engine, pieces)
        assert solo
        assert places(tokens) == places(solo)
        assert [token.probability for token in tokens] == pytest.approx([token.probability for token in solo], abs=1e-4)


def test_a_stream_holds_no_memory_of_others(
    weights: dict[int, Weights], engines: dict[int, Engine], speech: Floats
) -> None:
    """What is kept of a stream is its own, no view of a batch's, and no more than the window: so it goes with it."""
    streams = [Stream() for _ in range(4)]
    for piece in cut(speech, weights[560]):
        engines[560].transcribe([Chunk(stream, piece) for stream in streams])
    attention, convolutions = streams[0].encoder
    said = streams[0].decoder
    kept = [tensor for layer in attention.layers for tensor in (layer.keys, layer.values)]
    assert all(tensor.shape[2] == weights[560].window for tensor in kept)
    kept += [layer.cache for layer in convolutions.layers.values()] + [said.hidden, said.cell, said.output]
    for tensor in kept:
        assert tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()


def test_the_order_of_calls_in_a_run_does_not_matter(
    weights: dict[int, Weights], engines: dict[int, Engine], speech: Floats
) -> None:
    """Each question gets its own answer, though those at the beginning and those far on run apart."""
    pieces = cut(speech, weights[560])
    far, fresh = Stream(), Stream()
    for piece in pieces[:-1]:
        engines[560].transcribe([Chunk(far, piece)])
    far_answer, fresh_answer = engines[560].transcribe([Chunk(far, pieces[-1]), Chunk(fresh, pieces[0])])
    assert list(fresh_answer) == alone(engines[560], pieces[:1])
    assert list(far_answer) == [token for token in alone(engines[560], pieces) if token.frame >= far.frames - 7]
    assert fresh_answer
    assert far_answer


def test_half_precision_hears_too(directory: Path, speech: Floats) -> None:
    """What a GPU runs by default runs: every part takes the others' numbers, alone and joined, and words come of it."""
    loaded = load(directory, device="cpu", dtype="bfloat16", chunk=560)
    engine = Engine(loaded)
    engine.warm_up(2)
    heard = alone(engine, cut(speech, loaded))
    assert len({token.piece for token in heard}) > 2
