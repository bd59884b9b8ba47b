"""What each side really said and heard.

An entry is a fact: what the far end acknowledged, what speech to text heard, what a tool did. What a language model is
told (`Message`) is derived from the entries when it is asked, never assembled from what was sent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

CUT_MARK = " [cut off by the caller]"
"""Follows the heard words of a reply that was cut, so that the model knows that the rest was not heard."""
NOTHING_HEARD = "[said nothing that was heard]"
"""Stands for a reply that was cut before its first word was through."""
CONNECTED = "[the call is connected]"
"""The caller's side of the first message when the agent speaks first: chat templates want the user to begin."""
UNINTELLIGIBLE = "[spoke, but could not be understood]"
"""Stands for a turn of the caller in which no words were recognised."""
STILL_RUNNING = "(still running)"
"""The result of a tool that has not come back yet."""


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
    """When its last word was acknowledged, or when it was cut off."""
    heard: str
    """The words that the far end acknowledged: a prefix of those generated."""
    unheard: str
    """What was generated but not proven heard; empty unless `cut`."""
    cut: bool
    """The reply ended before the far end had acknowledged all of it: the caller took the floor, or the voice failed."""


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


def messages(entries: Iterable[Entry]) -> tuple[Message, ...]:
    """The entries as a chat: the user begins, and neither user nor assistant speaks twice in a row.

    Some chat templates (Gemma's among them) refuse anything else, so neighbours of one role are joined.
    """
    chat: list[Message] = []
    for entry in entries:
        for message in _rendered(entry):
            _append(chat, message)
    if chat and chat[0].role != "user":
        chat.insert(0, Message("user", CONNECTED))
    return tuple(chat) or (Message("user", CONNECTED),)


def with_draft(chat: Sequence[Message], said: str, tools: Sequence[tuple[ToolCall, str]]) -> tuple[Message, ...]:
    """The chat as the model has to see it to go on with a reply: what it has said in it so far, and its tools' results.

    `said` is not yet heard, perhaps never will be: it belongs to this one request and to no history.
    """
    calls = tuple(call for call, _ in tools)
    draft = [Message("assistant", said, tool_calls=calls)]
    draft += [Message("tool", result, tool_call_id=call.id) for call, result in tools]
    return (*chat, *draft)


def _rendered(entry: Entry) -> list[Message]:
    match entry:
        case CallerSaid():
            return [Message("user", entry.text or UNINTELLIGIBLE)]
        case AgentSaid(cut=True):
            return [Message("assistant", (entry.heard or NOTHING_HEARD) + CUT_MARK)]
        case AgentSaid():
            return [Message("assistant", entry.heard)]
        case used:
            call = ToolCall(used.tool_call, used.name, used.arguments)
            return list(with_draft((), "", [(call, used.result)]))


def _append(chat: list[Message], message: Message) -> None:
    last = chat[-1] if chat else None
    joinable = last is not None and last.role == message.role and last.role in ("user", "assistant")
    if last is not None and joinable and not (last.tool_calls or message.tool_calls):
        chat[-1] = Message(last.role, f"{last.content}\n{message.content}")
    else:
        chat.append(message)
