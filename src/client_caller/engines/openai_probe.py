"""What an OpenAI-compatible server can do beyond plain chat: asked with one token each, before the first call.

A server says what it can't do only when it is asked: vLLM started without `--enable-auto-tool-choice` refuses tools,
llama.cpp ignores what it does not know, others refuse any field that is not OpenAI's.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from client_caller.engines.openai_server import OpenAiServer, Refused

PATIENCE = 20.0
"""Seconds for one trial: a grammar that is compiled for the first time may take some."""
_HELLO = [{"role": "user", "content": "Say hello."}]
_TOOL = {
    "type": "function",
    "function": {"name": "nothing", "description": "Does nothing.", "parameters": {"type": "object", "properties": {}}},
}
_SCHEMA = {"type": "object", "properties": {"hello": {"type": "string"}}, "required": ["hello"]}
_TRIALS: dict[str, dict[str, Any]] = {
    "tools": {"messages": _HELLO, "tools": [_TOOL], "tool_choice": "auto"},
    "JSON schema": {
        "messages": _HELLO,
        "response_format": {"type": "json_schema", "json_schema": {"name": "hello", "schema": _SCHEMA}},
        "max_tokens": 4,
    },
    "prefill": {
        "messages": [*_HELLO, {"role": "assistant", "content": "Hello"}],
        "continue_final_message": True,
        "add_generation_prompt": False,
    },
    "priority": {"messages": _HELLO, "priority": 1},
}


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a server can do, or not."""

    name: str
    works: bool
    reason: str = ""
    """Why not, for people."""


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message


class _Answer(msgspec.Struct):
    choices: list[_Choice]


async def probe(server: OpenAiServer, request: Mapping[str, Any]) -> list[Capability]:
    """Try tools, JSON schema, prefill (the reply goes on from given words) and priority, one after another.

    `request` is what all requests have, such as the model's name. Raises `EngineError` where the server does not
    answer at all.
    """
    return [await _trial(server, dict(request) | {"max_tokens": 1} | body, name) for name, body in _TRIALS.items()]


async def _trial(server: OpenAiServer, body: dict[str, Any], name: str) -> Capability:
    until = asyncio.get_running_loop().time() + PATIENCE
    said = b""
    try:
        async with server.post("/chat/completions", body, until=until, private=()) as answer:
            while chunk := await answer.read(until):
                said += chunk
    except Refused as refusal:
        return Capability(name, False, refusal.reason)
    if "response_format" in body and not _is_json(said):
        return Capability(name, False, "It takes a JSON schema and answers in free text.")
    return Capability(name, True)


def _is_json(said: bytes) -> bool:
    """Whether the answer to "Say hello." does not begin with a word. llama.cpp lets blanks and a fence come before the
    object, and of a few tokens these may be all."""
    try:
        answer = msgspec.json.decode(said, type=_Answer)
    except msgspec.MsgspecError:
        return False
    return bool(answer.choices) and not (answer.choices[0].message.content or "").strip()[:1].isalpha()
