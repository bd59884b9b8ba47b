"""The engine speaks what the reference speaks, and a slot holds what it was given and nothing else."""

from collections.abc import Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from client_caller.models.csm.engine import CsmEngine, Frame, Step  # noqa: E402
from client_caller.models.csm.made_up import TINY_CODEBOOKS as CODEBOOKS  # noqa: E402
from client_caller.models.csm.made_up import TINY_CODES as VALID  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402

HELLO, MORNING, GOODBYE = "Hello, who is there?", "A fine morning to you.", "Well then, goodbye!"
HEARD: list[Frame] = [tuple((7 * t + 3 * book) % VALID for book in range(CODEBOOKS)) for t in range(12)]
"""Some speech that was not generated."""


def frames_of(engine: CsmEngine, slot: int, count: int) -> list[Frame]:
    """The next frames of one slot."""
    engine.speak(slot)
    return [tuple(engine.step(slot + 1).codes[slot].tolist()) for _ in range(count)]


def fill(engine: CsmEngine, slot: int, *parts: Tensor) -> None:
    engine.prefill(slot, torch.cat(parts))


def segment(engine: CsmEngine, weights: Weights, text: str, heard: Sequence[Frame]) -> Tensor:
    """A finished piece of speech: its text, its frames, its end."""
    return torch.cat([engine.text(weights.tokens(0, text)), engine.frames(heard), engine.end_of_speech()])


def reference(model: Any, prompt: Tensor, count: int) -> list[Frame]:
    """What transformers generates greedily, without the codes that mean nothing to the codec."""
    banned = [VALID, VALID + 1, VALID + 2]
    sequences = model.generate(
        inputs_embeds=prompt[None],
        max_new_tokens=count,
        do_sample=False,
        suppress_tokens=banned,
        depth_decoder_do_sample=False,
        depth_decoder_suppress_tokens=banned,
    )
    return [tuple(frame) for frame in sequences[0].tolist()]


def test_greedy_equals_the_reference(weights: Weights, engine: CsmEngine) -> None:
    """Behind a context of text and sound, the codes are those of transformers' own greedy generation, one by one."""
    prompt = torch.cat([segment(engine, weights, HELLO, HEARD), engine.text(weights.tokens(0, MORNING))])
    engine.prefill(1, prompt)
    spoken = frames_of(engine, 1, 30)
    assert len(set(spoken)) > 20, "weights that always say the same prove nothing"
    assert spoken == reference(weights.model, prompt, 30)


def test_a_ragged_batch_is_each_alone(weights: Weights, engine: CsmEngine) -> None:
    """Three calls that begin at different steps behind contexts of different lengths speak, and sound, as alone."""
    contexts = [
        torch.cat([segment(engine, weights, HELLO, HEARD[: 4 * n]), engine.text(weights.tokens(n, MORNING))])
        for n in range(3)
    ]
    alone: list[list[Step]] = []
    for context in contexts:
        solo = CsmEngine(weights.model, slots=1, sampling=Sampling(temperature=0))
        solo.prefill(0, context)
        solo.speak(0)
        alone.append([solo.step(1) for _ in range(20)])
    together: list[list[Step]] = [[], [], []]
    joins = {0: 2, 4: 0, 9: 1}
    live: set[int] = set()
    for step in range(29):
        if step in joins:
            slot = joins[step]
            engine.prefill(slot, contexts[slot])
            engine.speak(slot)
            live.add(slot)
        result = engine.step(3)
        for slot in live:
            together[slot].append(Step(result.codes[slot], result.ended[slot], result.sound[slot]))
    for slot in range(3):
        for one, other in zip(alone[slot], together[slot][:20], strict=True):
            assert torch.equal(one.codes[0], other.codes)
            torch.testing.assert_close(one.sound[0], other.sound, atol=1e-4, rtol=0)


def test_a_clause_goes_on_from_the_kept_cache(weights: Weights, engine: CsmEngine) -> None:
    """The next clause, filled in behind what was spoken, is that of a slot in which all was filled in anew."""
    fill(engine, 0, engine.text(weights.tokens(0, HELLO)))
    spoken = frames_of(engine, 0, 15)
    engine.hush(0)
    before = engine.position(0)
    fill(engine, 0, engine.end_of_speech(), engine.text(weights.tokens(0, MORNING)))
    assert engine.position(0) - before == 1 + len(weights.tokens(0, MORNING))

    again = torch.cat([segment(engine, weights, HELLO, spoken), engine.text(weights.tokens(0, MORNING))])
    engine.prefill(1, again)
    assert engine.position(1) == engine.position(0)
    assert frames_of(engine, 0, 20) == frames_of(engine, 1, 20)


