"""Loading CSM from a directory, offline, with every doubt named before it can become a noise on the telephone."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

DType = Literal["float32", "bfloat16"]

_SHARDS = "model.safetensors.index.json"
_STORED = ("F32", "F16", "BF16")
"""The types of numbers that we load, by their names in safetensors."""
_BEGIN, _END = "<|begin_of_text|>", "<|end_of_text|>"
"""What a text stands between, as in CSM's own tokenizer."""


class WeightsError(Exception):
    """These weights can't be used. `str(error)` is one sentence that names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """CSM as it was loaded: transformers' modules, whose tensors the engine takes, and the tokenizer."""

    model: Any
    """A `CsmForConditionalGeneration` without gradients. Its codec is in float32 whatever the rest is in."""
    tokenizer: Any
    """A `tokenizers.Tokenizer` to which nothing in a text is special."""

    def tokens(self, speaker: int, text: str) -> list[int]:
        """A text as CSM is asked to say it: between its marks, behind the number of who speaks."""
        said = self.tokenizer.encode(f"[{speaker}]{text}", add_special_tokens=False).ids
        return [self.tokenizer.token_to_id(_BEGIN), *said, self.tokenizer.token_to_id(_END)]


def load(directory: Path, *, device: str, dtype: DType) -> Weights:
    """Read weights, configuration and tokenizer from a directory in transformers' format; nothing is fetched.

    Takes as much memory as the model in float32 while it loads (6.5 GB for CSM-1B). Raises `WeightsError`.
    """
    config = _config(directory)
    _check_codebooks(directory, config)
    files = _weight_files(directory)
    _check_tensors(files, config)
    tokenizer = _tokenizer(directory)

    os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported: a missing file is an error, not a download
    import torch
    from transformers import CsmForConditionalGeneration

    model, info = CsmForConditionalGeneration.from_pretrained(
        directory, local_files_only=True, dtype=torch.float32, output_loading_info=True
    )
    missing = set(info["missing_keys"])
    if config.get("tie_codebooks_embeddings", True):
        missing -= _tied(model, missing)
    if missing:
        raise WeightsError(f"{directory} lacks {len(missing)} tensors, such as {min(missing)}. Copy it anew.")
    return Weights(prepared(model, device=device, dtype=dtype), tokenizer)


def prepared(model: Any, *, device: str, dtype: DType) -> Any:
    """A `CsmForConditionalGeneration` in float32 made fit for the engine: without gradients, in place, in its type."""
    import torch

    model.requires_grad_(False).eval()
    for part in (model.backbone_model, model.depth_decoder, model.lm_head, model.embed_text_tokens):
        for weight in part.parameters():  # not `part.to`, which would round the frequencies of the positions too
            weight.data = weight.data.to(getattr(torch, dtype))
    return model.to(device)


def _tied(model: Any, missing: set[str]) -> set[str]:
    """Make backbone and depth decoder share the codes' embedding, and return the names that this accounts for.

    Published weights hold it once. Up to transformers 5.17 the other one is then left at random, with a warning.
    """
    backbone, depth = model.backbone_model.embed_tokens.embed_audio_tokens, model.depth_decoder.model.embed_tokens
    names = {"backbone_model.embed_tokens.embed_audio_tokens.weight", "depth_decoder.model.embed_tokens.weight"}
    if names <= missing:
        return set()
    if "backbone_model.embed_tokens.embed_audio_tokens.weight" in missing:
        backbone.weight = depth.weight
    else:
        depth.weight = backbone.weight
    return names


def _config(directory: Path) -> Mapping[str, Any]:
    config: Mapping[str, Any] = _read_json(directory, "config.json")
    if config.get("model_type") != "csm":
        raise WeightsError(f"{directory} holds a {config.get('model_type')} model, not csm: set --weights to CSM's.")
    return config


def _read_json(directory: Path, name: str) -> Any:
    try:
        return msgspec.json.decode((directory / name).read_bytes())
    except FileNotFoundError:
        raise WeightsError(
            f"There is no {name} in {directory}. It takes the whole directory of sesame/csm-1b in transformers' format."
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise WeightsError(f"{directory / name} can't be read ({error}). Copy it anew.") from None


def _check_codebooks(directory: Path, config: Mapping[str, Any]) -> None:
    """Backbone, depth decoder and codec agree on the number of codebooks."""
    own = config.get("num_codebooks", 32)
    depth = (config.get("depth_decoder_config") or {}).get("num_codebooks", 32)
    codec = (config.get("codec_config") or {}).get("num_quantizers", 32)
    if depth != own or codec < own:
        raise WeightsError(
            f"{directory / 'config.json'}: the backbone has {own} codebooks, the depth decoder {depth}, the codec "
            f"{codec}. They don't belong together."
        )


def _weight_files(directory: Path) -> list[Path]:
    if not (directory / _SHARDS).exists():
        names: Sequence[str] = ["model.safetensors"]
    else:
        names = sorted(set(_read_json(directory, _SHARDS)["weight_map"].values()))
    for name in names:
        if not (directory / name).is_file():
            raise WeightsError(f"There is no {name} in {directory}. Copy the whole directory of sesame/csm-1b.")
    return [directory / name for name in names]


def _check_tensors(files: Sequence[Path], config: Mapping[str, Any]) -> None:
    """The files themselves hold numbers that we load, and as many codebooks as the configuration says."""
    codebooks = config.get("num_codebooks", 32)
    for file, name, dtype, shape in _tensors(files):
        if dtype not in _STORED and dtype not in ("I64", "BOOL"):
            raise WeightsError(f"{file}: {name} is stored as {dtype}; only {', '.join(_STORED)} can be loaded.")
        if name.endswith("codebooks_head.weight") and shape[0] != codebooks - 1:
            raise WeightsError(
                f"{file} holds heads for {shape[0] + 1} codebooks, its config.json says {codebooks}. Copy both anew."
            )


def _tensors(files: Sequence[Path]) -> Iterator[tuple[Path, str, str, Sequence[int]]]:
    from safetensors import SafetensorError, safe_open

    for file in files:
        try:
            with safe_open(file, framework="pt") as stored:
                for name in stored.keys():  # noqa: SIM118 (it is no mapping)
                    tensor = stored.get_slice(name)
                    yield file, name, tensor.get_dtype(), tensor.get_shape()
        except SafetensorError as error:
            raise WeightsError(f"{file} can't be read ({error}). Copy it anew.") from None


def _tokenizer(directory: Path) -> Any:
    from tokenizers import Tokenizer

    path = directory / "tokenizer.json"
    if not path.is_file():
        raise WeightsError(f"There is no tokenizer.json in {directory}. Copy the whole directory of sesame/csm-1b.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise WeightsError(f"{path} can't be read ({error}). Copy it anew.") from None
    if None in (tokenizer.token_to_id(_BEGIN), tokenizer.token_to_id(_END)):
        raise WeightsError(f"{path} has no {_BEGIN} and {_END}: it is not CSM's tokenizer.")
    tokenizer.encode_special_tokens = True
    return tokenizer
