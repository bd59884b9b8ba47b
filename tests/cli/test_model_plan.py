"""`client-caller models plan` and `models serve gemma`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from client_caller.cli.main import app

COMMAND = Path(sys.executable).with_name("client-caller")


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, ["models", *arguments])


def test_a_plan_shows_memory_calls_and_what_a_turn_waits_for() -> None:
    """Every part, their sum, what is left, and how many calls it is good for."""
    shown = run("plan", "--gpu", "a100-80")
    assert shown.exit_code == 0
    for part in ("LLM weights", "17.5", "46.7", "38.3", "6 with ease, 10 at the utmost", "first token 71 ms", "MPS"):
        assert part in shown.output


def test_a_gpu_of_unknown_speed_gets_a_memory_plan_only() -> None:
    """Nothing is made up about its speed."""
    shown = run("plan", "--gpu", "l40s=48").output
    assert "room for 11 calls. How fast l40s is, is not known here" in shown
    assert "at the utmost" not in shown


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["plan", "--gpu", "4090=25"], "need 37.1 GB for 4 calls", 1),
        (["plan", "--gpu", "h300"], "There is no GPU 'h300'. There are a100-40", 1),
        (["serve", "gemma", "--gpu", "4090=25"], "need 37.1 GB", 1),
        (["plan", "--gpu", "h200", "--llm", "gemma"], "there are: gemma-3-27b", 2),
        (["plan", "--gpu", "h200", "--stt", "huge"], "there are: large-v3-turbo", 2),
        (["plan", "--gpu", "h200", "--weights", "8"], "name one", 2),
    ],
)
def test_what_can_not_be_is_refused(arguments: list[str], said: str, code: int) -> None:
    """With the reason and what there is instead."""
    refused = run(*arguments)
    assert refused.exit_code == code
    assert said in " ".join(refused.output.replace("│", " ").split())


def test_another_model_is_planned_by_its_size() -> None:
    """A smaller one fits where Gemma does not."""
    shown = run("plan", "--gpu", "4090=25", "--model", "/m/small", "--weights", "3.5")
    assert shown.exit_code == 0
    assert "/m/small" in shown.output


def test_the_command_is_printed_alone() -> None:
    """On standard output nothing but the command, so that a shell can take it; the rest is a note."""
    shown = run("serve", "gemma", "--gpu", "h200")
    assert shown.exit_code == 0
    assert shown.stdout.count("\n") == 1
    assert "vllm serve BCCard/gemma-3-27b-it-FP8-Dynamic" in shown.stdout
    assert "Tools are off" in shown.stderr


def test_without_vllm_it_says_how_to_get_it(tmp_path: Path) -> None:
    """vLLM is never installed for you, and never looked for elsewhere."""
    shown = run("serve", "gemma", "--gpu", "h200", "--vllm", str(tmp_path / "vllm"), "--run")
    assert shown.exit_code == 1
    assert "pip install vllm" in shown.stderr


def test_run_becomes_the_server(tmp_path: Path) -> None:
    """The very process goes on as vLLM, with the printed arguments and the quiet environment, and its exit code."""
    script = (
        "import json, os, sys\n"
        "told = {'pid': os.getpid(), 'argv': sys.argv[1:], 'quiet': os.environ['VLLM_NO_USAGE_STATS']}\n"
        "print(json.dumps(told))\n"
        "sys.exit(7)\n"
    )
    vllm = tmp_path / "vllm"
    vllm.write_text(f"#!{sys.executable}\n{script}")
    vllm.chmod(0o755)
    arguments = ["models", "serve", "gemma", "--gpu", "a100-80", "--vllm", str(vllm), "--port", "8123", "--run"]
    with subprocess.Popen(
        [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ
    ) as ran:
        out, _ = ran.communicate()
    told = json.loads(out)
    assert ran.returncode == 7
    assert told["pid"] == ran.pid
    assert told["argv"][0] == "serve"
    assert told["argv"][told["argv"].index("--port") + 1] == "8123"
    assert told["quiet"] == "1"
