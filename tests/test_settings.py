"""Settings: which value is in force, where it comes from, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from client_caller.settings import InForce, SettingsError, keys, load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file(folder: Path, text: str) -> Path:
    path = folder / "client-caller.toml"
    path.write_text(text)
    return path


def loaded(overrides: dict[str, Any] | None = None, /, **environ: str) -> InForce:
    return load(None, overrides, environ)


def test_nothing_set() -> None:
    """Without any configuration the defaults hold, and nothing claims to have set them."""
    in_force = loaded()
    assert in_force.origins == {}
    assert in_force.settings.server.host == "127.0.0.1"
    assert in_force.settings.calls.recording == "off"
    assert in_force.settings.twilio.auth_token is None


def test_the_order(folder: Path) -> None:
    """An option beats a variable of ours, that beats a standard variable, that beats the file, that beats a default."""
    file(folder, '[llm]\nmodel = "file"\nbase_url = "http://file"\n')
    environ = {"OPENAI_BASE_URL": "http://standard"}
    assert str(loaded().settings.llm.base_url) == "http://file"
    assert loaded(**environ).settings.llm.base_url == "http://standard"
    environ["CLIENT_CALLER_LLM_BASE_URL"] = "http://ours"
    assert loaded(**environ).settings.llm.base_url == "http://ours"
    assert loaded(**environ).settings.tts.base_url == "http://standard"
    in_force = loaded({"llm.base_url": "http://option", "server.host": None}, **environ)
    assert in_force.settings.llm.base_url == "http://option"
    assert in_force.settings.llm.model == "file"
    assert in_force.origins == {
        "llm.model": "client-caller.toml:2",
        "llm.base_url": "option --base-url",
        "tts.base_url": "environment variable OPENAI_BASE_URL",
    }


def test_standard_variables() -> None:
    """The names that people already have in their environment are enough."""
    settings = loaded(
        OPENAI_API_KEY="o", DEEPGRAM_API_KEY="d", TWILIO_ACCOUNT_SID="AC1", TWILIO_AUTH_TOKEN="t"
    ).settings
    secrets = (settings.llm.api_key, settings.tts.api_key, settings.stt.api_key, settings.twilio.auth_token)
    assert [secret.get_secret_value() for secret in secrets if secret] == ["o", "o", "d", "t"]
    assert settings.twilio.account_sid == "AC1"


def test_a_vendors_variables_are_for_its_engine(folder: Path) -> None:
    """A key for one vendor is never sent to another, whoever chose the engine."""
    environ = {"OPENAI_API_KEY": "o", "OPENAI_BASE_URL": "http://o", "CARTESIA_API_KEY": "c", "ELEVENLABS_API_KEY": "e"}

    def key(**more: str) -> str:
        options = loaded(**environ, **more).settings.tts
        assert ("base_url" in options.model_fields_set) == (options.engine == "openai")
        assert options.api_key is not None
        return options.api_key.get_secret_value()

    assert key() == "o"
    assert key(CLIENT_CALLER_TTS_ENGINE="cartesia") == "c"
    file(folder, '[tts]\nengine = "elevenlabs"\n')
    assert key() == "e"
    assert key(CLIENT_CALLER_TTS_API_KEY="mine") == "mine"


def test_a_profile_sets_what_nothing_else_sets(folder: Path) -> None:
    """One word in file, environment or option sets a whole stage; any setting of one's own wins over it."""
    file(folder, 'profile = "gpu"\n[llm]\nmodel = "mine"\n')
    in_force = loaded(CLIENT_CALLER_STT_LANGUAGE="de")
    assert in_force.settings.tts.engine == "csm"
    assert in_force.settings.llm.model == "mine"
    assert in_force.origins["profile"] == "client-caller.toml:1"
    assert in_force.origins["llm.model"] == "client-caller.toml:3"
    assert in_force.origins["tts.engine"] == "profile gpu"
    assert "server.port" not in in_force.origins
    assert loaded(CLIENT_CALLER_PROFILE="demo").settings.tts.engine == "espeak"
    in_force = loaded({"profile": "managed"}, CLIENT_CALLER_PROFILE="demo")
    assert (in_force.settings.profile, in_force.origins["profile"]) == ("managed", "option --profile")


def test_what_was_said_on_a_users_own_machines_stays_there() -> None:
    """A vendor's address or key in the environment is not used where the profile names a server of one's own, unless
    the user moves that stage elsewhere; a profile of vendors takes them."""
    environ = {"OPENAI_BASE_URL": "http://vendor/v1", "OPENAI_API_KEY": "o", "DEEPGRAM_API_KEY": "d"}
    for name in ("cpu", "gpu"):
        settings = loaded({"profile": name}, **environ).settings
        assert settings.llm.base_url == "http://127.0.0.1:8000/v1"
        assert (settings.llm.api_key, settings.tts.api_key, settings.stt.api_key) == (None, None, None)
        settings = loaded({"profile": name}, CLIENT_CALLER_LLM_BASE_URL="http://mine/v1", **environ).settings
        assert settings.llm.base_url == "http://mine/v1"
        assert settings.llm.api_key is not None
    settings = loaded({"profile": "managed"}, **environ).settings
    assert settings.llm.base_url == "http://vendor/v1"
    assert settings.stt.api_key is not None
    assert settings.tts.api_key is None, "the voice is Cartesia's"


