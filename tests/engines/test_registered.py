"""Engines of other packages: a distribution as an installer leaves it, on the path."""

import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from client_caller.engines.build import build_engines, build_llm, build_stt, build_tts
from client_caller.engines.options import LlmOptions, SttOptions, TtsOptions
from client_caller.engines.protocols import CallContext, EngineError
from client_caller.settings import SettingsError, load

MODULE = """
from client_caller.engines.protocols import EngineError, Speech


class Voice:
    def __init__(self, options):
        self.options = options

    async def speak(self, context, text):
        yield Speech(b"\\x00" * 160)

    async def close(self):
        pass


def refuse(options):
    raise EngineError("tts", "No.")


def fail(options):
    raise KeyError("hush")


not_a_function = 3
"""
POINTS = """[client_caller.engines]
stt.acme = acme_voice:Voice
llm.acme = acme_voice:Voice
tts.acme = acme_voice:Voice
tts.absent = acme_voice:Absent
tts.nothing = acme_voice:not_a_function
tts.refusing = acme_voice:refuse
tts.failing = acme_voice:fail
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`acme-voice` 1.0, installed."""
    (tmp_path / "acme_voice.py").write_text(MODULE)
    info = tmp_path / "acme_voice-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-voice\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_voice", raising=False)


async def test_it_is_made_from_the_options_of_its_stage() -> None:
    """Every stage takes one, by its name alone, and it gets all that is configured."""
    stt, llm = SttOptions(engine="acme"), LlmOptions(engine="acme")
    tts = TtsOptions(engine="acme", voice="x", api_key=SecretStr("k"), extra_body={"pitch": 2})
    engines = build_engines(stt, llm, tts)
    assert engines.tts.options is tts  # type: ignore[attr-defined]
    assert [len(speech.mulaw) async for speech in engines.tts.speak(CallContext("c"), "Hi")] == [160]
    assert build_stt(stt).options is stt  # type: ignore[attr-defined]
    assert build_llm(llm).options is llm  # type: ignore[attr-defined]
    await engines.close()


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """Ours and those that are installed; of other stages none."""
    with pytest.raises(ValidationError, match=r"There are: openai, .*cartesia, .*espeak.*, absent, acme, failing"):
        TtsOptions(engine="acne")
    config = tmp_path / "c.toml"
    config.write_text('[stt]\nengine = "failing"\n')
    with pytest.raises(SettingsError, match=r"stt.engine \(.*c.toml:2\): There is no such engine.*, acme\."):
        load(config, environ={})


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("absent", "engine absent of acme-voice can't be loaded"),
        ("nothing", "registered as acme_voice:not_a_function, which is no function"),
        ("refusing", r"^No\.$"),
        ("failing", r"could not be made \(KeyError\). Check \[tts\]"),
    ],
)
def test_what_goes_wrong_in_it_is_an_engine_error(engine: str, said: str) -> None:
    """It names the engine and the package, and shows no value."""
    with pytest.raises(EngineError, match=said) as caught:
        build_tts(TtsOptions(engine=engine))
    assert "hush" not in str(caught.value)
