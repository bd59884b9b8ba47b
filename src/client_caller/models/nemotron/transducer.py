"""The decoder: from the encoder's frames to tokens, greedily, as an RNN-T does it (Graves 2012).

At each frame the joint network is asked for the next token, given all tokens so far; a blank goes on to the next frame.
Nothing is ever searched again, so a token that came stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True)
class Said:
    """What the prediction network knows of the tokens so far, of one row or more."""

    hidden: torch.Tensor
    """(layers, rows, size), as the next."""
    cell: torch.Tensor
    output: torch.Tensor
    """(rows, 1, size): what the joint network gets of it."""

    @staticmethod
    def of(parts: "Sequence[Said]") -> "Said":
        return Said(
            torch.cat([part.hidden for part in parts], 1),
            torch.cat([part.cell for part in parts], 1),
            torch.cat([part.output for part in parts]),
        )

    def row(self, row: int) -> "Said":
        """A copy of one row."""
        one = slice(row, row + 1)
        return Said(self.hidden[:, one].clone(), self.cell[:, one].clone(), self.output[one].clone())


Emitted = tuple[int, int, float]
"""A token, the frame at which it came, and its probability."""


class Transducer:
    """The prediction and joint networks of a loaded model."""

    def __init__(self, model: Any) -> None:
        """`model`: a `NemotronAsrStreamingForRNNT` without gradients."""
        self._decoder, self._joint = model.decoder, model.joint
        self._blank = int(model.config.blank_token_id)
        self._most = int(model.config.max_symbols_per_step)
        """Tokens of a frame."""
        self._device = model.device
        layers, size = model.config.num_decoder_layers, model.config.decoder_hidden_size
        nothing = torch.zeros(layers, 1, size, dtype=model.dtype, device=self._device)
        self.start = self._next([self._blank], nothing, nothing)
        """Before anything was said."""

    def decode(self, frames: torch.Tensor, said: Said) -> tuple[list[list[Emitted]], Said]:
        """`frames`: (rows, n, size), of which each row says something of its own."""
        rows, n = frames.shape[:2]
        at, held = [0] * rows, [0] * rows
        emitted: list[list[Emitted]] = [[] for _ in range(rows)]
        every = torch.arange(rows, device=self._device)
        while min(at) < n:
            places = torch.tensor([min(place, n - 1) for place in at], device=self._device)
            logits = self._joint(
                encoder_hidden_states=frames[every, places][:, None], decoder_hidden_states=said.output
            )[:, 0]
            best = logits.float().softmax(-1).max(-1)
            speaks = [False] * rows
            tokens, sure = best.indices.tolist(), best.values.tolist()
            for row in range(rows):
                if at[row] == n:
                    continue
                speaks[row] = tokens[row] != self._blank
                if speaks[row]:
                    emitted[row].append((tokens[row], at[row], sure[row]))
                    held[row] += 1
                if not speaks[row] or held[row] == self._most:
                    at[row], held[row] = at[row] + 1, 0
            if any(speaks):
                said = self._after(said, tokens, speaks)
        return emitted, said

    def _after(self, said: Said, tokens: list[int], speaks: list[bool]) -> Said:
        """What is known when the rows that speak have said these."""
        new = self._next(tokens, said.hidden, said.cell)
        mask = torch.tensor(speaks, device=self._device)
        return Said(
            torch.where(mask[None, :, None], new.hidden, said.hidden),
            torch.where(mask[None, :, None], new.cell, said.cell),
            torch.where(mask[:, None, None], new.output, said.output),
        )

    def _next(self, tokens: list[int], hidden: torch.Tensor, cell: torch.Tensor) -> Said:
        embedded = self._decoder.embedding(torch.tensor(tokens, device=self._device)[:, None])
        output, (hidden, cell) = self._decoder.lstm(embedded, (hidden, cell))
        return Said(hidden, cell, self._decoder.decoder_projector(output))
