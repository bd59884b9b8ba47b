"""A CSM with random weights: its structure and its cost without its voice. For benchmarks and tests."""

from typing import Any, Literal

import torch
import transformers

from client_caller.models.csm.weights import DType, prepared

Size = Literal["tiny", "real"]

TINY_CODEBOOKS = 6
TINY_CODES = 64
"""Of the codec; the vocabulary has three more, as CSM's has."""
TINY_WINDOW = 20
"""Tokens that the tiny decoder of Mimi looks back over: 10 frames."""

_TINY_CODEC: dict[str, Any] = {
    "model_type": "mimi",
    "hidden_size": 32,
    "num_filters": 4,
    "codebook_size": TINY_CODES,
    "codebook_dim": 16,
    "vector_quantization_hidden_dimension": 16,
    "num_quantizers": TINY_CODEBOOKS,
    "upsample_groups": 32,
    "num_hidden_layers": 2,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "sliding_window": TINY_WINDOW,
    "layer_scale_initial_scale": 0.5,
    "frame_rate": 12.5,
}
_TINY_LAYERS: dict[str, Any] = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}


def make(size: Size, *, device: str = "cpu", dtype: DType = "float32", seed: int = 0) -> Any:
    """A `CsmForConditionalGeneration` as `weights.load` gives it. Every code depends on everything before it."""
    torch.manual_seed(seed)
    with torch.device(device):
        model = transformers.CsmForConditionalGeneration(configuration(size))
        codes, both = model.backbone_model.embed_tokens.embed_audio_tokens, model.depth_decoder.model.embed_tokens
        both.weight = codes.weight
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "codec_model" not in name and weight.dim() > 1 and size == "tiny":
                    weight.normal_(0, 0.7 if "embed" in name else 0.25)
            for name, buffer in model.codec_model.named_buffers():
                if name.endswith("embed_sum"):  # zeros at first: every code would sound alike
                    buffer.normal_()
    return prepared(model, device=device, dtype=dtype)


def configuration(size: Size) -> Any:
    """CSM-1B's own, or one of the same structure with a ten-thousandth of its weights."""
    if size == "real":
        return transformers.CsmConfig(
            rope_parameters=_stretched(0.125, 0.5, 1024),
            depth_decoder_config={"rope_parameters": _stretched(0.001953125, 0.0078125, 16)},
        )
    depth = _TINY_LAYERS | {
        "num_codebooks": TINY_CODEBOOKS,
        "backbone_hidden_size": 64,
        "vocab_size": TINY_CODES + 3,
        "hidden_size": 32,
        "intermediate_size": 64,
        "max_position_embeddings": TINY_CODEBOOKS + 1,
        "rope_parameters": _stretched(0.001953125, 0.0078125, 4),
    }
    return transformers.CsmConfig(
        num_codebooks=TINY_CODEBOOKS,
        vocab_size=TINY_CODES + 3,
        text_vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        max_position_embeddings=512,
        rope_parameters=_stretched(0.125, 0.5, 256),
        codebook_pad_token_id=TINY_CODES + 2,
        bos_token_id=256,
        pad_token_id=258,
        audio_token_id=258,
        audio_eos_token_id=259,
        depth_decoder_config=depth,
        codec_config=_TINY_CODEC,
        **_TINY_LAYERS,
    )


def _stretched(low: float, high: float, length: int) -> dict[str, float | str]:
    """Frequencies of positions as the published configuration has them."""
    return {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 32.0,
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": length,
    }
