"""What is run for a plan."""

from pathlib import Path

from client_caller.models.gpus import GPUS
from client_caller.models.plan import make_plan
from client_caller.models.profiles import GEMMA_3_27B, STTS
from client_caller.models.tier import Programs, tier
from client_caller.models.vllm import Serving

PLAN = make_plan(GPUS["h200"], GEMMA_3_27B, STTS["large-v3-turbo"])


def test_nemotron_hears_where_its_weights_are_given() -> None:
    """At the same port, within its own share of the memory."""
    plan = make_plan(GPUS["h200"], GEMMA_3_27B, STTS["nemotron"])
    programs = Programs(nemotron="/n/client-caller")
    servers = tier(plan, programs, Path("csm-1b"), Path("ada.toml"), Serving(plan, port=9000), Path("nemotron"))
    hearing = servers[1]
    assert hearing.name == "stt"
    assert hearing.command[:4] == ["/n/client-caller", "models", "serve", "nemotron"]
    options = dict(zip(hearing.command[4::2], hearing.command[5::2], strict=True))
    assert options["--weights"] == "nemotron"
    assert options["--device"] == "cuda"
    assert plan.of("stt") - 1 < float(options["--gpu-memory"]) < plan.of("stt")
    assert hearing.health == "http://127.0.0.1:9002/healthz"


def test_each_server_gets_its_place_and_its_bounds() -> None:
    """Voice, hearing, then the language model; all within the plan, none with a share of the card."""
    programs = Programs("/v/vllm", "/c/client-caller", "/w/client-caller")
    servers = tier(PLAN, programs, Path("csm-1b"), Path("ada.toml"), Serving(PLAN, port=9000, vllm=programs.vllm))
    assert [server.name for server in servers] == ["tts", "stt", "llm"]
    voice, hearing, language = servers
    assert voice.command[:4] == ["/c/client-caller", "models", "serve", "csm"]
    options = dict(zip(voice.command[4::2], voice.command[5::2], strict=True))
    assert options["--weights"] == "csm-1b"
    assert options["--slots"] == str(PLAN.slots)
    assert float(options["--gpu-memory"]) < PLAN.of("tts")
    assert hearing.command[:4] == ["/w/client-caller", "models", "serve", "whisper"]
    assert hearing.environ["CT2_CUDA_CACHING_ALLOCATOR_CONFIG"].rpartition(",")[2] == str(int(2.9e9))
    assert language.command[:2] == ["/v/vllm", "serve"]
    assert [server.health for server in servers] == [
        "http://127.0.0.1:9001/healthz",
        "http://127.0.0.1:9002/healthz",
        "http://127.0.0.1:9000/health",
    ]
