"""How vLLM is started for telephone calls: one command, from a plan.

The flags are those that calls need: a bound in bytes, since a share of the card would count the neighbours in; small
steps of prefill, so that a cold prompt does not stop the voices; warm-ups behind live turns; a context that a call
never fills. Read from vLLM's own help (0.33).
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from client_caller.models.plan import Plan

CONTEXT = 8192
"""Tokens of prompt and reply; the driver leaves out what is more (`engines.chat_window`)."""
PREFILL = 512
"""Tokens in a step. With 2,048 an A100 is busy for 0.74 s, and all voices on it fall silent."""
QUIET: Mapping[str, str] = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""The environment: nothing about calls is told to anybody."""


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and what vLLM serves."""

    plan: Plan
    model: str | None = None
    """A folder or hub name in place of the profile's."""
    served_name: str = "gemma"
    host: str = "127.0.0.1"
    port: int = 8000
    template: Path | None = None
    """The chat template that the tool parser needs."""
    vllm: str = "vllm"
    extra: Sequence[str] = ()
    """More arguments for vLLM, as they are."""

    @property
    def tools(self) -> bool:
        """Whether the model can be given tools."""
        return self.plan.llm.template is None or self.template is not None

    def command(self) -> list[str]:
        arguments = {
            "--served-model-name": self.served_name,
            "--host": self.host,
            "--port": str(self.port),
            "--max-model-len": str(CONTEXT),
            "--max-num-seqs": str(self.plan.slots),
            "--max-num-batched-tokens": str(PREFILL),
            "--kv-cache-memory-bytes": str(int(self.plan.kv * 1e9)),
            "--scheduling-policy": "priority",
            "--limit-mm-per-prompt": '{"image":0}',
        }
        if self.tools:
            arguments["--tool-call-parser"] = self.plan.llm.tool_parser
        if self.template is not None:
            arguments["--chat-template"] = str(self.template)
        pairs = [part for pair in arguments.items() for part in pair]
        flags = ["--enable-prefix-caching", *(["--enable-auto-tool-choice"] if self.tools else [])]
        return [self.vllm, "serve", self.model or self.plan.weights.source, *pairs, *flags, *self.extra]

    def line(self) -> str:
        """The command as one types it."""
        variables = [f"{name}={value}" for name, value in QUIET.items()]
        return " ".join([*variables, shlex.join(self.command())])
