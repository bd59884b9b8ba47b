"""Transformer layers of Llama's shape, with a key-value cache that has one row for each call.

Every token carries its own position, so rows of one batch may stand anywhere: a call that has just begun beside one
that has spoken for a minute, without padding and without a shared cursor. A position that is written again is
overwritten, and nothing behind a row's position is ever looked at, so going back costs nothing.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from client_caller.models.csm.rotary import rotated, rotation


@dataclass(frozen=True, slots=True)
class _Layer:
    """The weights of one layer; those that take the same input lie in one matrix, for fewer and larger kernels."""

    before_attention: Tensor
    query_key_value: Tensor
    output: Tensor
    before_mlp: Tensor
    gate_up: Tensor
    down: Tensor


class Stack:
    """The layers of one model (`CsmBackboneModel` or `CsmDepthDecoderModel`), and the caches of all its rows."""

    def __init__(self, model: Any, *, rows: int, length: int) -> None:
        """`rows`: calls at once. `length`: tokens that the cache of each has room for."""
        config = model.config
        self._heads, self._kv_heads, self._width = (
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        self._epsilon: float = config.rms_norm_eps
        self._layers = [_layer(layer) for layer in model.layers]
        self._norm: Tensor = model.norm.weight
        self._rotary = model.rotary_emb
        shape = (len(self._layers), rows, self._kv_heads, length, self._width)
        self._keys = torch.zeros(shape, dtype=self._norm.dtype, device=self._norm.device)
        self._values = torch.zeros_like(self._keys)

    def forward(self, tokens: Tensor, position: Tensor, *, first: int = 0, seen: int | None = None) -> Tensor:
        """Take in some tokens of each row, and return the layers' normalised output, like `tokens`.

        `tokens`: (rows, n, width), for the rows from `first` on. `position`: (rows, n), where each goes. `seen`: no
        position at or beyond it is used; None: the whole cache, the same shapes whatever the positions.
        """
        rows = slice(first, first + tokens.shape[0])
        row = torch.arange(tokens.shape[0], device=tokens.device)[:, None]
        turn = rotation(self._rotary, position, tokens.dtype)
        seen = self._keys.shape[3] if seen is None else seen
        visible = (torch.arange(seen, device=tokens.device) <= position[..., None])[:, None]
        for layer, all_keys, all_values in zip(self._layers, self._keys, self._values, strict=True):
            query, key, value = self._projected(layer, tokens)
            keys, values = all_keys[rows], all_values[rows]
            keys[row, :, position] = rotated(key, turn).transpose(1, 2)
            values[row, :, position] = value.transpose(1, 2)
            heard = _attended(rotated(query, turn), keys[:, :, :seen], values[:, :, :seen], visible)
            tokens = tokens + functional.linear(heard.transpose(1, 2).flatten(2), layer.output)
            gate, up = functional.linear(self._normalised(tokens, layer.before_mlp), layer.gate_up).chunk(2, -1)
            tokens = tokens + functional.linear(functional.silu(gate) * up, layer.down)
        return self._normalised(tokens, self._norm)

    def saved(self, row: int, length: int) -> tuple[Tensor, Tensor]:
        """A copy of the beginning of a row's cache."""
        return self._keys[:, row, :, :length].clone(), self._values[:, row, :, :length].clone()

    def restore(self, row: int, cache: tuple[Tensor, Tensor]) -> None:
        """Write what `saved` gave to the beginning of a row's cache."""
        keys, values = cache
        self._keys[:, row, :, : keys.shape[2]] = keys
        self._values[:, row, :, : values.shape[2]] = values

    def _projected(self, layer: _Layer, tokens: Tensor) -> list[Tensor]:
        """Query, key and value of each token: (rows, heads, n, width of a head)."""
        joined = functional.linear(self._normalised(tokens, layer.before_attention), layer.query_key_value)
        heads = joined.unflatten(-1, (-1, self._width)).transpose(1, 2)
        parts: list[Tensor] = heads.split([self._heads, self._kv_heads, self._kv_heads], dim=1)
        return parts

    def _normalised(self, tokens: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(tokens, weight.shape, weight, self._epsilon)


def _attended(query: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    """Attention of query heads that share key heads: (rows, heads, n, width), as `query`.

    Those that share one are taken for more tokens of it. Told of the sharing instead, PyTorch writes out a copy of the
    whole cache for each head, wherever there is a mask.
    """
    rows, heads, count, _ = query.shape
    shared = heads // keys.shape[1]
    mask = visible.expand(rows, shared, count, -1).reshape(rows, 1, shared * count, -1)
    as_tokens = query.reshape(rows, keys.shape[1], shared * count, -1)
    attended: Tensor = functional.scaled_dot_product_attention(as_tokens, keys, values, attn_mask=mask)
    return attended.reshape(query.shape)


def _layer(layer: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    return _Layer(
        before_attention=layer.input_layernorm.weight,
        query_key_value=torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight]),
        output=attention.o_proj.weight,
        before_mlp=layer.post_attention_layernorm.weight,
        gate_up=torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]),
        down=mlp.down_proj.weight,
    )
