"""A Whisper with random weights: its structure and its cost without its ears. For benchmarks and tests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import ctranslate2
import tokenizers
import torch
from tokenizers import decoders, pre_tokenizers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperForConditionalGeneration,
    logging,
)

Size = Literal["tiny", "base.en", "small.en", "distil-large-v3", "large-v3-turbo"]

_END = "<|endoftext|>"
_MARKS: Sequence[str] = (
    _END,
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
"""In Whisper's order (Radford et al. 2022)."""
_WINDOW = 30
"""Seconds that Whisper hears at once."""


class _Shape(NamedTuple):
    width: int
    encoder: int
    """Layers."""
    decoder: int
    heads: int
    bands: int
    """Of the mel spectrum."""
    vocabulary: int


_SHAPES: dict[Size, _Shape] = {
    "tiny": _Shape(64, 1, 1, 2, 80, 2000),
    "base.en": _Shape(512, 6, 6, 8, 80, 51_864),
    "small.en": _Shape(768, 12, 12, 12, 80, 51_864),
    "distil-large-v3": _Shape(1280, 32, 2, 20, 128, 51_866),
    "large-v3-turbo": _Shape(1280, 32, 4, 20, 128, 51_866),
}
"""The published configurations, and one that any machine makes in a second or two."""


def make(size: Size, folder: Path, seed: int = 0) -> Path:
    """A directory in `folder` that `FasterWhisper` loads, in half precision.

    The model may write nothing but words and no end, so that it always goes on for as long as the backend lets it.
    """
    torch.manual_seed(seed)
    logging.disable_progress_bar()  # they would tell of files that nobody asked for
    shape = _SHAPES[size]
    tokenizer = _tokenizer()
    end = tokenizer.token_to_id(_END)
    model = WhisperForConditionalGeneration(_configuration(shape, end))
    model.generation_config = GenerationConfig(
        alignment_heads=[[shape.decoder - 1, head] for head in range(shape.heads)],
        lang_to_id={"<|en|>": tokenizer.token_to_id("<|en|>")},
        suppress_tokens=list(range(end, shape.vocabulary)),
        begin_suppress_tokens=[end],
        eos_token_id=end,
        decoder_start_token_id=end + 1,
    )
    source = folder / "transformers"
    model.save_pretrained(source)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=_END).save_pretrained(source)
    (source / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.bands, "chunk_length": _WINDOW}))
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    )
    return Path(converter.convert(str(folder / "model"), quantization="float16"))


def _tokenizer() -> Any:
    """Bytes as tokens, and behind them the marks."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    vocabulary[""] = len(vocabulary)  # by this CTranslate2 knows a model that has marks of language and task
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(_MARKS))
    return tokenizer


def _configuration(shape: _Shape, end: int) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=shape.vocabulary,
        num_mel_bins=shape.bands,
        d_model=shape.width,
        encoder_layers=shape.encoder,
        decoder_layers=shape.decoder,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=end + 1,
    )
