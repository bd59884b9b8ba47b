"""The command that starts vLLM."""

import shlex
from pathlib import Path

from client_caller.models.gpus import GPUS
from client_caller.models.plan import make_plan
from client_caller.models.profiles import GEMMA_3_27B, GEMMA_4_26B, STTS
from client_caller.models.vllm import Serving

TURBO = STTS["large-v3-turbo"]
PLAN = make_plan(GPUS["a100-80"], GEMMA_3_27B, TURBO)


def value(command: list[str], flag: str) -> str:
    assert command.count(flag) == 1
    return command[command.index(flag) + 1]


def test_the_flags_that_calls_need() -> None:
    """Memory in bytes, small prefill steps, priorities, no pictures, the prefix cache, a bounded context."""
    command = Serving(PLAN).command()
    assert command[:3] == ["vllm", "serve", "gaunernst/gemma-3-27b-it-qat-compressed-tensors"]
    wanted = {
        "--kv-cache-memory-bytes": "14000000000",
        "--max-num-batched-tokens": "512",
        "--max-num-seqs": "16",
        "--max-model-len": "8192",
        "--scheduling-policy": "priority",
        "--limit-mm-per-prompt": '{"image":0}',
        "--host": "127.0.0.1",
    }
    assert {flag: value(command, flag) for flag in wanted} == wanted
    assert "--enable-prefix-caching" in command
    assert "--gpu-memory-utilization" not in command


def test_tools_need_a_template_where_the_model_has_no_parser_of_its_own() -> None:
    """Gemma 3 gets tools with the template and none without; Gemma 4 has its own parser."""
    bare = Serving(PLAN)
    assert not bare.tools
    assert "--enable-auto-tool-choice" not in bare.command()
    given = Serving(PLAN, template=Path("a.jinja")).command()
    assert (value(given, "--tool-call-parser"), value(given, "--chat-template")) == ("pythonic", "a.jinja")
    assert "--enable-auto-tool-choice" in given
    newer = Serving(make_plan(GPUS["a100-80"], GEMMA_4_26B, TURBO)).command()
    assert value(newer, "--tool-call-parser") == "gemma4"
    assert "--chat-template" not in newer


def test_what_is_named_takes_the_place_of_what_is_usual() -> None:
    """Another model, command, place and more flags; the line can be typed as it is, and tells nobody of us."""
    serving = Serving(PLAN, model="/models/a model", served_name="m", port=9, vllm="/v/vllm", extra=["--seed", "1"])
    command = serving.command()
    assert command[:3] == ["/v/vllm", "serve", "/models/a model"]
    assert (value(command, "--served-model-name"), value(command, "--port")) == ("m", "9")
    assert command[-2:] == ["--seed", "1"]
    typed = shlex.split(serving.line())
    assert typed[:2] == ["VLLM_NO_USAGE_STATS=1", "DO_NOT_TRACK=1"]
    assert typed[2:] == command
