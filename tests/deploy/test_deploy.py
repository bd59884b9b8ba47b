"""deploy/: what it starts is what there is, with the bounds of the plan. Parsed, not built: there is no Docker here."""

import json
import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from client_caller.cli.main import app
from client_caller.models.gpus import GPUS
from client_caller.models.plan import make_plan
from client_caller.models.profiles import GEMMA_3_27B, STTS
from client_caller.models.tier import Programs, tier
from client_caller.models.vllm import Serving
from client_caller.settings import load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
IMAGES = sorted(DEPLOY.glob("*.Dockerfile"))


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Each instruction and what it says, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", dockerfile.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def entry(dockerfile: Path) -> list[str]:
    found: list[str] = json.loads(dict(instructions(dockerfile))["ENTRYPOINT"])
    return found


def assert_ours(command: list[str]) -> None:
    """Every word of it up to the first option is a command of ours, and every option is one of that command's."""
    assert command[0] == "client-caller"
    here = typer.main.get_command(app)
    rest = command[1:]
    while rest and hasattr(here, "commands"):
        assert rest[0] in here.commands, f"there is no {' '.join(command)}"
        here = here.commands[rest.pop(0)]
    known = {option for parameter in here.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("dockerfile", IMAGES, ids=lambda path: path.name)
def test_an_image_is_made_of_what_there_is(dockerfile: Path) -> None:
    """Its files exist and reach Docker, its extras are ours, its commands too; it runs as nobody and can be asked."""
    steps = instructions(dockerfile)
    kinds = [kind for kind, _ in steps]
    assert {"HEALTHCHECK", "USER", "EXPOSE", "ENTRYPOINT", "CMD"} <= set(kinds)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for kind, said in steps:
        if kind == "COPY":
            for source in said.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in ignored
    extras = set(re.findall(r"\.\[(\w+)\]", dockerfile.read_text()))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extras <= set(project["optional-dependencies"])
    for kind, said in steps:
        if kind == "RUN" and said.startswith("client-caller"):
            assert_ours(shlex.split(said))
    assert_ours(entry(dockerfile) + json.loads(dict(steps)["CMD"]))


@pytest.mark.parametrize("name", ["voice", "hearing", "calls"])
def test_a_service_of_ours_starts_a_command_of_ours(name: str) -> None:
    """In its image, with its options."""
    service = SERVICES[name]
    dockerfile = ROOT / service["build"]["dockerfile"]
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert_ours([*entry(dockerfile), *map(str, service["command"])])


def test_the_model_tier_has_the_bounds_of_the_plan() -> None:
    """The three are what `models up` would run on an A100 with 80 GB, but for their addresses and folders."""
    plan = make_plan(GPUS["a100-80"], GEMMA_3_27B, STTS["large-v3-turbo"])
    template = Path("/models/tool_chat_template_gemma3_pythonic.jinja")
    serving = Serving(plan, host="0.0.0.0", template=template)
    voice, hearing, _ = tier(plan, Programs(), Path("/models/csm-1b"), Path("/models/voice.toml"), serving)

    def options(words: list[Any]) -> dict[str, str]:
        return dict(zip(map(str, words[::2]), map(str, words[1::2]), strict=True)) | {"--host": "anywhere"}

    assert options(SERVICES["voice"]["command"]) == options(list(voice.command[4:]))
    assert options(SERVICES["hearing"]["command"]) == options(list(hearing.command[4:]))
    assert hearing.environ.items() <= SERVICES["hearing"]["environment"].items()
    assert [*SERVICES["thinking"]["entrypoint"], *SERVICES["thinking"]["command"]] == serving.command()
    assert int(SERVICES["calls"]["environment"]["CLIENT_CALLER_SERVER_MAX_CALLS"]) == plan.calls


def test_one_after_another_and_none_in_the_open() -> None:
    """Voice, hearing, thinking, calls: each waits for the health of the one before; only calls have a port."""
    order = ["voice", "hearing", "thinking", "calls"]
    for before, after in pairwise(order):
        assert SERVICES[after]["depends_on"] == {before: {"condition": "service_healthy"}}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["calls"]
    assert all(service["restart"] == "unless-stopped" for service in SERVICES.values())
    for name in order[:3]:
        assert SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
        assert SERVICES[name]["environment"]["CUDA_MPS_PIPE_DIRECTORY"] == "/tmp/nvidia-mps"
        assert "healthcheck" in SERVICES[name] or "HEALTHCHECK" in dict(
            instructions(ROOT / SERVICES[name]["build"]["dockerfile"])
        )


def test_the_calls_are_configured_for_the_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its variables are settings that there are, and lead to the services by their names."""
    monkeypatch.chdir(tmp_path)
    environ = {name: "https://x.example" if value.startswith("$") else value
               for name, value in SERVICES["calls"]["environment"].items()}  # fmt: skip
    settings = load(environ=environ).settings
    addresses = [settings.stt.base_url, settings.llm.base_url, settings.tts.base_url]
    assert [re.findall(r"//(\w+):", address)[0] for address in addresses] == ["hearing", "thinking", "voice"]
    assert settings.llm.model == SERVICES["thinking"]["command"][3]
