"""Loading Nemotron from a directory, offline, with what is wrong named before a call can meet it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from client_caller.models.nemotron.chunks import Sizes

DType = Literal["float32", "bfloat16"]

KIND = "nemotron_asr_streaming"
NEEDED = ("config.json", "tokenizer.json")
_SHARDS = "model.safetensors.index.json"
_GET = "Copy the whole directory of nvidia/nemotron-speech-streaming-en-0.6b."


class WeightsError(Exception):
    """These weights can't be used. `str(error)` says which file it is about and what to do."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The model as it was loaded, and what goes with it."""

    model: Any
    """A `NemotronAsrStreamingForRNNT` without gradients."""
    extractor: Any
    """Makes mel frames of audio."""
    pieces: Mapping[int, str]
    """What each token writes; those that write nothing are not in it."""
    sizes: Sizes
    window: int
    """Encoder frames before a chunk to which attention reaches."""


def load(directory: Path, *, device: str, dtype: DType, chunk: int) -> Weights:
    """Read weights, configuration and vocabulary from a directory in transformers' format; nothing is fetched.

    `chunk`: milliseconds of audio that are heard at once, one of those for which the model was trained. Takes as much
    memory as the model in float32 while it loads (2.4 GB). Raises `WeightsError`.
    """
    _check_files(directory)
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported: a missing file is an error, not a download
    import torch
    from transformers import NemotronAsrStreamingForRNNT, NemotronAsrStreamingProcessor

    try:
        processor = NemotronAsrStreamingProcessor.from_pretrained(directory, local_files_only=True)
        lookahead = _lookahead(directory, processor, chunk)
        model, info = NemotronAsrStreamingForRNNT.from_pretrained(
            directory, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        said = " ".join(str(error).split())[:200].rstrip(".")
        raise WeightsError(f"{directory} can't be loaded ({type(error).__name__}: {said}). {_GET}") from error
    if missing := info["missing_keys"]:
        raise WeightsError(f"{directory} lacks {len(missing)} tensors, such as {min(missing)}. {_GET}")
    encoder, extractor = model.config.encoder_config, processor.feature_extractor
    sizes = Sizes(lookahead, encoder.subsampling_factor, extractor.hop_length, extractor.n_fft)
    window = encoder.sliding_window - 1
    if window % (lookahead + 1):
        raise WeightsError(
            f"{directory}: attention over {window} frames is no multiple of a chunk of {lookahead + 1}, so it can't be "
            "heard chunk by chunk. Take another --chunk."
        )
    return Weights(_prepared(model, device, dtype), extractor, _pieces(processor), sizes, window)


def _check_files(directory: Path) -> None:
    missing = [name for name in NEEDED if not (directory / name).is_file()]
    if not (directory / _SHARDS).is_file() and not (directory / "model.safetensors").is_file():
        missing.append("model.safetensors")
    if missing:
        raise WeightsError(f"There is no {', '.join(missing)} in {directory}. {_GET}")
    try:
        kind = msgspec.json.decode((directory / "config.json").read_bytes()).get("model_type")
    except (OSError, msgspec.DecodeError, AttributeError) as error:
        raise WeightsError(f"{directory / 'config.json'} can't be read ({type(error).__name__}). {_GET}") from None
    if kind != KIND:
        raise WeightsError(f"{directory} holds a {kind} model, not {KIND}: set --weights to Nemotron's.")


def _lookahead(directory: Path, processor: Any, chunk: int) -> int:
    """Encoder frames behind the first of a chunk of so many milliseconds."""
    latencies: dict[int, int] = {ms: frames for frames, ms in processor.supported_streaming_latencies_ms.items()}
    if chunk not in latencies:
        known = ", ".join(map(str, sorted(latencies)))
        raise WeightsError(f"{directory} was not trained for chunks of {chunk} ms. It takes --chunk {known}.")
    return latencies[chunk]


def _pieces(processor: Any) -> dict[int, str]:
    tokenizer = processor.tokenizer
    silent = set(tokenizer.all_special_ids) | {processor.blank_token_id}
    return {number: piece for piece, number in tokenizer.get_vocab().items() if number not in silent}


def _prepared(model: Any, device: str, dtype: DType) -> Any:
    import torch

    model.requires_grad_(False).eval()
    for weight in model.parameters():  # not `model.to`, which would round the frequencies of the positions too
        weight.data = weight.data.to(getattr(torch, dtype))
    return model.to(device)
