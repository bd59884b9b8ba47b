"""What each side really said and heard.

An entry is a fact about the past and never changes once the conversation has moved on. What a language model is told
(`Message`) is derived from the entries when it is asked, never assembled from what was sent.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """One turn of the caller, or a backchannel: words that did not take the floor."""

    started: int
    ended: int
    """First and last moment of speech, milliseconds on the call's clock."""
    text: str
    """Empty where the caller spoke but no words were recognised."""
    backchannel: bool = False


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """One reply of the agent."""

    started: int
    """When its first sound went out, milliseconds on the call's clock."""
    ended: int
    """When its last heard word was acknowledged, or when it was cut off."""
    heard: str
    """A prefix of the reply's words, each acknowledged by the far end."""
    unheard: str
    """What was generated but not proven heard; empty unless `cut`."""
    cut: bool
    """The caller took the floor, or a failure took the voice, before the end."""


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool ran to its end, whoever held the floor meanwhile."""

    at: int
    tool_call: str
    name: str
    arguments: str
    result: str
    failed: bool


Entry = CallerSaid | AgentSaid | ToolUsed


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str
    name: str
    arguments: str
    """A JSON object."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, in the sense of OpenAI's chat completions."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Only for `assistant`."""
    tool_call_id: str | None = None
    """Only for `tool`: which call this answers."""
