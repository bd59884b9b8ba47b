"""Mimi's decoder as a stream equals Mimi's decoder at once."""

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from client_caller.models.csm.engine import FRAME  # noqa: E402
from client_caller.models.csm.made_up import TINY_CODEBOOKS as CODEBOOKS  # noqa: E402
from client_caller.models.csm.made_up import TINY_CODES as VALID  # noqa: E402
from client_caller.models.csm.mimi import MimiStream  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402

FRAMES = 40
"""Four windows of the tiny decoder's attention."""


def codes(rows: int, seed: int = 0) -> Tensor:
    return torch.randint(0, VALID, (rows, FRAMES, CODEBOOKS), generator=torch.Generator().manual_seed(seed))


def whole(weights: Weights, stream: Tensor) -> Tensor:
    """What transformers decodes at once."""
    return weights.model.codec_model.decode(stream.transpose(1, 2)).audio_values[:, 0]


@pytest.mark.parametrize("at_once", [1, 3, 8])
def test_chunked_equals_full(weights: Weights, at_once: int) -> None:
    """However many frames come at a time, two rows at once: the samples are those of the whole decode, past the window
    of the attention, within 1e-4."""
    mimi = MimiStream(weights.model.codec_model, rows=2, codebooks=CODEBOOKS, most_frames=at_once)
    stream = codes(2)
    pieces = [mimi.decode(piece) for piece in stream.split(at_once, dim=1)]
    expected = whole(weights, stream)
    assert expected.shape[1] == FRAMES * FRAME
    assert expected.std() > 0.01
    torch.testing.assert_close(torch.cat(pieces, 1), expected, atol=1e-4, rtol=0)


def test_a_reset_leaks_nothing(weights: Weights) -> None:
    """A row that decoded something else before sounds, after a reset, like a new one, to the bit; its neighbour, which
    goes on, is not disturbed."""
    mimi = MimiStream(weights.model.codec_model, rows=2, codebooks=CODEBOOKS)
    first, second = codes(2, seed=1), codes(2, seed=2)
    fresh = MimiStream(weights.model.codec_model, rows=2, codebooks=CODEBOOKS)
    expected = [fresh.decode(torch.stack([second[0, t], first[1, t]])[:, None]) for t in range(FRAMES)]
    for t in range(15):
        mimi.decode(first[:, t, None])
    mimi.reset(0)
    for t in range(15, FRAMES):
        sound = mimi.decode(torch.stack([second[0, t - 15], first[1, t]])[:, None])
        assert torch.equal(sound[0], expected[t - 15][0])
        assert torch.equal(sound[1], expected[t][1])
