"""Rotary position embedding (Su et al. 2021), as transformers lays it out: a head's halves are its pairs."""

from typing import Any

import torch
from torch import Tensor

Rotation = tuple[Tensor, Tensor]
"""Cosines and sines, shaped so that they go with (rows, heads, n, width of a head)."""


def rotation(embedding: Any, position: Tensor, dtype: Any) -> Rotation:
    """The angles of some positions, (rows, n), by the frequencies of a model's `rotary_emb`, in full precision."""
    angles = position[..., None] * embedding.inv_freq.float()
    both = torch.cat([angles, angles], -1)[:, None]
    scaling = embedding.attention_scaling
    return (both.cos() * scaling).to(dtype), (both.sin() * scaling).to(dtype)


def rotated(heads: Tensor, turn: Rotation) -> Tensor:
    """Queries or keys, (rows, heads, n, width), turned by their positions' angles."""
    first, second = heads.chunk(2, -1)
    return heads * turn[0] + torch.cat([-second, first], -1) * turn[1]
