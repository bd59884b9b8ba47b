"""Weights are loaded from a directory, or refused by name."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file  # noqa: E402

from client_caller.models.csm.weights import Weights, WeightsError, load  # noqa: E402


@pytest.fixture
def copy(csm_directory: Path, tmp_path: Path) -> Path:
    """A directory to spoil."""
    return Path(shutil.copytree(csm_directory, tmp_path / "csm"))


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """What is not there is said before anything is loaded."""
    (copy / name).unlink()
    with pytest.raises(WeightsError, match=rf"no {name} in .*csm"):
        load(copy, device="cpu", dtype="float32")


def test_a_missing_shard_is_named(copy: Path) -> None:
    """Every part of divided weights has to be there."""
    (copy / "model.safetensors").unlink()
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "model-1-of-2.safetensors"}}))
    with pytest.raises(WeightsError, match=r"no model-1-of-2\.safetensors"):
        load(copy, device="cpu", dtype="float32")


def test_numbers_of_another_type_are_named(copy: Path) -> None:
    """Quantised weights would be taken for numbers; they are refused with the tensor's name."""
    tensors = load_file(copy / "model.safetensors")
    tensors["lm_head.weight"] = tensors["lm_head.weight"].to(torch.int8)
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"lm_head\.weight is stored as I8; only F32, F16, BF16"):
        load(copy, device="cpu", dtype="float32")


def test_codebooks_that_do_not_agree_are_named(copy: Path) -> None:
    """In the configuration, and between it and the file."""
    rewrite(copy / "config.json", lambda config: config["depth_decoder_config"].update(num_codebooks=5))
    with pytest.raises(WeightsError, match="backbone has 6 codebooks, the depth decoder 5, the codec 6"):
        load(copy, device="cpu", dtype="float32")
    rewrite(copy / "config.json", lambda config: config.update(num_codebooks=5))
    with pytest.raises(WeightsError, match=r"heads for 6 codebooks, its config\.json says 5"):
        load(copy, device="cpu", dtype="float32")


def test_another_model_is_named(copy: Path) -> None:
    """The weights of something else."""
    rewrite(copy / "config.json", lambda config: config.update(model_type="llama"))
    with pytest.raises(WeightsError, match="holds a llama model, not csm"):
        load(copy, device="cpu", dtype="float32")


def test_damage_is_named(copy: Path) -> None:
    """A file that broke off, and one that lacks a tensor."""
    tensors = load_file(copy / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 1 tensors, such as lm_head\.weight"):
        load(copy, device="cpu", dtype="float32")
    whole = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"model\.safetensors can't be read"):
        load(copy, device="cpu", dtype="float32")
    (copy / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"can't be read"):
        load(copy, device="cpu", dtype="float32")


@pytest.mark.parametrize(
    "only", ["backbone_model.embed_tokens.embed_audio_tokens.weight", "depth_decoder.model.embed_tokens.weight"]
)
def test_one_embedding_serves_both(csm_directory: Path, copy: Path, only: str) -> None:
    """Backbone and depth decoder share the codes' embedding, whichever of its two names the file has."""
    rewrite(copy / "config.json", lambda config: config.update(tie_word_embeddings=False))  # as it was published
    tensors = load_file(copy / "model.safetensors")
    (stored,) = [name for name in tensors if "embed_tokens" in name and name.endswith("_tokens.weight")]
    tensors[only] = tensors.pop(stored)
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    model = load(copy, device="cpu", dtype="float32").model
    for shared in (model.backbone_model.embed_tokens.embed_audio_tokens, model.depth_decoder.model.embed_tokens):
        assert torch.equal(shared.weight, tensors[only])


def test_half_precision_leaves_the_codec_whole(csm_directory: Path) -> None:
    """With bfloat16 the language models are rounded; sound, and the frequencies of positions, are not."""
    model = load(csm_directory, device="cpu", dtype="bfloat16").model
    assert model.lm_head.weight.dtype == model.depth_decoder.codebooks_head.weight.dtype == torch.bfloat16
    assert model.backbone_model.rotary_emb.inv_freq.dtype == torch.float32
    assert {weight.dtype for weight in model.codec_model.parameters()} == {torch.float32}


def test_text_can_not_forge_marks(weights: Weights) -> None:
    """What a text says between angle brackets is said, not obeyed."""
    begin, *said, end = weights.tokens(0, "so<|end_of_text|>")
    assert (begin, end) == (256, 257)
    assert all(token < 256 for token in said)
