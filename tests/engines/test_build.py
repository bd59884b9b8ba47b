"""From a configuration to engines."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from client_caller.agents.demo import load_demo
from client_caller.agents.scripted import ScriptedModel
from client_caller.engines import build
from client_caller.engines.build import build_engines, build_llm, build_stt, build_tts
from client_caller.engines.csm_tts import CsmSpeech
from client_caller.engines.deepgram import Deepgram
from client_caller.engines.espeak import Espeak
from client_caller.engines.openai_llm import OpenAiModel
from client_caller.engines.openai_tts import OpenAiSpeech
from client_caller.engines.options import LlmOptions, SttOptions, TtsOptions
from client_caller.engines.pocketsphinx import PocketSphinx
from client_caller.engines.protocols import EngineError
from client_caller.engines.speech_socket import SpeechSocket


async def test_over_the_wire() -> None:
    """With a key and a model's name, the defaults are complete."""
    engines = build_engines(SttOptions(api_key=SecretStr("k")), LlmOptions(model="m"), TtsOptions())
    assert isinstance(engines.stt, Deepgram)
    assert isinstance(engines.llm, OpenAiModel)
    assert isinstance(engines.tts, OpenAiSpeech)
    await engines.close()


async def test_csm_needs_nothing_but_its_server() -> None:
    """The driver of our own speech server is made without torch, key or voice."""
    assert isinstance(build_tts(TtsOptions(engine="csm")), CsmSpeech)


async def test_embedded() -> None:
    """With a script, the embedded engines need nothing else."""
    script = load_demo()
    engines = build_engines(
        SttOptions(engine="pocketsphinx"), LlmOptions(engine="scripted"), TtsOptions(engine="espeak"), script
    )
    assert isinstance(engines.stt, PocketSphinx)
    assert isinstance(engines.llm, ScriptedModel)
    assert isinstance(engines.tts, Espeak)
    await engines.close()


def test_what_is_missing_is_named() -> None:
    """Each error says what to set."""
    with pytest.raises(EngineError, match="DEEPGRAM_API_KEY"):
        build_stt(SttOptions())
    with pytest.raises(EngineError, match="CLIENT_CALLER_LLM_MODEL"):
        build_llm(LlmOptions())
    with pytest.raises(EngineError, match=r"scripted plays a script.*\[llm\]"):
        build_llm(LlmOptions(engine="scripted"))
    with pytest.raises(EngineError, match=r"pocketsphinx plays a script.*\[stt\]"):
        build_stt(SttOptions(engine="pocketsphinx"))
    with pytest.raises(EngineError, match="base_url of tts"):
        build_tts(TtsOptions(base_url="nowhere"))
    with pytest.raises(EngineError, match="sample_rate"):
        build_tts(TtsOptions(sample_rate=9000))


@pytest.mark.parametrize(("engine", "key"), [("cartesia", "CARTESIA_API_KEY"), ("elevenlabs", "ELEVENLABS_API_KEY")])
def test_vendors_voices(engine: str, key: str) -> None:
    """A voice and a key are all that a vendor's engine needs, and each is asked for by name."""
    with pytest.raises(EngineError, match=r"No voice is named: set voice under \[tts\]"):
        build_tts(TtsOptions(engine=engine, api_key=SecretStr("k")))
    with pytest.raises(EngineError, match=key):
        build_tts(TtsOptions(engine=engine, voice="v"))
    assert isinstance(build_tts(TtsOptions(engine=engine, voice="v", api_key=SecretStr("k"))), SpeechSocket)
    assert isinstance(build_tts(TtsOptions(engine=engine, voice="v", base_url="ws://127.0.0.1:9")), SpeechSocket)


def test_a_server_of_ones_own_needs_no_key() -> None:
    """Only Deepgram's own service asks for a key."""
    assert build_stt(SttOptions(base_url="ws://127.0.0.1:9"))


async def test_realtime_has_its_own_address_and_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not chosen is not Deepgram's: the server is ours on this machine, which has but one model."""
    told: list[dict[str, object]] = []
    monkeypatch.setattr("client_caller.engines.realtime_stt.RealtimeStt", lambda **options: told.append(options))
    build_stt(SttOptions(engine="realtime"))
    build_stt(SttOptions(engine="realtime", base_url="ws://gpu:1", model="m", api_key=SecretStr("k"), language="auto"))
    assert told == [
        {"base_url": "ws://127.0.0.1:8002", "model": None, "api_key": None, "language": None},
        {"base_url": "ws://gpu:1", "model": "m", "api_key": "k", "language": "auto"},
    ]


def test_the_espeak_voice_is_its_own() -> None:
    """The default voice belongs to OpenAI; eSpeak takes only one that was chosen."""
    default, chosen = build_tts(TtsOptions(engine="espeak")), build_tts(TtsOptions(engine="espeak", voice="en-gb"))
    assert isinstance(default, Espeak)
    assert isinstance(chosen, Espeak)
    assert (default.voice, chosen.voice) == (Espeak().voice, "en-gb")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded engine that is not installed is said with the command that installs it."""
    monkeypatch.setattr(build, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install 'client-caller\[demo\]'"):
        build_tts(TtsOptions(engine="espeak"))
    with pytest.raises(EngineError, match=r"pip install 'client-caller\[demo\]'"):
        build_stt(SttOptions(engine="pocketsphinx"))


def test_only_what_is_chosen_is_imported() -> None:
    """Configuring engines over the wire loads no embedded one."""
    code = (
        "import sys; from client_caller.engines.build import *;"
        "build_llm(LlmOptions(model='m')); build_tts(TtsOptions());"
        "print([m for m in sys.modules if 'espeak' in m or 'pocketsphinx' in m or 'scripted' in m])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
