"""Every setting: its name, its default, and where the value in force comes from.

Highest first: options on the command line, environment variables (`CLIENT_CALLER_<SECTION>_<KEY>`, then the standard
names that other tools use too), one `client-caller.toml`, the profile that any of these names (`profiles`), defaults.
Nothing is passed over in silence: a key or variable that does not exist is an error, which names the nearest one that
does.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from client_caller.engines.options import LlmOptions, SttOptions, TtsOptions
from client_caller.profiles import PROFILES, settings_of

FILE = "client-caller.toml"
PREFIX = "CLIENT_CALLER_"
STANDARD_NAMES = {
    "OPENAI_BASE_URL": ("llm.base_url", "tts.base_url"),
    "OPENAI_API_KEY": ("llm.api_key", "tts.api_key"),
    "DEEPGRAM_API_KEY": ("stt.api_key",),
    "CARTESIA_API_KEY": ("tts.api_key",),
    "ELEVENLABS_API_KEY": ("tts.api_key",),
    "TWILIO_ACCOUNT_SID": ("twilio.account_sid",),
    "TWILIO_AUTH_TOKEN": ("twilio.auth_token",),
}
"""What each of the usual environment variables sets: of `stt`, `llm` and `tts`, only where the engine is the one named
in the variable, and where the profile does not name a server of the user's own. A key for OpenAI is not one for
Cartesia."""
_ELSEWHERE = {"CLIENT_CALLER_MODELS"}
"""Our variables that are no settings: the cache of model files (`models.cache`) belongs to the user, not a server."""


class SettingsError(Exception):
    """The configuration is not usable. `str(error)` has one line for each thing to put right, and no values."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Server(_Section):
    """The HTTP and WebSocket edge."""

    host: str = Field(default="127.0.0.1", description="Address to listen at; a tunnel on this machine needs no other.")
    port: int = Field(default=8080, ge=0, le=65535, description="Port to listen at; 0 takes any free one.")
    public_url: str | None = Field(default=None, description="The https address at which Twilio reaches this server.")
    insecure_local: bool = Field(default=False, description="Serve without signatures, on loopback only.")
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token of /metrics; without one it is closed."
    )
    max_calls: int = Field(default=50, ge=1, description="Calls at once; one more is told that the line is busy.")


class Twilio(_Section):
    """The telephone provider's account."""

    account_sid: str | None = Field(default=None, description="Account SID, from the Twilio console.")
    auth_token: SecretStr | None = Field(default=None, description="Auth Token: Twilio's requests are signed with it.")


def _data_dir() -> Path:
    """Where the XDG base directory specification puts a user's data; a relative XDG_DATA_HOME does not count."""
    home = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".local" / "share") / "client-caller"


class Calls(_Section):
    """What remains of calls."""

    data_dir: Path = Field(default_factory=_data_dir, description="Folder of recordings, transcripts and journals.")
    database_url: SecretStr | None = Field(default=None, description="SQLAlchemy URL; if not set, SQLite in data_dir.")
    recording: Literal["off", "announce", "on"] = Field(
        default="off",
        description="announce: speak a notice, and record once it was heard. on: record from the first moment.",
    )


class Turns(_Section):
    """How the end of a caller's turn is recognised."""

    model: Literal["smart-turn", "none"] = Field(
        default="smart-turn",
        description="smart-turn: listens to the voice too, about 60 ms of CPU a pause. none: words and silence.",
    )


class Settings(_Section):
    """The whole configuration."""

    profile: str | None = Field(
        default=None, description="A whole set-up behind one word: demo, cpu, gpu or managed. All else wins over it."
    )
    server: Server = Server()
    twilio: Twilio = Twilio()
    stt: SttOptions = SttOptions()
    llm: LlmOptions = LlmOptions()
    tts: TtsOptions = TtsOptions()
    turns: Turns = Turns()
    calls: Calls = Field(default_factory=lambda: Calls())


@dataclass(frozen=True, slots=True)
class InForce:
    """The settings, and for each that is not the default (`section.key`) what set it, in words."""

    settings: Settings
    origins: Mapping[str, str]


