"""The three servers of the profile `cpu`: what is run for each, and where it answers."""

import os
from collections.abc import Collection

from client_caller.models.server_process import Server
from client_caller.models.tier import FIRST_PORT, HOST
from client_caller.models.weights import GEMMA, POCKET, WHISPER, Weights, need

STAGES = ("tts", "stt", "llm")
"""In the order in which they are started."""
_OF: dict[str, Weights] = {"stt": WHISPER, "llm": GEMMA, "tts": POCKET}
_GUESSES = "10"
"""Seconds to which windows of guesses are shortened: a third of the cost (docs/models.md, "Speech to text")."""
_SLOWEST = "10"
"""Seconds that answers may take before calls are refused. With one call at a time, refusing it helps nobody."""


def cpu_tier(stages: Collection[str], program: str, first_port: int = FIRST_PORT) -> list[Server]:
    """The servers of these stages, run by the command `program`. Raises `WeightsMissing`.

    They share the processors: hearing works while the caller speaks, thinking and speaking when the turn is over.
    """
    need(tuple(_OF[stage] for stage in STAGES if stage in stages))
    threads = str(max(1, (os.cpu_count() or 2) // 2))
    (gguf,) = GEMMA.files
    commands = {
        "tts": ["pocket", "--weights", str(POCKET.folder), "--port", str(first_port + 1)],
        "stt": [
            *("whisper", "--model", str(WHISPER.folder), "--offline", "--port", str(first_port + 2)),
            *("--guess-window", _GUESSES, "--threads", threads, "--batch", "1", "--slowest", _SLOWEST),
        ],
        "llm": ["gguf", "--model", str(GEMMA.folder / gguf), "--port", str(first_port), "--threads", threads],
    }
    health = {
        "tts": f"http://{HOST}:{first_port + 1}/healthz",
        "stt": f"http://{HOST}:{first_port + 2}/healthz",
        "llm": f"http://{HOST}:{first_port}/health",
    }
    return [
        Server(stage, [program, "models", "serve", *commands[stage], "--host", HOST], health[stage])
        for stage in STAGES
        if stage in stages
    ]
