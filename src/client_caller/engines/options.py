"""Which engine does which work, and with what: the configuration of this room.

Each field's description is what `client-caller config` and the documentation say about it.
"""

from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from client_caller.engines.protocols import Stage
from client_caller.engines.registered import names_registered

BUILT_IN: dict[Stage, tuple[str, ...]] = {
    "stt": ("deepgram", "realtime", "pocketsphinx"),
    "llm": ("openai", "scripted"),
    "tts": ("openai", "csm", "cartesia", "elevenlabs", "espeak"),
}
"""The engines that come with this package."""


def _engine_of(stage: Stage) -> AfterValidator:
    """One of ours, or one that an installed package registers (docs/engines.md)."""

    def known(name: str) -> str:
        if name not in BUILT_IN[stage] and name not in (others := names_registered(stage)):
            raise ValueError(f"There is no such engine. There are: {', '.join((*BUILT_IN[stage], *others))}")
        return name

    return AfterValidator(known)


def _json_object(value: Any) -> Any:
    """Text, as from an environment variable, is JSON."""
    if not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        raise ValueError('is not JSON. It looks like {"top_k": 20}') from None


JsonObject = Annotated[dict[str, Any], BeforeValidator(_json_object)]


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class SttOptions(_Options):
    """Speech to text."""

    engine: Annotated[str, _engine_of("stt")] = Field(
        default="deepgram",
        description="deepgram: its live WebSocket; realtime: our own Whisper server, or vLLM's realtime transcription; "
        "pocketsphinx: embedded, for demonstration.",
    )
    base_url: str = Field(
        default="wss://api.deepgram.com",
        description="Where the server is; if not set, with realtime ws://127.0.0.1:8002, where our own listens.",
    )
    api_key: SecretStr | None = Field(default=None, description="Deepgram's API key, or the server's if it has one.")
    model: str = Field(
        default="nova-3", description="Deepgram's model; with realtime the model's name at the server: vLLM needs one."
    )
    language: str | None = Field(
        default=None, description="BCP 47; if not set, the agent's. With our own server auto finds it out."
    )


class LlmOptions(_Options):
    """Language model."""

    engine: Annotated[str, _engine_of("llm")] = Field(
        default="openai",
        description="openai: chat completions of any compatible server; scripted: a YAML script plays it.",
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000/v1", description="Where the server is; vLLM listens here by default."
    )
    api_key: SecretStr | None = Field(default=None, description="The server's API key, if it has one.")
    model: str | None = Field(default=None, description="The model's name at the server. Needed.")
    temperature: float | None = Field(default=None, ge=0, le=2, description="If not set, the server's.")
    max_tokens: int = Field(default=300, ge=1, description="Longest reply; 300 tokens are about 90 s of speech.")
    context_tokens: int = Field(
        default=8192,
        ge=512,
        description="What prompt and reply may take together (vLLM: --max-model-len); older turns are left out.",
    )
    extra_body: JsonObject = Field(default_factory=dict, description="Put into every request, such as vLLM's options.")
    first_token: float = Field(default=8.0, gt=0, description="Seconds that the first token may take.")
    next_token: float = Field(default=4.0, gt=0, description="Seconds between any two pieces of a reply.")


class TtsOptions(_Options):
    """Text to speech."""

    engine: Annotated[str, _engine_of("tts")] = Field(
        default="openai",
        description=(
            "openai: /v1/audio/speech of any compatible server; csm: our own server, with a memory of the call; "
            "cartesia, elevenlabs: their WebSockets; espeak: embedded, for demonstration."
        ),
    )
    base_url: str = Field(
        default="http://127.0.0.1:8001/v1", description="Where the server is; a vendor's own address if not set."
    )
    api_key: SecretStr | None = Field(default=None, description="The server's API key, if it has one.")
    model: str = Field(default="tts-1", description="The model's name at the server; if not set, the vendor's usual.")
    voice: str = Field(
        default="alloy",
        description="The voice's name at the server; with cartesia and elevenlabs its id, with espeak such as en-us.",
    )
    sample_rate: int = Field(default=24_000, ge=8_000, le=48_000, description="Samples a second of the server's PCM.")
    extra_body: JsonObject = Field(default_factory=dict, description='Put into every request, such as {"stream": true}')
    first_audio: float = Field(default=5.0, gt=0, description="Seconds that the first audio of a clause may take.")
    next_audio: float = Field(default=3.0, gt=0, description="Seconds between any two pieces of audio.")
