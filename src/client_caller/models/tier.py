"""The three servers of a plan: what is run for each, within which bounds, and where it answers.

Voice and hearing come first, since they take a fixed amount; the language model is last, bounded in bytes. Each has an
environment of its own, because they need different versions of CUDA's libraries.
"""

from dataclasses import dataclass
from pathlib import Path

from client_caller.models.plan import Plan
from client_caller.models.server_process import Server
from client_caller.models.vllm import QUIET, Serving

HOST = "127.0.0.1"
FIRST_PORT = 8000
"""Of the language model; voice and hearing have the next two."""
_CONTEXT = 0.5
"""Gigabytes of a CUDA context, which no allocator counts."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The commands of the three environments."""

    vllm: str = "vllm"
    csm: str = "client-caller"
    """The `client-caller` that has `[csm]` installed."""
    whisper: str = "client-caller"
    """The `client-caller` that has `[whisper]` installed."""
    nemotron: str = "client-caller"
    """The `client-caller` that has `[nemotron]` installed."""


def tier(
    plan: Plan, programs: Programs, csm_weights: Path, voice: Path, llm: Serving, nemotron: Path | None = None
) -> list[Server]:
    """The servers, in the order in which they have to be started. `nemotron`: its weights, if it is to hear."""
    port = llm.port + 2
    return [
        _voice(plan, programs.csm, csm_weights, voice, llm.port + 1),
        _whisper(plan, programs.whisper, port)
        if nemotron is None
        else _nemotron(plan, programs.nemotron, nemotron, port),
        _thinking(llm),
    ]


def _voice(plan: Plan, program: str, weights: Path, voice: Path, port: int) -> Server:
    options = {
        "--weights": str(weights),
        "--voice": str(voice),
        "--device": "cuda",
        "--slots": str(plan.slots),
        "--gpu-memory": f"{plan.of('tts') - _CONTEXT:.1f}",
        "--host": HOST,
        "--port": str(port),
    }
    command = [program, "models", "serve", "csm", *(part for pair in options.items() for part in pair)]
    return Server("tts", command, f"http://{HOST}:{port}/healthz")


def _whisper(plan: Plan, program: str, port: int) -> Server:
    options = {"--model": plan.stt.name, "--device": "cuda", "--host": HOST, "--port": str(port)}
    command = [program, "models", "serve", "whisper", *(part for pair in options.items() for part in pair)]
    # opennmt.net/CTranslate2, "Environment variables": growth and sizes of its bins, and how much it keeps for itself.
    kept = int((plan.of("stt") - plan.stt.gigabytes - _CONTEXT) * 1e9)
    bounds = {"CT2_CUDA_ALLOCATOR": "cub_caching", "CT2_CUDA_CACHING_ALLOCATOR_CONFIG": f"4,3,12,{kept}"}
    return Server("stt", command, f"http://{HOST}:{port}/healthz", bounds)


def _nemotron(plan: Plan, program: str, weights: Path, port: int) -> Server:
    options = {
        "--weights": str(weights),
        "--device": "cuda",
        "--gpu-memory": f"{plan.of('stt') - _CONTEXT:.1f}",
        "--host": HOST,
        "--port": str(port),
    }
    command = [program, "models", "serve", "nemotron", *(part for pair in options.items() for part in pair)]
    return Server("stt", command, f"http://{HOST}:{port}/healthz")


def _thinking(llm: Serving) -> Server:
    return Server("llm", llm.command(), f"http://{llm.host}:{llm.port}/health", QUIET)
