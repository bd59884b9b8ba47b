"""Mimi's decoder as a stream: the sound of a frame as soon as its codes are known, as if all were decoded at once.

Every layer is causal, so each needs only what it saw last: a convolution its left context, a transposed convolution the
tail of its last output that overlaps the next, the transformer a window of keys and values. A stream that begins has
zeros for all of them, which is what the padding of the whole decode is. `MimiModel.decode` with its own cache keeps the
transformer's state alone, and its frames don't join (1 dB of signal to noise, research/model-tier 1.2).
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from client_caller.models.csm.layout import mimi_parts
from client_caller.models.csm.mimi_transformer import RingTransformer


class MimiStream:
    """Decodes for a number of rows at once, each with its own past."""

    def __init__(self, codec: Any, *, rows: int, codebooks: int, most_frames: int = 1) -> None:
        """`codec`: a `transformers.MimiModel`; `codebooks`: how many of its codebooks are used; `most_frames`: of each
        row in one call of `decode`."""
        parts = mimi_parts(codec)
        self._table, self._offsets = _table(parts.quantizer, codebooks)
        self._upsample = _Overlap(parts.upsample, rows)
        upsampled = most_frames * parts.upsample.conv.stride[0]
        self._transformer = RingTransformer(parts.transformer, rows=rows, most=upsampled)
        self._layers = [_streaming(layer, rows) for layer in parts.convolutions]

    def reset(self, row: int) -> None:
        """Begin a new stream in a row."""
        self._transformer.reset(row)
        for layer in (self._upsample, *self._layers):
            layer.reset(row)

    def decode(self, codes: Tensor) -> Tensor:
        """The next frames of the first rows: codes (rows, frames, codebooks) to samples (rows, n) at 24 kHz.

        A code outside a codebook is not checked for: it would be another codebook's.
        """
        latents = functional.embedding(codes + self._offsets, self._table).sum(2)
        tokens = self._upsample.forward(latents.transpose(1, 2)).transpose(1, 2)
        sound = self._transformer.forward(tokens).transpose(1, 2)
        for layer in self._layers:
            sound = layer.forward(sound)
        return sound[:, 0]


def _table(quantizer: Any, codebooks: int) -> tuple[Tensor, Tensor]:
    """What each code of each codebook adds to the latent, (codes of all codebooks, width), and where each begins.

    Made from what the checkpoint stores; transformers' own cached copy of it is stale after a change of type. Each
    code is projected beforehand, for the projection of a sum is the sum of projections.
    """
    semantic = quantizer.semantic_residual_vector_quantizer
    acoustic = quantizer.acoustic_residual_vector_quantizer
    tables = [_projected(semantic, layer) for layer in semantic.layers]
    tables += [_projected(acoustic, layer) for layer in acoustic.layers[: codebooks - len(tables)]]
    begins = torch.arange(codebooks, device=tables[0].device) * len(tables[0])
    return torch.cat(tables), begins


def _projected(quantizer: Any, layer: Any) -> Tensor:
    book = layer.codebook
    table = book.embed_sum / book.cluster_usage.clamp(min=book.epsilon)[:, None]
    return table if quantizer.output_proj is None else functional.linear(table, quantizer.output_proj.weight[:, :, 0])


class _Pointwise:
    """A layer without memory."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def reset(self, row: int) -> None:
        pass

    def forward(self, sound: Tensor) -> Tensor:
        return self._layer(sound)


class _Context:
    """A causal convolution: (rows, channels, n) in and out."""

    def __init__(self, layer: Any, rows: int) -> None:
        self._conv: nn.Conv1d = layer.conv
        reach = (self._conv.kernel_size[0] - 1) * self._conv.dilation[0]
        self._past = self._conv.weight.new_zeros(rows, self._conv.in_channels, reach)

    def reset(self, row: int) -> None:
        self._past[row] = 0

    def forward(self, sound: Tensor) -> Tensor:
        past = self._past[: len(sound)]
        joined = torch.cat([past, sound], -1)
        past.copy_(joined[..., joined.shape[-1] - past.shape[-1] :])
        return self._conv(joined)


class _Overlap:
    """A transposed convolution whose outputs overlap: (rows, channels, n) in, n times its stride out."""

    def __init__(self, layer: Any, rows: int) -> None:
        self._conv: nn.ConvTranspose1d = layer.conv
        overlap = self._conv.kernel_size[0] - self._conv.stride[0]
        self._tail = self._conv.weight.new_zeros(rows, self._conv.out_channels, overlap)

    def reset(self, row: int) -> None:
        self._tail[row] = 0

    def forward(self, sound: Tensor) -> Tensor:
        conv = self._conv
        tail = self._tail[: len(sound)]
        spread = functional.conv_transpose1d(sound, conv.weight, None, conv.stride, groups=conv.groups)
        spread[..., : tail.shape[-1]] += tail
        whole = sound.shape[-1] * conv.stride[0]
        tail.copy_(spread[..., whole:])
        done = spread[..., :whole]
        return done if conv.bias is None else done + conv.bias[:, None]


class _Residual:
    """A block of layers whose output is added to its input."""

    def __init__(self, layer: Any, rows: int) -> None:
        self._block = [_streaming(part, rows) for part in layer.block]
        self._shortcut = _streaming(layer.shortcut, rows)

    def reset(self, row: int) -> None:
        for part in (*self._block, self._shortcut):
            part.reset(row)

    def forward(self, sound: Tensor) -> Tensor:
        inner = sound
        for part in self._block:
            inner = part.forward(inner)
        return self._shortcut.forward(sound) + inner


_Streaming = _Pointwise | _Context | _Overlap | _Residual


def _streaming(layer: Any, rows: int) -> _Streaming:
    if hasattr(layer, "block"):
        return _Residual(layer, rows)
    if not hasattr(layer, "conv"):
        return _Pointwise(layer)
    return _Overlap(layer, rows) if isinstance(layer.conv, nn.ConvTranspose1d) else _Context(layer, rows)
