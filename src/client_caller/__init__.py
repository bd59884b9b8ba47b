"""Client Caller: a self-hosted, real-time AI phone agent that knows which of its words were heard."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client_caller.agents.agent import Agent
    from client_caller.agents.tool import ToolFailed
    from client_caller.conversation.policy import Phrases, Policy
    from client_caller.engines.protocols import CallContext

__all__ = ["Agent", "CallContext", "Phrases", "Policy", "ToolFailed", "__version__"]
__version__ = "0.1.0"

# Imported when asked for: whoever uses only one room, such as an engine's worker process, does not pay for the others.
_HOMES = {
    "Agent": "client_caller.agents.agent",
    "CallContext": "client_caller.engines.protocols",
    "Phrases": "client_caller.conversation.policy",
    "Policy": "client_caller.conversation.policy",
    "ToolFailed": "client_caller.agents.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
