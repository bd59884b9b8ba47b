"""From scores to codes, without asking the device anything: it can be part of a CUDA graph."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sampling:
    """How codes are drawn. The defaults are those of CSM's own generator."""

    temperature: float = 0.9
    """0 takes the likeliest code always."""
    top_k: int = 50
    """Of how many likeliest codes."""
    seed: int = 0


def draw(scores: Tensor, sampling: Sampling, generator: Any) -> Tensor:
    """One code for each row of scores, (rows, codes) to (rows,).

    The largest of p / e, with e drawn from an exponential distribution, is a draw from p: a race of exponential
    clocks. Unlike `torch.multinomial` it needs no answer from the device.
    """
    if sampling.temperature == 0:
        return scores.argmax(-1)
    scaled = scores.float() / sampling.temperature
    kept = min(sampling.top_k, scaled.shape[-1])
    likely = scaled.masked_fill(scaled < scaled.topk(kept).values[:, -1:], -torch.inf).softmax(-1)
    return (likely / torch.empty_like(likely).exponential_(1, generator=generator)).argmax(-1)
