"""`client-caller check`, over real sockets: a set-up that works, and ten that do not, each with its remedy."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client_caller.audio import g711
from client_caller.cli.main import app
from client_caller.runtime import proof, verdict
from client_caller.simulator import tones
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply
from client_caller.simulator.doubles.openai_speech import Answer, SpeechDouble

AGENT = """
from client_caller import Agent
agent = Agent("Be kind.")
"""
NOBODYS = ("TWILIO_AUTH_TOKEN", "OPENAI_API_KEY", "DEEPGRAM_API_KEY", "OPENAI_BASE_URL", "CARTESIA_API_KEY")


def spelled(text: str) -> bytes:
    """A voice whose words the double of speech to text can read, at 8 kHz."""
    words = (tones.spell(word.strip(",.").lower(), 2000) + g711.SILENCE * 400 for word in text.split())
    return g711.decode(b"".join(words)).astype("<i2").tobytes()


class Tier:
    """The three servers, and a configuration that is right for them."""

    def __init__(self, folder: Path) -> None:
        self.stt = DeepgramDouble()
        self.llm = LlmDouble(first_token=0.02, words_per_second=200)
        self.tts = SpeechDouble(first_byte=0.02, speed=50, sample_rate=8000, voice=spelled)
        self.folder = folder
        self.settings: dict[str, str] = {}

    def set(self, **settings: str) -> None:
        self.settings |= {f"CLIENT_CALLER_{name.upper()}": value for name, value in settings.items()}

    async def check(self, *arguments: str) -> Result:
        """As a person would, while the servers run."""
        runner = CliRunner(env={**dict.fromkeys(NOBODYS, ""), "COLUMNS": "150", **self.settings})
        called = ["check", str(self.folder / "mine.py") + ":agent", "--insecure-local", *arguments]
        return await asyncio.to_thread(runner.invoke, app, called)


@pytest.fixture
async def tier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, silero_path: Path) -> AsyncIterator[Tier]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(proof, "PACE", 100.0)
    for limit in ("SLOW_FIRST_TOKEN", "SLOW_FIRST_AUDIO", "SLOW_FINISH"):
        monkeypatch.setattr(verdict, limit, 60_000.0)  # a busy machine is no fault of the set-up
    (tmp_path / "mine.py").write_text(AGENT)
    made = Tier(tmp_path)
    async with made.stt.serving() as stt, made.llm.serving() as llm, made.tts.serving() as tts:
        made.set(stt_base_url=stt, llm_base_url=llm, llm_model="m", tts_base_url=tts, tts_sample_rate="8000")
        made.set(calls_data_dir=str(tmp_path / "data"), turns_model="none")
        yield made


async def test_a_set_up_that_works(tier: Tier) -> None:
    """Every part is right, with its figures, and what the caller will wait is foretold."""
    result = await tier.check()
    assert result.exit_code == 0, result.output
    assert result.output.count("right") == 6
    for part in ("first audio", "final words", "guesses before", "first token", "tools, prefill", "word times are"):
        assert part in result.output
    found = re.search(r"agent's first: about (\d+) ms", result.output)
    assert found
    assert int(found[1]) >= 480


def wrong_key(tier: Tier) -> None:
    tier.stt.behaviours.extend([Behaviour(refuse=401)])


def nobody_there(tier: Tier) -> None:
    tier.set(llm_base_url="http://127.0.0.1:9/v1")


def wrong_model(tier: Tier) -> None:
    tier.llm.replies.extend([Reply(status=404, error={"error": {"message": "The model `m` does not exist."}})] * 9)


def no_model(tier: Tier) -> None:
    tier.settings.pop("CLIENT_CALLER_LLM_MODEL")


def no_tools(tier: Tier) -> None:
    tier.llm.replies.append(Reply(status=400, error={"error": {"message": '"auto" tool choice is off'}}))


def thinks_first(tier: Tier) -> None:
    silent = Reply(events=['{"choices":[{"delta":{},"finish_reason":"length"}]}', "[DONE]"])
    tier.llm.replies.extend([Reply("Hello")] * 5 + [silent])


def wrong_rate(tier: Tier) -> None:
    tier.set(tts_sample_rate="24000")


def a_file_for_audio(tier: Tier) -> None:
    tier.tts.answers.append(Answer(prefix=b"RIFF\x24\xb8\x01\x00WAVE"))


def silent_voice(tier: Tier) -> None:
    tier.tts._voice = lambda text: b"\0\0" * 16_000


def batches_only(tier: Tier) -> None:
    tier.stt.interim_after = 1000.0


def other_language(tier: Tier) -> None:
    tier.stt.behaviours.append(Behaviour(transcripts=["bitte fahren sie fort, die leitung war unterbrochen"]))


def no_model_file(tier: Tier) -> None:
    tier.set(models=str(tier.folder / "empty"))


def slow_voice(tier: Tier) -> None:
    tier.tts.speed = 1.2


Plant = Callable[[Tier], None]


@pytest.mark.parametrize(
    ("plant", "part", "level", "remedy"),
    [
        (wrong_key, "speech to text", "wrong", r"401.*Set a valid API key \(DEEPGRAM_API_KEY\)"),
        (nobody_there, "language model", "wrong", r"can't be reached. Is it running, and is base_url right"),
        (wrong_model, "language model", "wrong", r"404: The model `m` does not exist. Check base_url and model"),
        (no_model, "language model", "wrong", r"set model under \[llm\]"),
        (no_tools, "language model", "wrong", r"can't use tools.*--enable-auto-tool-choice"),
        (thinks_first, "language model", "wrong", r"switch that off in extra_body or raise max_tokens"),
        (wrong_rate, "text to speech", "wrong", r"too fast, .* Set sample_rate under \[tts\]"),
        (a_file_for_audio, "text to speech", "wrong", r"sent a WAV file where raw audio was asked for"),
        (silent_voice, "text to speech", "wrong", r"It is silent.*Check voice and model"),
        (slow_voice, "text to speech", "slow", r"1\.\d s of speech in a second.*faster model"),
        (batches_only, "speech to text", "slow", r"Take a model that streams"),
        (other_language, "speech to text", "wrong", r"heard other words.*Check language and model under \[stt\]"),
        (no_model_file, "model files", "wrong", r"is missing: .* run: client-caller models pull"),
    ],
)
async def test_what_is_set_up_wrongly_is_named_with_its_remedy(
    tier: Tier, plant: Plant, part: str, level: str, remedy: str
) -> None:
    """One thing is wrong: it is found at its part, all others are judged as they are, and only faults end with 1."""
    plant(tier)
    result = await tier.check()
    assert result.exit_code == (level == "wrong"), result.output
    assert re.search(rf"{part}\s*│ {level}", result.output), result.output
    assert re.search(rf"^{part}: .*{remedy}", result.output, re.MULTILINE), result.output
    others = len(re.findall("│ wrong|│ slow", result.output))
    assert others == 1, result.output


async def test_everything_at_once(tier: Tier) -> None:
    """All faults are told in one go; where no voice speaks, hearing is reached for all the same."""
    tier.set(tts_base_url="http://127.0.0.1:9/v1", llm_base_url="http://127.0.0.1:9/v1")
    result = await tier.check()
    assert result.exit_code == 1
    assert result.output.count("can't be reached") == 2
    assert "not tried" in result.output
    assert len(tier.stt.connections) == 1
    assert "No latency can be expected" in result.output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CLIENT_CALLER_TTS_VOCE", "x", "Did you mean tts.voice?"),
        ("CLIENT_CALLER_TTS_ENGINE", "openay", "There are: openai, "),
        ("CLIENT_CALLER_LLM_MAX_TOKENS", "many", "llm.max_tokens"),
    ],
)
async def test_a_configuration_that_is_none(tier: Tier, name: str, value: str, said: str) -> None:
    """It is said before anything is tried."""
    tier.settings[name] = value
    result = await tier.check()
    assert result.exit_code == 1
    assert said in result.output
    assert tier.stt.connections == []


async def test_without_a_provider(tier: Tier) -> None:
    """For real calls the edge has to be closed to strangers: what is missing for that is named."""
    tier.settings["CLIENT_CALLER_SERVER_INSECURE_LOCAL"] = "false"
    runner = CliRunner(env={**dict.fromkeys(NOBODYS, ""), "COLUMNS": "150", **tier.settings})
    result = await asyncio.to_thread(runner.invoke, app, ["check", str(tier.folder / "mine.py") + ":agent"])
    assert result.exit_code == 1
    assert "TWILIO_AUTH_TOKEN" in result.output
    called = ["check", str(tier.folder / "mine.py") + ":agent", "--public-url", "https://calls.example.com"]
    runner = CliRunner(env={**tier.settings, "TWILIO_AUTH_TOKEN": "0" * 32})
    result = await asyncio.to_thread(runner.invoke, app, called)
    assert result.exit_code == 0, result.output
