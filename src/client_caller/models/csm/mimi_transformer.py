"""The transformer inside Mimi's decoder, as a stream: each call looks back over a window of what it decoded before."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from client_caller.models.csm.rotary import rotated, rotation

_NEVER = -(1 << 30)
"""The position of a place in the ring that holds nothing."""


class RingTransformer:
    """Takes in a few tokens of each row at a time; keys and values of the window lie in a ring.

    Mimi's attention reaches back over `sliding_window` tokens, 10 s at 25 Hz. The ring has that many places and those
    of one call's tokens, so a token overwrites only what no token of its own call can see any more.
    """

    def __init__(self, model: Any, *, rows: int, most: int) -> None:
        """`most`: tokens of a row in one call."""
        config = model.config
        self._layers = list(model.layers)
        self._window: int = config.sliding_window
        self._rotary = model.rotary_emb
        weight = self._layers[0].self_attn.k_proj.weight
        ring = self._window + most
        shape = (len(self._layers), rows, config.num_key_value_heads, ring, config.head_dim)
        self._keys = torch.zeros(shape, dtype=weight.dtype, device=weight.device)
        self._values = torch.zeros_like(self._keys)
        self._held = torch.full((rows, ring), _NEVER, device=weight.device)
        """The position of the token in each place."""
        self._position = torch.zeros(rows, dtype=torch.long, device=weight.device)

    def reset(self, row: int) -> None:
        """Forget what a row decoded."""
        self._held[row] = _NEVER
        self._position[row] = 0

    def forward(self, tokens: Tensor) -> Tensor:
        """The next tokens of the first rows, (rows, n, width), n at most `most`."""
        rows, count = tokens.shape[:2]
        position = self._position[:rows, None] + torch.arange(count, device=tokens.device)
        row = torch.arange(rows, device=tokens.device)[:, None]
        place = position % self._held.shape[1]
        self._held[row, place] = position
        self._position[:rows] += count
        behind = position[..., None] - self._held[:rows, None]
        visible = ((behind >= 0) & (behind < self._window))[:, None]
        turn = rotation(self._rotary, position, tokens.dtype)
        for layer, all_keys, all_values in zip(self._layers, self._keys, self._values, strict=True):
            attention, keys, values = layer.self_attn, all_keys[:rows], all_values[:rows]
            normed = layer.input_layernorm(tokens)
            keys[row, :, place] = rotated(_split(attention.k_proj(normed), keys), turn).transpose(1, 2)
            values[row, :, place] = _split(attention.v_proj(normed), values).transpose(1, 2)
            query = rotated(_split(attention.q_proj(normed), keys), turn)
            seen = functional.scaled_dot_product_attention(query, keys, values, attn_mask=visible)
            tokens = tokens + layer.self_attn_layer_scale(attention.o_proj(seen.transpose(1, 2).flatten(2)))
            tokens = tokens + layer.mlp_layer_scale(layer.mlp(layer.post_attention_layernorm(tokens)))
        return tokens


def _split(projected: Tensor, cache: Tensor) -> Tensor:
    """(rows, n, heads x width) to (rows, heads, n, width)."""
    return projected.unflatten(-1, (-1, cache.shape[-1])).transpose(1, 2)
