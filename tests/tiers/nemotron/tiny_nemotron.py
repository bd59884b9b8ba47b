"""A Nemotron with random weights, in a directory as it is published, which says a lot of gibberish.

Random weights of the usual size hardly tell one sound from another, and never say a blank. So they are made larger,
what all sounds have in common is taken away, and the blank is preferred as much as lets a syllable through now and
then.
"""

from itertools import product
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models
from transformers import (
    NemotronAsrStreamingConfig,
    NemotronAsrStreamingEncoderConfig,
    NemotronAsrStreamingFeatureExtractor,
    NemotronAsrStreamingForRNNT,
    NemotronAsrStreamingProcessor,
    ParakeetTokenizer,
)

MELS = 16
SYLLABLES = ["".join(letters) for letters in product("bdgkl", "aeo")]
BLANK_PREFERRED = 4.0
"""Logits."""
SPREAD = 0.3
"""Of the encoder's weights."""


def write(directory: Path) -> None:
    """Model and processor, as `save_pretrained` of transformers writes them."""
    pieces = ["<unk>", *(f"▁{syllable}" for syllable in SYLLABLES), *SYLLABLES]
    words = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    words.decoder = decoders.Metaspace()
    tokenizer = ParakeetTokenizer(tokenizer_object=words, unk_token="<unk>", pad_token="<pad>")
    tokenizer.add_tokens([AddedToken("<blank>", special=True)])
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=MELS)
    NemotronAsrStreamingProcessor(extractor, tokenizer).save_pretrained(directory)
    _model(len(tokenizer), tokenizer.pad_token_id, tokenizer.convert_tokens_to_ids("<blank>")).save_pretrained(
        directory
    )


def _model(vocabulary: int, pad: int, blank: int) -> NemotronAsrStreamingForRNNT:
    torch.manual_seed(0)
    encoder = NemotronAsrStreamingEncoderConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        subsampling_conv_channels=8,
        num_mel_bins=MELS,
        initializer_range=SPREAD,
    )
    config = NemotronAsrStreamingConfig(
        vocab_size=vocabulary,
        decoder_hidden_size=24,
        num_decoder_layers=2,
        max_symbols_per_step=3,
        pad_token_id=pad,
        blank_token_id=blank,
        encoder_config=encoder,
    )
    model = NemotronAsrStreamingForRNNT(config).eval()
    with torch.no_grad():
        model.encoder_projector.weight.normal_(0, 1.5)
        usual = model.encoder(torch.randn(1, 800, MELS) * 3 - 14, num_lookahead_tokens=0).last_hidden_state.mean((0, 1))
        model.encoder_projector.bias.copy_(-model.encoder_projector.weight @ usual)
        model.decoder.decoder_projector.weight.normal_(0, 3.0)
        model.joint.head.weight.normal_(0, 1.0)
        model.joint.head.weight[blank] = 0
        model.joint.head.bias.zero_()
        model.joint.head.bias[blank] = BLANK_PREFERRED
    model.generation_config.decoder_start_token_id = blank  # as transformers' own conversion of the weights sets it
    return model
