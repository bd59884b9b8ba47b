"""The laws of loading: what can't be used is named, with what to do, before a call can meet it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from client_caller.models.nemotron.chunks import Sizes
from client_caller.models.nemotron.weights import Weights, WeightsError, load


@pytest.fixture
def copy(directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(directory, tmp_path / "nemotron"))


def test_what_a_chunk_is_made_of_is_read(weights: dict[int, Weights]) -> None:
    """Of the model's own configuration; what tokens write has neither blanks nor marks."""
    assert {chunk: loaded.sizes for chunk, loaded in weights.items()} == {
        80: Sizes(0),
        160: Sizes(1),
        560: Sizes(6),
        1120: Sizes(13),
    }
    assert weights[80].window == 70
    assert not any("<" in piece for piece in weights[80].pieces.values())


def test_in_half_precision_positions_stay_exact(directory: Path) -> None:
    """Weights are rounded; the frequencies of the positions are not."""
    model = load(directory, device="cpu", dtype="bfloat16", chunk=560).model
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert not any(weight.requires_grad for weight in model.parameters())
    assert model.encoder.encode_positions.inv_freq.dtype == torch.float32


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def of_another_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "whisper"}))


def of_no_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["joint.head.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def with_another_reach(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["encoder_config"]["sliding_window"] = 70
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without("tokenizer.json"), "There is no tokenizer.json in"),
        (without("model.safetensors"), "There is no model.safetensors in"),
        (without("processor_config.json"), "can't be loaded"),
        (of_another_kind, "holds a whisper model, not nemotron_asr_streaming"),
        (of_no_json, "config.json can't be read"),
        (without_a_tensor, "lacks 1 tensors, such as joint.head.weight"),
        (with_another_reach, "attention over 69 frames is no multiple of a chunk of 7"),
    ],
)
def test_what_is_wrong_is_named(spoil: Callable[[Path], None], complaint: str, copy: Path) -> None:
    spoil(copy)
    with pytest.raises(WeightsError, match=complaint):
        load(copy, device="cpu", dtype="float32", chunk=560)


def test_a_chunk_for_which_it_was_not_trained(directory: Path) -> None:
    """Those for which it was are listed."""
    with pytest.raises(WeightsError, match="It takes --chunk 80, 160, 560, 1120"):
        load(directory, device="cpu", dtype="float32", chunk=100)
