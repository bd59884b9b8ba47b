"""Which part of a long call the language model is told, so that the prompt fits its context.

What is left out are whole exchanges, the oldest first; never the instructions, never a tool's result without its call,
never the present turn. Where one has to go, half of the room is cleared: a prompt whose beginning moved with every
turn would find nothing in the server's prefix cache, and wait for a cold prefill each time.
"""

import re
from collections.abc import Sequence
from itertools import takewhile

from client_caller.conversation.history import Message

_BYTES = 3
"""Of UTF-8 for a token: English has about four, other scripts about three."""
_DIGIT = re.compile(r"[0-9]")
_FRAME = 8
"""Tokens of a chat template around a message: its role and the marks of its begin and end."""


def estimated_tokens(text: str) -> int:
    """At least as many tokens as a text of a conversation has with the usual vocabularies. A digit is one of its own:
    Gemma's tokenizer splits numbers into digits."""
    digits = len(_DIGIT.findall(text))
    return digits - (digits - len(text.encode(errors="replace"))) // _BYTES


def window(messages: Sequence[Message], room: int) -> tuple[Message, ...]:
    """The messages to send, where all of them may take so many tokens: instructions, and the exchanges since a cut.

    It is worked out from the chat alone, so that the same chat always has the same cut, and one that has grown keeps
    the cut for as long as it fits. Instructions and the last exchange are sent even where they do not fit: the server
    then says by how much.
    """
    instructions = tuple(takewhile(lambda message: message.role == "system", messages))
    exchanges = _exchanges(messages[len(instructions) :])
    left = room - sum(map(_size, instructions))
    sizes = [sum(map(_size, exchange)) for exchange in exchanges]
    first = 0
    for last in range(len(exchanges)):
        if sum(sizes[first : last + 1]) > left:
            while first < last and sum(sizes[first : last + 1]) > left // 2:
                first += 1
    return (*instructions, *(message for exchange in exchanges[first:] for message in exchange))


def _exchanges(messages: Sequence[Message]) -> list[list[Message]]:
    """Each begins with what the caller said, and has all that followed from it."""
    exchanges: list[list[Message]] = []
    for message in messages:
        if message.role == "user" or not exchanges:
            exchanges.append([])
        exchanges[-1].append(message)
    return exchanges


def _size(message: Message) -> int:
    calls = sum(estimated_tokens(call.name + call.arguments) + _FRAME for call in message.tool_calls)
    return _FRAME + estimated_tokens(message.content) + calls
