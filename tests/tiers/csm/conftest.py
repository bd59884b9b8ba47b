"""A CSM of real shape and tiny size, with random weights, saved and loaded as the published one is."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from client_caller.models.csm.engine import CsmEngine  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.weights import Weights, load  # noqa: E402

torch.set_num_threads(1)  # the work is tiny: more threads would only wait for each other
transformers.logging.set_verbosity_error()

CODEBOOKS = 6
VALID = 64
"""Codes of the codec; CSM's vocabulary has three more."""
WINDOW = 20
"""Tokens that Mimi's decoder looks back over: 10 frames."""


def tiny_config() -> Any:
    """CSM with its real structure: grouped heads, 6 codebooks, frames of 1,920 samples."""
    codec = {
        "model_type": "mimi",
        "hidden_size": 32,
        "num_filters": 4,
        "codebook_size": VALID,
        "codebook_dim": 16,
        "vector_quantization_hidden_dimension": 16,
        "num_quantizers": CODEBOOKS,
        "upsample_groups": 32,
        "num_hidden_layers": 2,
        "intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "sliding_window": WINDOW,
        "layer_scale_initial_scale": 0.5,
        "frame_rate": 12.5,
    }
    depth = {
        "num_codebooks": CODEBOOKS,
        "backbone_hidden_size": 64,
        "vocab_size": VALID + 3,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CODEBOOKS + 1,
        "rope_parameters": _stretched(0.001953125, 0.0078125, 16),
    }
    return transformers.CsmConfig(
        num_codebooks=CODEBOOKS,
        vocab_size=VALID + 3,
        text_vocab_size=300,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        rope_parameters=_stretched(0.125, 0.5, 1024),
        codebook_pad_token_id=VALID + 2,
        bos_token_id=256,
        pad_token_id=258,
        audio_token_id=258,
        audio_eos_token_id=259,
        depth_decoder_config=depth,
        codec_config=codec,
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


def tiny_model(seed: int = 0) -> Any:
    """Random weights, loud enough that every code depends on everything before it."""
    torch.manual_seed(seed)
    model = transformers.CsmForConditionalGeneration(tiny_config()).eval().requires_grad_(False)
    model.depth_decoder.model.embed_tokens.weight = model.backbone_model.embed_tokens.embed_audio_tokens.weight
    for name, weight in model.named_parameters():
        if "codec_model" not in name and weight.dim() > 1:
            weight.normal_(0, 0.7 if "embed" in name else 0.25)
    for name, buffer in model.codec_model.named_buffers():
        if name.endswith("embed_sum"):
            buffer.normal_()
    return model


def write_tokenizer(directory: Path) -> None:
    """Bytes as tokens, behind them the marks that CSM's own tokenizer has."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<|begin_of_text|>", "<|end_of_text|>", "<|AUDIO|>", "<|audio_eos|>"]
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.save(str(directory / "tokenizer.json"))


@pytest.fixture(scope="session")
def csm_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole directory as it is published."""
    directory = tmp_path_factory.mktemp("csm")
    tiny_model().save_pretrained(directory)
    write_tokenizer(directory)
    return directory


@pytest.fixture(scope="session")
def weights(csm_directory: Path) -> Weights:
    return load(csm_directory, device="cpu", dtype="float32")


@pytest.fixture
def engine(weights: Weights) -> CsmEngine:
    """Four slots that take the likeliest code always."""
    return CsmEngine(weights.model, slots=4, sampling=Sampling(temperature=0))


@pytest.fixture
def voice_file(tmp_path: Path) -> Path:
    """A voice of four seconds, with its consent, at a telephone's rate."""
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "ada.wav", np.random.default_rng(0).normal(0, 0.1, 4 * 8000), 8000)
    (tmp_path / "ada.toml").write_text(
        'name = "ada"\naudio = "ada.wav"\ntranscript = "So it is."\n\n'
        '[consent]\nspeaker = "Ada Example"\ngiven_on = 2026-03-01\nrecord = "drawer 3"\n'
    )
    return tmp_path / "ada.toml"
