"""`client-caller config`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client_caller.cli.main import app
from client_caller.settings import keys


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    environ = {"COLUMNS": "200", "DEEPGRAM_API_KEY": "hush", "CLIENT_CALLER_LLM_BASE_URL": "http://me:hush@host/v1"}
    return CliRunner(env=environ)


def test_every_setting_its_value_and_its_origin(cli: CliRunner, tmp_path: Path) -> None:
    """All settings are listed, once each, with what set them; secrets only as set or not set."""
    (tmp_path / "client-caller.toml").write_text("[server]\nport = 9000\n")
    result = cli.invoke(app, ["config", "--json"])
    rows = json.loads(result.output)
    assert list(rows) == keys()
    assert rows["server.port"] == {"value": 9000, "from": "client-caller.toml:2"}
    assert rows["stt.api_key"] == {"value": "set", "from": "environment variable DEEPGRAM_API_KEY"}
    assert rows["twilio.auth_token"] == {"value": "not set", "from": "default"}
    assert rows["llm.base_url"]["value"] == "http://***@host/v1"
    assert rows["llm.model"] == {"value": None, "from": "default"}
    table = cli.invoke(app, ["config"]).output
    assert all(key in table for key in keys())
    assert "hush" not in result.output + table


def test_what_a_profile_sets(cli: CliRunner) -> None:
    """Chosen on the command line, a profile shows what it would set, and what wins over it."""
    rows = json.loads(cli.invoke(app, ["config", "--profile", "cpu", "--json"]).output)
    assert rows["profile"] == {"value": "cpu", "from": "option --profile"}
    assert rows["stt.base_url"] == {"value": "ws://127.0.0.1:8002", "from": "profile cpu"}
    assert rows["llm.base_url"] == {
        "value": "http://***@host/v1",
        "from": "environment variable CLIENT_CALLER_LLM_BASE_URL",
    }
    assert rows["server.port"]["from"] == "default"
    assert cli.invoke(app, ["config", "--profile", "laptop"]).exit_code == 1


def test_a_mistake_is_told(cli: CliRunner, tmp_path: Path) -> None:
    """A wrong file ends the command with its reason and exit code 1."""
    other = tmp_path / "other.toml"
    other.write_text("[server]\nprot = 1\n")
    result = cli.invoke(app, ["config", "--config", str(other)])
    assert result.exit_code == 1
    assert "Did you mean server.port?" in result.output
