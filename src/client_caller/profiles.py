"""Whole set-ups, each behind one word: `profile = "cpu"` in the configuration.

A profile is a table of settings and nothing else. It is the lowest layer but the defaults: whatever the file, the
environment or an option says wins over it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from client_caller.models.tier import FIRST_PORT, HOST

_LLM = f"http://{HOST}:{FIRST_PORT}/v1"
_TTS = f"http://{HOST}:{FIRST_PORT + 1}/v1"
_STT = f"ws://{HOST}:{FIRST_PORT + 2}"


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings that belong together."""

    purpose: str
    values: Mapping[str, Any]
    """By setting, such as `stt.engine`."""
    own_servers: bool = False
    """Its servers are the user's: a vendor's address or key in the environment is meant for somebody else."""


PROFILES: Mapping[str, Profile] = {
    "demo": Profile(
        "a script, embedded ears and an embedded voice, for trying out",
        {"stt.engine": "pocketsphinx", "llm.engine": "scripted", "tts.engine": "espeak"},
    ),
    "cpu": Profile(
        "small models without a GPU, which serve itself starts and stops, for one call at a time",
        {
            "server.max_calls": 1,
            "stt.engine": "realtime",
            "stt.base_url": _STT,
            "llm.engine": "openai",
            "llm.base_url": _LLM,
            "llm.model": "gemma",
            "llm.first_token": 20.0,  # of a prompt that is cold, on few processors: late is better than never
            "tts.engine": "openai",
            "tts.base_url": _TTS,
            "tts.model": "pocket",
            "tts.voice": "alba",
            "tts.first_audio": 10.0,
        },
        own_servers=True,
    ),
    "gpu": Profile(
        "Whisper, Gemma on vLLM and CSM, where client-caller models up starts them, for many calls",
        {
            "stt.engine": "realtime",
            "stt.base_url": _STT,
            "llm.engine": "openai",
            "llm.base_url": _LLM,
            "llm.model": "gemma",
            "tts.engine": "csm",
            "tts.base_url": _TTS,
        },
        own_servers=True,
    ),
    "managed": Profile(
        "Deepgram, OpenAI and Cartesia, with keys from the environment",
        {
            "stt.engine": "deepgram",
            "llm.engine": "openai",
            "llm.base_url": "https://api.openai.com/v1",
            "llm.model": "gpt-4.1",
            "tts.engine": "cartesia",
            "tts.voice": "a0e99841-438c-4a64-b679-ae501e7d6091",
        },
    ),
}
"""By name. The models and the voice of vendors are examples, which could not be tried where this was written."""


def settings_of(name: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What the profile sets, beside what was `chosen` otherwise (by setting).

    An engine is chosen with all that belongs to it: of a stage whose engine is another than the profile's, the profile
    says nothing, since its address and its voice would mean nothing there. A `KeyError` where there is no such profile.
    """
    values = PROFILES[name].values
    foreign = {
        key.partition(".")[0]
        for key in values
        if key.endswith(".engine") and chosen.get(key, values[key]) != values[key]
    }
    return {key: value for key, value in values.items() if key.partition(".")[0] not in foreign}
