"""The servers of the profile `cpu`. They are run for real in tests/tiers/test_cpu_profile.py."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from client_caller.models.cpu_tier import STAGES, cpu_tier
from client_caller.models.weights import CPU, WHISPER, WeightsMissing
from client_caller.settings import load


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files, by name."""
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path))
    for one in CPU:
        for path in one.missing:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


@pytest.mark.usefixtures("weights")
def test_they_are_where_the_profile_looks_for_them() -> None:
    """Each answers about its health at the address that the profile has for its stage, and listens there only."""
    settings = load(None, {"profile": "cpu"}, {}).settings
    addresses = {"stt": settings.stt.base_url, "llm": settings.llm.base_url, "tts": settings.tts.base_url}
    for server in cpu_tier(STAGES, "client-caller"):
        expected = urlsplit(addresses[server.name])
        assert urlsplit(server.health).netloc == expected.netloc
        options = dict(zip(server.command, server.command[1:], strict=False))
        assert f"{options['--host']}:{options['--port']}" == expected.netloc


@pytest.mark.usefixtures("weights")
def test_only_those_that_are_asked_for() -> None:
    """Weights are needed of no other, and one that is there in part counts as missing."""
    (WHISPER.folder / "model.bin").unlink()
    assert [server.name for server in cpu_tier(["llm", "tts"], "client-caller")] == ["tts", "llm"]
    with pytest.raises(WeightsMissing, match=r"needs whisper-base.en, and not all of it is in"):
        cpu_tier(STAGES, "client-caller")
