"""Frames of speech: codes and sound for many calls at once, 80 ms at a time.

A slot is one call's row in every cache. What a call heard and said lies in its slot as tokens, text and frames alike;
`prefill` adds some, `step` speaks one frame of every live slot, `rewind` goes back. Batches are the slots from the
first on, as many as needed, so nothing is gathered or copied; a slot among them that is not live computes a frame that
nobody takes, and writes only where its own next token will be.

Nothing here knows time, calls or threads; only one thread may use it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from client_caller.models.csm.graphs import Graphs
from client_caller.models.csm.mimi import MimiStream
from client_caller.models.csm.sampling import Sampling, draw
from client_caller.models.csm.stack import Stack

FRAME = 1920
"""Samples of sound at 24 kHz in a frame: 80 ms."""

Frame = tuple[int, ...]
"""One code of each codebook."""
Prefix = tuple[Tensor, Tensor]
"""The beginning of a slot, as it is in the caches."""


@dataclass(frozen=True, slots=True)
class Step:
    """One frame of the slots of a batch. Where `ended`, it is the end of the speech: no codes and no sound."""

    codes: Tensor
    """(slots, codebooks)."""
    ended: Tensor
    """(slots,)."""
    sound: Tensor
    """(slots, `FRAME`) at 24 kHz."""

    def to_host(self) -> "Step":
        return Step(self.codes.cpu(), self.ended.cpu(), self.sound.cpu())


class CsmEngine:
    """CSM's backbone, depth decoder and codec, with caches for `slots` calls."""

    def __init__(
        self, model: Any, *, slots: int, sampling: Sampling | None = None, graph_sizes: Sequence[int] = ()
    ) -> None:
        """`model`: that of `weights.load`, whose tensors are used as they are. `graph_sizes`: batch sizes for which
        CUDA graphs are captured, which takes seconds; without any, everything runs eagerly."""
        config = model.config
        self.slots = slots
        self.length: int = config.max_position_embeddings
        """Tokens that a slot holds."""
        self.codebooks: int = config.num_codebooks
        self.valid: int = config.codec_config.codebook_size
        """Codes from this one on mean nothing to the codec: they can't be drawn."""
        self._sampling = sampling or Sampling()
        self._backbone = Stack(model.backbone_model, rows=slots, length=self.length)
        self._depth = Stack(model.depth_decoder.model, rows=slots, length=self.codebooks + 1)
        self._codec = MimiStream(model.codec_model, rows=slots, codebooks=self.codebooks)
        self._text: Tensor = model.embed_text_tokens.weight
        self._audio: Tensor = model.backbone_model.embed_tokens.embed_audio_tokens.weight  # the depth decoder's as well
        self._projector: Tensor = model.depth_decoder.model.inputs_embeds_projector.weight
        self._first_head: Tensor = model.lm_head.weight
        self._heads: Tensor = model.depth_decoder.codebooks_head.weight
        device = self._text.device
        self._offsets = torch.arange(self.codebooks, device=device) * config.vocab_size
        self._order = torch.arange(self.codebooks + 1, device=device)
        self._hidden = self._text.new_zeros(slots, self._text.shape[1])
        self._position = torch.zeros(slots, dtype=torch.long, device=device)
        self._live = torch.zeros(slots, dtype=torch.bool, device=device)
        self._at = [0] * slots
        """The positions again, where they can be read without waiting for the device."""
        self._generator = torch.Generator(device).manual_seed(self._sampling.seed)
        self._step: Callable[[int], Step] = self._eager
        if graph_sizes:
            self._step = Graphs(lambda count: self._frames(count, None), graph_sizes, self._generator)

    # ---------------------------------------------------------------- tokens

    def text(self, tokens: Sequence[int]) -> Tensor:
        """What the backbone takes for some tokens of text: (tokens, width)."""
        return self._text[torch.tensor(tokens, dtype=torch.long, device=self._text.device)]

    def frames(self, codes: Sequence[Frame]) -> Tensor:
        """What the backbone takes for some frames: (frames, width)."""
        return self._summed(torch.tensor(codes, dtype=torch.long, device=self._text.device).view(-1, self.codebooks))

    def end_of_speech(self) -> Tensor:
        """What the backbone takes for the end of some speech, a frame of zeros: (1, width)."""
        return self.frames([(0,) * self.codebooks])

    @staticmethod
    def joined(parts: Sequence[Tensor]) -> Tensor:
        """Several of those, one behind the other."""
        return torch.cat(list(parts))

    def _summed(self, codes: Tensor) -> Tensor:
        return functional.embedding(codes + self._offsets, self._audio).sum(-2)

    # ---------------------------------------------------------------- slots

    def position(self, slot: int) -> int:
        """Tokens in a slot."""
        return self._at[slot]

    def rewind(self, slot: int, position: int) -> None:
        """Forget what is in a slot behind a position, and speak no more; the next thing to do there is `prefill`."""
        self.hush(slot)
        self._at[slot] = position
        self._position[slot] = position

    def prefill(self, slot: int, tokens: Tensor) -> None:
        """Add tokens to a slot, (n, width). A `ValueError` where they don't fit."""
        begin, end = self._at[slot], self._at[slot] + len(tokens)
        if end > self.length - 2:  # one frame at least, and the place where a slot that is not live writes
            raise ValueError(f"{len(tokens)} tokens behind {begin} don't fit into the {self.length} of a slot")
        position = torch.arange(begin, end, device=tokens.device)[None]
        hidden = self._backbone.forward(tokens[None], position, first=slot, seen=end)
        self._hidden[slot] = hidden[0, -1]
        self._at[slot] = end
        self._position[slot] = end

    def saved(self, slot: int) -> Prefix:
        """A copy of all that is in a slot: for what many calls begin with."""
        return self._backbone.saved(slot, self._at[slot])

    def restore(self, slot: int, prefix: Prefix) -> None:
        """Make a slot hold a saved beginning and nothing else; the next thing to do there is `prefill`."""
        self._backbone.restore(slot, prefix)
        self.rewind(slot, prefix[0].shape[2])

    # ---------------------------------------------------------------- speech

    def speak(self, slot: int) -> None:
        """Begin to speak what was filled in last."""
        self._codec.reset(slot)
        self._live[slot] = True

    def hush(self, slot: int) -> None:
        """Speak no more in a slot; what was spoken stays in it."""
        self._live[slot] = False

    def step(self, count: int) -> Step:
        """One frame of the first `count` slots, on the host. A slot whose speech has ended is not live any more.

        The position of a live slot has to be below `length` - 1.
        """
        step = self._step(count).to_host()
        live = self._live[:count].tolist()
        for slot, ended in enumerate(step.ended.tolist()):
            if live[slot] and ended:
                self.hush(slot)
            elif live[slot]:
                self._at[slot] += 1
        return step

    def _eager(self, count: int) -> Step:
        return self._frames(count, max(self._at[:count]) + 1)

    def _frames(self, count: int, seen: int | None) -> Step:
        """The step on the device. `seen`: as in `Stack.forward`."""
        codes = self._codes(count)
        # transformers' own rule: the last codebook does not count.
        ended = (codes[:, :-1] == 0).all(1)
        sound = self._codec.decode(codes[:, None])
        position = self._position[:count]
        self._hidden[:count] = self._backbone.forward(self._summed(codes)[:, None], position[:, None], seen=seen)[:, 0]
        position += self._live[:count] & ~ended
        return Step(codes, ended, sound)

    def _codes(self, count: int) -> Tensor:
        """The codes of the next frame, (count, codebooks): the first from the backbone, the others one by one."""
        hidden = self._hidden[:count]
        codes = [self._drawn(functional.linear(hidden, self._first_head))]
        begin = torch.stack([hidden, functional.embedding(codes[0], self._audio)], 1)
        order = self._order.expand(count, -1)
        seen = self._depth.forward(functional.linear(begin, self._projector), order[:, :2])
        for book in range(1, self.codebooks):
            codes.append(self._drawn(seen[:, -1] @ self._heads[book - 1]))
            if book + 1 < self.codebooks:
                code = functional.embedding(codes[book] + self._offsets[book], self._audio)[:, None]
                seen = self._depth.forward(functional.linear(code, self._projector), order[:, book + 1, None])
        return torch.stack(codes, 1)

    def _drawn(self, scores: Tensor) -> Tensor:
        return draw(scores[:, : self.valid], self._sampling, self._generator)