def load(
    config: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> InForce:
    """Read everything and check it.

    `config` names the file; if None, `client-caller.toml` in the working directory counts, if there is one. `overrides`
    are options of the command line by setting (`server.port`); None is an option not given. Raises `SettingsError`.
    """
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    variables = os.environ if environ is None else environ
    options: _Layer = {
        key: (value, f"option --{key.rpartition('.')[2].replace('_', '-')}") for key, value in given.items()
    }
    file, ours = _file_layer(config), _our_variables(variables)
    chosen = file | ours | options
    profile = _profile_layer(chosen)
    values = profile | file | _standard_variables(variables, profile, chosen) | ours | options
    nested: dict[str, Any] = {}
    for key, (value, origin) in values.items():
        section, _, name = key.partition(".")
        if key == "profile":
            nested[key] = value
            continue
        if not name:
            raise SettingsError(f"There is no setting {key} ({origin}).{_suggestion(key)}")
        nested.setdefault(section, {})[name] = value
    origins = {key: origin for key, (_, origin) in values.items()}
    try:
        return InForce(Settings.model_validate(nested), origins)
    except ValidationError as error:
        raise SettingsError("\n".join(_problems(error, origins))) from None


def keys() -> list[str]:
    """Every setting's name, such as `server.port`; `profile` is the one that is in no section."""
    return ["profile", *(f"{section}.{name}" for section, fields in _sections().items() for name in fields)]


def _sections() -> dict[str, list[str]]:
    return {
        section: list(field.annotation.model_fields)
        for section, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


_Layer = dict[str, tuple[Any, str]]
"""By setting: its value, and where it comes from."""


def _file_layer(config: Path | None) -> _Layer:
    path = config or Path(FILE)
    try:
        text = path.read_text(encoding="utf-8")
        read = tomllib.loads(text)
    except FileNotFoundError:
        if config is None:
            return {}
        raise SettingsError(f"There is no file {path}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} can't be read: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    layer: _Layer = {}
    for section, content in read.items():
        if not isinstance(content, dict):
            layer[section] = (content, _place(path, text, section, None))
            continue
        for name, value in content.items():
            layer[f"{section}.{name}"] = (value, _place(path, text, section, name))
    return layer


def _place(path: Path, text: str, section: str, name: str | None) -> str:
    """`file:line`, or the file where the line is written in an unusual way."""
    here = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.\s\"'-]+?)\s*\]", line):
            here = header[1]
            if name and here == f"{section}.{name}":
                return f"{path}:{number}"
        elif assigned := re.match(r"\s*([\w.-]+)\s*=", line):
            dotted = f"{here}.{assigned[1]}" if here else assigned[1]
            if dotted == (f"{section}.{name}" if name else section):
                return f"{path}:{number}"
    return str(path)


def _our_variables(environ: Mapping[str, str]) -> _Layer:
    """An empty variable counts as not set."""
    layer: _Layer = {}
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in _ELSEWHERE and value:
            key = name.removeprefix(PREFIX).lower().replace("_", ".", 1)
            layer[key] = (value, f"environment variable {name}")
    return layer


def _profile_layer(chosen: _Layer) -> _Layer:
    """What the chosen profile sets. Raises `SettingsError` where there is no such profile."""
    if "profile" not in chosen:
        return {}
    name, origin = chosen["profile"]
    if name not in PROFILES:
        raise SettingsError(f"profile ({origin}): there is no such profile. There are {', '.join(PROFILES)}.")
    values = settings_of(name, {key: value for key, (value, _) in chosen.items()})
    return {key: (value, f"profile {name}") for key, value in values.items()}


def _standard_variables(environ: Mapping[str, str], profile: _Layer, chosen: _Layer) -> _Layer:
    """Those that are set, as far as they concern the engines that are chosen and the servers they are asked at."""
    own_servers = bool(profile) and PROFILES[chosen["profile"][0]].own_servers
    layer: _Layer = {}
    for name, set_keys in STANDARD_NAMES.items():
        for key in set_keys if environ.get(name) else ():
            section = key.partition(".")[0]
            if own_servers and f"{section}.base_url" in profile.keys() - chosen.keys():
                continue
            default = getattr(Settings.model_fields[section].default, "engine", None)
            engine, _ = (profile | chosen).get(f"{section}.engine", (default, ""))
            if engine is None or name.startswith(f"{engine}_".upper()):
                layer[key] = (environ[name], f"environment variable {name}")
    return layer


def _problems(error: ValidationError, origins: Mapping[str, str]) -> list[str]:
    """One line for each, without the value: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        section = str(problem["loc"][0])
        key = ".".join(str(part) for part in problem["loc"][:2])
        origin = origins.get(key) or next(o for k, o in origins.items() if k.startswith(f"{section}."))
        where = f" ({origin})"
        if problem["type"] == "extra_forbidden":
            lines.append(f"There is no setting {key}{where}.{_suggestion(key)}")
        else:
            lines.append(f"{key}{where}: {problem['msg'].removeprefix('Value error, ')}.")
    return lines


def _suggestion(key: str) -> str:
    """The nearest setting: of the same section, of the same name elsewhere, or of a section of a like name."""
    section, _, name = key.partition(".")
    siblings = [each.partition(".")[2] for each in keys() if each.startswith(f"{section}.")]
    namesakes = [each for each in keys() if each.endswith(f".{name or section}")]
    if near := difflib.get_close_matches(name, siblings, n=1):
        return f" Did you mean {section}.{near[0]}?"
    if namesakes:
        return f" Did you mean {namesakes[0]}?"
    if siblings:
        return f" [{section}] has {', '.join(siblings)}."
    if not name and difflib.get_close_matches(section, ["profile"]):
        return " Did you mean profile?"
    near = difflib.get_close_matches(section, _sections(), n=1)
    return f" Did you mean [{near[0]}]?" if near else f" The sections are {', '.join(_sections())}."