def test_secrets_are_never_shown() -> None:
    """Neither printing the settings nor an error tells a secret."""
    assert "hush" not in repr(loaded(OPENAI_API_KEY="hush", CLIENT_CALLER_CALLS_DATABASE_URL="postgresql://a:hush@b"))
    with pytest.raises(SettingsError) as caught:
        loaded(CLIENT_CALLER_SERVER_PORT="hush")
    assert "hush" not in str(caught.value)


def test_values_from_the_environment_are_typed() -> None:
    """Numbers, truth and JSON are read from text; an empty variable is not set."""
    settings = loaded(
        CLIENT_CALLER_SERVER_PORT="9000",
        CLIENT_CALLER_SERVER_INSECURE_LOCAL="true",
        CLIENT_CALLER_LLM_EXTRA_BODY='{"top_k": 20}',
        CLIENT_CALLER_LLM_MODEL="",
    ).settings
    assert (settings.server.port, settings.server.insecure_local) == (9000, True)
    assert settings.llm.extra_body == {"top_k": 20}
    assert settings.llm.model is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[llm]\nmodle = "x"', "There is no setting llm.modle (client-caller.toml:2). Did you mean llm.model?"),
        ('[lmm]\nmodel = "x"', "There is no setting lmm (client-caller.toml:2). Did you mean [llm]?"),
        ('[server]\nvoice = "x"', "There is no setting server.voice (client-caller.toml:2). Did you mean tts.voice?"),
        ("port = 1", "There is no setting port (client-caller.toml:1). Did you mean server.port?"),
        ("[calls]\nqqqq = 1", "[calls] has data_dir, database_url, recording."),
        ("[qqqq]\nwww = 1", "The sections are server, twilio, stt, llm, tts, turns, calls."),
        ('profil = "cpu"', "There is no setting profil (client-caller.toml:1). Did you mean profile?"),
        ('profile = "laptop"', "profile (client-caller.toml:1): there is no such profile. There are demo, cpu, gpu,"),
        ("[server]\n# a comment\nport = 70000", "server.port (client-caller.toml:3): Input should be less than"),
        ('server.port = "x"', "server.port (client-caller.toml:1): Input should be a valid integer"),
        ("[llm]\n[llm.extra_bod]\nx = 1", "llm.extra_bod (client-caller.toml:2). Did you mean llm.extra_body?"),
        ('llm = {modle = "x"}', "There is no setting llm.modle (client-caller.toml). Did you mean llm.model?"),
        ('[llm]\nextra_body = "["', "llm.extra_body (client-caller.toml:2): is not JSON"),
        ("[llm", "client-caller.toml is not TOML"),
    ],
)
def test_mistakes_in_the_file(folder: Path, text: str, said: str) -> None:
    """Each mistake is named with its line and the nearest setting that exists."""
    file(folder, text)
    with pytest.raises(SettingsError) as caught:
        loaded()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CLIENT_CALLER_LLM_MODLE", "variable CLIENT_CALLER_LLM_MODLE). Did you mean llm.model?"),
        ("CLIENT_CALLER_SEVER_PORT", "variable CLIENT_CALLER_SEVER_PORT). Did you mean [server]?"),
        ("CLIENT_CALLER_PROFILES", "variable CLIENT_CALLER_PROFILES). Did you mean profile?"),
        ("CLIENT_CALLER_PORT", "variable CLIENT_CALLER_PORT). Did you mean server.port?"),
        (
            "CLIENT_CALLER_LLM_FIRST_TOKEN",
            "llm.first_token (environment variable CLIENT_CALLER_LLM_FIRST_TOKEN): Input",
        ),
    ],
)
def test_mistakes_in_the_environment(name: str, said: str) -> None:
    """A variable of ours that sets nothing is a mistake, not a stranger."""
    with pytest.raises(SettingsError) as caught:
        load(environ={name: "x"})
    assert said in str(caught.value)


def test_every_mistake_at_once(folder: Path) -> None:
    """All that is wrong is said in one go, a line each."""
    file(folder, '[server]\nport = -1\nhots = "x"\n')
    with pytest.raises(SettingsError) as caught:
        loaded()
    assert len(str(caught.value).splitlines()) == 2


def test_variables_of_others_are_left_alone() -> None:
    """The model cache's variable, and everybody else's, set nothing here."""
    assert loaded(CLIENT_CALLER_MODELS="/x", PATH="/bin").origins == {}


def test_a_named_file_must_be_there(folder: Path) -> None:
    """`--config` names a file that counts, and that has to exist and to be text."""
    other = folder / "other.toml"
    with pytest.raises(SettingsError, match="There is no file"):
        load(other, environ={})
    other.write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="can't be read"):
        load(other, environ={})
    other.write_text("[server]\nport = 1234\n")
    assert load(other, environ={}).settings.server.port == 1234


def test_where_calls_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The user's data folder as XDG has it; a relative XDG_DATA_HOME does not count."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert loaded().settings.calls.data_dir == tmp_path / "client-caller"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert loaded().settings.calls.data_dir == tmp_path / ".local" / "share" / "client-caller"


def test_every_setting_is_explained() -> None:
    """Each has a description: what `config` and the documentation say of it."""
    sections = loaded().settings
    for key in keys():
        section, _, name = key.rpartition(".")
        options = getattr(sections, section) if section else sections
        assert type(options).model_fields[name].description, key
