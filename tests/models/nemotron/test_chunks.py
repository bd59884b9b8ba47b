"""The laws of cutting audio into the chunks of an encoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.models.nemotron.chunks import Cutter, Sizes


@pytest.mark.parametrize(("lookahead", "seconds"), [(0, 0.08), (1, 0.16), (6, 0.56), (13, 1.12)])
def test_a_chunk_is_as_long_as_is_said(lookahead: int, seconds: float) -> None:
    """Every chunk but the first brings so much that is new, and the encoder's frames of it last as long."""
    sizes = Sizes(lookahead)
    assert sizes.mel_frames(first=False) * sizes.hop / 16_000 == pytest.approx(seconds)
    assert (lookahead + 1) * sizes.frame == pytest.approx(seconds)
    assert sizes.mel_frames(first=True) == 1 + 8 * lookahead


@given(st.sampled_from((0, 1, 6, 13)), st.lists(st.integers(0, 9000), max_size=12))
def test_chunks_are_the_windows_of_the_whole(lookahead: int, pieces: list[int]) -> None:
    """However the audio came: every mel frame's samples are in exactly one chunk, where they are in the whole, which
    has half a window of silence before it; what the last chunk lacks is silence."""
    sizes = Sizes(lookahead)
    audio = np.arange(1, sum(pieces) + 1).astype(np.float32)
    cutter = Cutter(sizes)
    chunks, at = [], 0
    for piece in pieces:
        chunks += cutter.push(audio[at : at + piece])
        at += piece
    chunks.append(cutter.end())
    frames = [
        chunk[begin : begin + sizes.window]
        for chunk in chunks
        for begin in range(0, len(chunk) - sizes.window + 1, sizes.hop)
    ]
    assert len(frames) == sizes.mel_frames(first=True) + (len(chunks) - 1) * sizes.mel_frames(first=False)
    whole = np.pad(audio, (sizes.window // 2, len(frames) * sizes.hop + sizes.window))
    for number, frame in enumerate(frames):
        assert np.array_equal(frame, whole[number * sizes.hop :][: sizes.window])
    assert len(frames) * sizes.hop + sizes.window // 2 > len(audio)


@given(st.integers(0, 40_000), st.integers(0, 40_000))
def test_how_audio_comes_does_not_matter(first: int, second: int) -> None:
    """In one piece or two: the same chunks."""
    audio = np.arange(first + second).astype(np.float32)
    whole, parts = Cutter(Sizes(6)), Cutter(Sizes(6))
    at_once = [*whole.push(audio), whole.end()]
    in_two = [*parts.push(audio[:first]), *parts.push(audio[first:]), parts.end()]
    assert len(at_once) == len(in_two)
    assert all(np.array_equal(one, other) for one, other in zip(at_once, in_two, strict=True))
