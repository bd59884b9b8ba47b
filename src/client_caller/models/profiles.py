"""The models that plans know: what they weigh and how much work they are.

Sizes are of the published weights, loaded. Which of a model's forms is served follows from the GPU: FP8 where it has
the arithmetic and the room, else INT4.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Weights:
    """One published form of a language model."""

    source: str
    """Its name on the model hub; a local folder takes its place by option."""
    form: Literal["int4", "fp8", "bf16"]
    gigabytes: float
    read: float
    """Gigabytes that a token has to read. Of a mixture of experts: such that the time comes out as published."""


@dataclass(frozen=True, slots=True)
class Llm:
    name: str
    billions: float
    """Parameters that a token passes through."""
    kv: float
    """Gigabytes of keys and values for a call of 8,192 tokens."""
    tool_parser: str
    """vLLM's."""
    template: str | None
    """The chat template that the tool parser needs, in vLLM's repository; None: the model's own."""
    forms: tuple[Weights, ...]
    """In the order in which they are preferred."""


@dataclass(frozen=True, slots=True)
class Stt:
    name: str
    gigabytes: float
    """Of weights."""
    decode: float
    """Milliseconds of an A100 for a transcript, batched over calls."""


GEMMA_3_27B = Llm(
    "gemma-3-27b",
    billions=27.0,
    kv=1.11,
    tool_parser="pythonic",
    template="examples/tool_chat_template_gemma3_pythonic.jinja",
    forms=(
        Weights("BCCard/gemma-3-27b-it-FP8-Dynamic", "fp8", 28.5, 28.5),
        Weights("gaunernst/gemma-3-27b-it-qat-compressed-tensors", "int4", 17.5, 17.5),
    ),
)
GEMMA_4_26B = Llm(
    "gemma-4-26b-a4b",
    billions=4.0,
    kv=1.11,
    tool_parser="gemma4",
    template=None,
    forms=(Weights("SilentEight/gemma-4-26B-A4B-it-FP8-Dynamic", "fp8", 27.0, 10.5),),
)
LLMS = {llm.name: llm for llm in (GEMMA_3_27B, GEMMA_4_26B)}

STTS = {
    stt.name: stt
    for stt in (
        Stt("large-v3-turbo", gigabytes=1.6, decode=35.0),
        Stt("small.en", gigabytes=0.5, decode=9.0),
        Stt("nemotron", gigabytes=1.2, decode=1.8),
    )
}
