"""Where the parts of Mimi's decoder are: the one thing in which supported releases of transformers differ."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class MimiParts:
    """Modules of `transformers.MimiModel` that turn codes into sound, in the order of their use."""

    quantizer: Any
    upsample: Any
    """From 12.5 to 25 Hz."""
    transformer: Any
    convolutions: Any
    """A list of layers, from 25 Hz to samples."""


def mimi_parts(codec: Any) -> MimiParts:
    """The parts of a `MimiModel`, wherever this release of transformers keeps them.

    Up to 5.17 they lie beside each other in the model, and `decoder` is the convolutions; in 5.23 `decoder` is a model
    of its own that holds all but the quantizer.
    """
    decoder = codec.decoder
    if hasattr(decoder, "decoder_seanet"):
        return MimiParts(codec.quantizer, decoder.upsample, decoder.decoder_transformer, decoder.decoder_seanet.layers)
    return MimiParts(codec.quantizer, codec.upsample, codec.decoder_transformer, decoder.layers)