def test_going_back_equals_never_having_been_there(weights: Weights, engine: CsmEngine) -> None:
    """After a rewind to a clause's beginning and with what was heard of it, the slot speaks as one that never went
    further."""
    fill(engine, 0, segment(engine, weights, HELLO, HEARD))
    begin = engine.position(0)
    fill(engine, 0, engine.text(weights.tokens(0, MORNING)))
    spoken = frames_of(engine, 0, 25)
    engine.rewind(0, begin)
    heard = (segment(engine, weights, "A fine", spoken[:9]), engine.text(weights.tokens(0, GOODBYE)))
    fill(engine, 0, *heard)
    fill(engine, 1, segment(engine, weights, HELLO, HEARD), *heard)
    assert frames_of(engine, 0, 20) == frames_of(engine, 1, 20)


def test_a_slot_keeps_nothing_of_the_call_before(weights: Weights, engine: CsmEngine) -> None:
    """A slot that was rewound to nothing speaks and sounds, to the bit, as a new one."""
    fill(engine, 0, segment(engine, weights, HELLO, HEARD), engine.text(weights.tokens(0, MORNING)))
    frames_of(engine, 0, 30)
    engine.rewind(0, 0)
    fresh = CsmEngine(weights.model, slots=4, sampling=Sampling(temperature=0))
    for one in (engine, fresh):
        fill(one, 0, one.text(weights.tokens(1, GOODBYE)))
        one.speak(0)
    for _ in range(20):
        used, new = engine.step(1), fresh.step(1)
        assert torch.equal(used.codes, new.codes)
        assert torch.equal(used.sound, new.sound)


def test_a_saved_beginning_is_that_beginning(weights: Weights, engine: CsmEngine) -> None:
    """A slot to which a saved beginning was copied speaks as one in which it was filled in."""
    fill(engine, 0, segment(engine, weights, HELLO, HEARD))
    engine.restore(2, engine.saved(0))
    assert engine.position(2) == engine.position(0)
    for slot in (0, 2):
        fill(engine, slot, engine.text(weights.tokens(0, MORNING)))
    assert frames_of(engine, 0, 15) == frames_of(engine, 2, 15)


def test_an_end_is_seen_and_leaves_the_slot_as_it_was(weights: Weights, engine: CsmEngine) -> None:
    """A frame of zeros ends the speech, whatever its last codebook says; it is no token of the slot, and the slot then
    goes on as if its end had been filled in."""
    fill(engine, 0, engine.text(weights.tokens(0, HELLO)))
    spoken = frames_of(engine, 0, 5)
    position = engine.position(0)
    engine._codes = lambda count: torch.tensor([[0] * (CODEBOOKS - 1) + [9]])  # type: ignore[method-assign]
    assert engine.step(1).ended.tolist() == [True]
    del engine._codes
    assert engine.position(0) == position
    engine.step(1)
    assert engine.position(0) == position, "a slot that has ended is not live"

    fill(engine, 0, engine.end_of_speech(), engine.text(weights.tokens(0, MORNING)))
    fill(engine, 1, segment(engine, weights, HELLO, spoken), engine.text(weights.tokens(0, MORNING)))
    assert frames_of(engine, 0, 10) == frames_of(engine, 1, 10)


@pytest.mark.parametrize("temperature", [0.0, 5.0])
def test_codes_without_meaning_are_never_drawn(weights: Weights, temperature: float) -> None:
    """Weights that want nothing but the codes beyond the codec's get codes of the codec."""
    engine = CsmEngine(weights.model, slots=2, sampling=Sampling(temperature=temperature, top_k=64))
    engine._first_head = engine._first_head.clone()
    engine._first_head[VALID:] = 1e3 * torch.ones_like(engine._first_head[VALID:])
    fill(engine, 0, engine.text(weights.tokens(0, HELLO)))
    drawn = frames_of(engine, 0, 30)
    assert all(0 <= code < VALID for frame in drawn for code in frame)


def test_a_seed_repeats_itself(weights: Weights) -> None:
    """Sampled speech is the same for the same seed, and another for another."""

    def sampled(seed: int) -> list[Frame]:
        engine = CsmEngine(weights.model, slots=1, sampling=Sampling(seed=seed))
        fill(engine, 0, engine.text(weights.tokens(0, HELLO)))
        return frames_of(engine, 0, 10)

    assert sampled(1) == sampled(1) != sampled(2)


def test_what_does_not_fit_is_refused(weights: Weights, engine: CsmEngine) -> None:
    """A slot is never written beyond its end."""
    room = engine.length - engine.position(0)
    with pytest.raises(ValueError, match="don't fit"):
        engine.prefill(0, engine.frames(HEARD[:1]).expand(room, -1))
    assert engine.position(0) == 0
