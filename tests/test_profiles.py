"""Profiles: each is whole, and gives way."""

import pytest
from pydantic import SecretStr

from client_caller.agents.demo import load_demo
from client_caller.engines.build import build_engines
from client_caller.engines.protocols import EngineError
from client_caller.models.tier import FIRST_PORT, HOST
from client_caller.profiles import PROFILES, settings_of
from client_caller.settings import Settings, keys, load

KEYS = {"DEEPGRAM_API_KEY": "d", "OPENAI_API_KEY": "o", "CARTESIA_API_KEY": "c"}


def profiled(name: str, **environ: str) -> Settings:
    return load(None, {"profile": name}, environ).settings


@pytest.mark.parametrize("name", PROFILES)
async def test_one_word_is_all_that_it_takes(name: str) -> None:
    """All three engines can be made from the profile, with the vendors' keys and the demonstration's script where it
    needs them; each value is one that the settings take."""
    environ = KEYS if name == "managed" else {}
    settings = profiled(name, **environ)
    await build_engines(settings.stt, settings.llm, settings.tts, load_demo() if name == "demo" else None).close()
    assert PROFILES[name].values.keys() <= set(keys())
    for stage in ("stt", "llm", "tts"):
        assert f"{stage}.engine" in PROFILES[name].values


@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_key_is_named(missing: str) -> None:
    """The managed profile without one of its keys says which."""
    settings = profiled("managed", **{name: key for name, key in KEYS.items() if name != missing})
    with pytest.raises(EngineError, match=missing):
        build_engines(settings.stt, settings.llm, settings.tts)


def test_another_engine_takes_nothing_from_the_profile() -> None:
    """Whoever chooses a stage's engine chooses all of that stage: neither an address nor a voice of another is left."""
    assert not any(key.startswith("tts.") for key in settings_of("cpu", {"tts.engine": "espeak"}))
    assert settings_of("cpu", {"tts.engine": "openai"}) == PROFILES["cpu"].values
    settings = profiled("managed", CLIENT_CALLER_TTS_ENGINE="elevenlabs", ELEVENLABS_API_KEY="e", **KEYS)
    assert settings.tts.api_key == SecretStr("e")
    assert settings.tts.model_fields_set == {"engine", "api_key"}
    assert settings.stt.engine == "deepgram"


def test_servers_are_where_models_up_puts_them() -> None:
    """Both profiles of one's own servers find them at the ports that the servers listen at by default."""
    for name in ("cpu", "gpu"):
        settings = profiled(name)
        assert settings.llm.base_url == f"http://{HOST}:{FIRST_PORT}/v1"
        assert settings.tts.base_url == f"http://{HOST}:{FIRST_PORT + 1}/v1"
        assert settings.stt.base_url == f"ws://{HOST}:{FIRST_PORT + 2}"
