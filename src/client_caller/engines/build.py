"""From a configuration to engines. A driver, and whatever it needs, is imported only when it is chosen."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from client_caller.engines.options import BUILT_IN, LlmOptions, SttOptions, TtsOptions
from client_caller.engines.protocols import EngineError, Engines, LanguageModel, SpeechToText, Stage, TextToSpeech
from client_caller.engines.registered import load_registered

if TYPE_CHECKING:
    from client_caller.agents.script import Script


def build_engines(stt: SttOptions, llm: LlmOptions, tts: TtsOptions, script: "Script | None" = None) -> Engines:
    """The three engines of a configuration; nothing is started or connected yet.

    `script` is the one that is served, where it is one: the engines `pocketsphinx` and `scripted` need it. Raises
    `EngineError`, which says what to set or to install.
    """
    return Engines(build_stt(stt, script), build_llm(llm, script), build_tts(tts))


def build_stt(options: SttOptions, script: "Script | None" = None) -> SpeechToText:
    if options.engine not in BUILT_IN["stt"]:
        return _registered("stt", options)  # type: ignore[no-any-return]
    if options.engine == "pocketsphinx":
        _need_extra("stt", "pocketsphinx", "pocketsphinx")
        from client_caller.engines.pocketsphinx import PocketSphinx

        return PocketSphinx(_needed("stt", "pocketsphinx", script).caller_lines)
    if options.engine == "realtime":
        return _realtime(options)
    from client_caller.engines.deepgram import Deepgram

    if options.api_key is None and options.base_url == SttOptions().base_url:
        raise EngineError("stt", "Deepgram needs an API key: set DEEPGRAM_API_KEY, or api_key under [stt].")
    return Deepgram(
        api_key=_revealed(options.api_key), base_url=options.base_url, model=options.model, language=options.language
    )


def _realtime(options: SttOptions) -> SpeechToText:
    """The defaults of address and model are Deepgram's: here only chosen ones count."""
    from client_caller.engines.realtime_stt import BASE_URL, RealtimeStt

    chosen = options.model_fields_set
    return RealtimeStt(
        base_url=options.base_url if "base_url" in chosen else BASE_URL,
        model=options.model if "model" in chosen else None,
        api_key=_revealed(options.api_key),
        language=options.language,
    )


def build_llm(options: LlmOptions, script: "Script | None" = None) -> LanguageModel:
    if options.engine not in BUILT_IN["llm"]:
        return _registered("llm", options)  # type: ignore[no-any-return]
    if options.engine == "scripted":
        from client_caller.agents.scripted import ScriptedModel

        return ScriptedModel(_needed("llm", "scripted", script))
    from client_caller.engines.openai_llm import OpenAiModel

    if not options.model:
        raise EngineError("llm", "No language model is named: set model under [llm], or CLIENT_CALLER_LLM_MODEL.")
    if options.api_key is None and urlsplit(options.base_url).hostname == "api.openai.com":
        raise EngineError("llm", "OpenAI needs an API key: set OPENAI_API_KEY, or api_key under [llm].")
    return OpenAiModel(
        base_url=options.base_url,
        model=options.model,
        api_key=_revealed(options.api_key),
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        extra_body=options.extra_body,
        context_tokens=options.context_tokens,
        first_token=options.first_token,
        next_token=options.next_token,
    )


def build_tts(options: TtsOptions) -> TextToSpeech:
    if options.engine not in BUILT_IN["tts"]:
        return _registered("tts", options)  # type: ignore[no-any-return]
    if options.engine in ("cartesia", "elevenlabs"):
        return _vendor_speech(options)
    if options.engine == "csm":
        from client_caller.engines.csm_tts import CsmSpeech

        return CsmSpeech(base_url=options.base_url, first_audio=options.first_audio, next_audio=options.next_audio)
    if options.engine == "espeak":
        _need_extra("tts", "espeak", "espeakng_loader")
        from client_caller.engines.espeak import Espeak

        chosen = "voice" in options.model_fields_set
        return Espeak(options.voice) if chosen else Espeak()
    from client_caller.engines.openai_tts import OpenAiSpeech

    return OpenAiSpeech(
        base_url=options.base_url,
        model=options.model,
        voice=options.voice,
        api_key=_revealed(options.api_key),
        sample_rate=options.sample_rate,
        extra_body=options.extra_body,
        first_audio=options.first_audio,
        next_audio=options.next_audio,
    )


def _vendor_speech(options: TtsOptions) -> TextToSpeech:
    from client_caller.engines.cartesia import CartesiaWire
    from client_caller.engines.elevenlabs import ElevenLabsWire
    from client_caller.engines.speech_socket import SpeechSocket

    make = CartesiaWire if options.engine == "cartesia" else ElevenLabsWire
    chosen = options.model_fields_set
    if "voice" not in chosen:
        reason = f"No voice is named: set voice under [tts] to the id of one of {make.name}'s voices."
        raise EngineError("tts", reason)
    if options.api_key is None and "base_url" not in chosen:
        raise EngineError("tts", f"{make.name} needs an API key: set {make.key_name}, or api_key under [tts].")
    named = {name: getattr(options, name) for name in ("model", "base_url") if name in chosen}
    wire = make(api_key=_revealed(options.api_key), voice=options.voice, **named)
    return SpeechSocket(wire, first_audio=options.first_audio, next_audio=options.next_audio)


def _registered(stage: Stage, options: SttOptions | LlmOptions | TtsOptions) -> Any:
    """An engine of another package. What it raises that is no `EngineError` becomes one, without its values."""
    make = load_registered(stage, options.engine)
    try:
        return make(options)
    except EngineError:
        raise
    except Exception as error:
        reason = f"The engine {options.engine} could not be made ({type(error).__name__}). Check [{stage}]."
        raise EngineError(stage, reason) from error


def _revealed(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _need_extra(stage: Stage, engine: str, module: str) -> None:
    """Looked for, not imported: eSpeak NG belongs to its own process."""
    if find_spec(module) is None:
        raise EngineError(stage, f"The engine {engine} is not installed: pip install 'client-caller[demo]'")


def _needed(stage: Stage, engine: str, script: "Script | None") -> "Script":
    if script is None:
        raise EngineError(
            stage,
            f"The engine {engine} plays a script: serve one (a .yaml file), or set another engine under [{stage}].",
        )
    return script
