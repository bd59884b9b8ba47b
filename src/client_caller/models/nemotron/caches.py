"""What the encoder remembers of streams, put together for a run and taken apart after it.

The caches are transformers' own, which hold rows of one batch. Rows can be joined whose streams have as many frames in
the window of attention: all that have run for some seconds have it full.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch

Caches = tuple[Any, Any]
"""Of attention (a `DynamicCache`) and of convolutions."""

_TENSORS = ("keys", "values", "cache")
"""The attributes of their layers that have a row for each stream."""


def joined(streams: Sequence[Caches]) -> Caches:
    """One pair of caches with a row for each of these, which have one row."""

    def layer(of_streams: Sequence[Any]) -> Any:
        return _copy(of_streams[0], lambda name: torch.cat([getattr(one, name) for one in of_streams]))

    attention, convolutions = streams[0]
    return (
        _with(attention, [layer([one.layers[at] for one, _ in streams]) for at in range(len(attention.layers))]),
        _with(convolutions, {key: layer([one.layers[key] for _, one in streams]) for key in convolutions.layers}),
    )


def row(caches: Caches, number: int) -> Caches:
    """One stream's own caches, which hold nothing of the others' memory."""

    def layer(of_all: Any) -> Any:
        return _copy(of_all, lambda name: getattr(of_all, name)[number : number + 1].clone())

    attention, convolutions = caches
    return (
        _with(attention, [layer(of_all) for of_all in attention.layers]),
        _with(convolutions, {key: layer(of_all) for key, of_all in convolutions.layers.items()}),
    )


def _copy(layer: Any, tensor: Callable[[str], torch.Tensor]) -> Any:
    """A layer with other tensors."""
    made = copy.copy(layer)
    for name in _TENSORS:
        if hasattr(layer, name):
            setattr(made, name, tensor(name))
    return made


def _with(cache: Any, layers: Any) -> Any:
    made = copy.copy(cache)
    made.layers = layers
    return made
