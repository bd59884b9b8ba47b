"""An ordinary conversation that never ends: a caller who asks again and again, and an agent who answers briefly."""

from collections.abc import Sequence

from client_caller.conversation.history import Message
from client_caller.simulator.caller import Caller, Part

WORDS = "And what can you tell me about the garden?"
PAUSE = 700
"""Silence of the agent after which the caller speaks, milliseconds."""


def chat(caller: Caller, clip: bytes) -> Part:
    """Ask whenever the agent has finished."""
    while True:
        yield from caller.until_agent_finished(PAUSE)
        yield from caller.say(clip, WORDS)


def answer(messages: Sequence[Message]) -> str:
    """Some four seconds of speech in two clauses."""
    return f"That is answer number {len(messages)}, and there is more. The garden has nine old trees."
