"""What the language model is told of a call."""

from client_caller.conversation import listening
from client_caller.conversation.history import STILL_RUNNING, Entry, Message, ToolCall, messages, with_draft
from client_caller.conversation.memory import Memory


def said_before(c: Memory, reply: int) -> tuple[Entry, ...]:
    """The history as it is for a reply: with the words that it answers, which on a guess may not be the last."""
    entries = list(c.entries)
    if c.reply is not None and c.reply.number == reply and not c.reply.committed:
        listening.write_words(c, entries)
    return tuple(entries)


def prompt(c: Memory, reply: int) -> tuple[Message, ...]:
    """What the model has to be told for `StartReply(reply)`."""
    current = c.reply if c.reply is not None and c.reply.number == reply else None
    chat = messages(said_before(c, reply))
    asked = current.asked if current is not None else {}
    elsewhere = [(call, STILL_RUNNING) for id, call in c.running.items() if id not in asked]
    if elsewhere:
        chat = with_draft(chat, "", elsewhere)
    if current is None or not current.used:
        return chat
    used = [(ToolCall(tool.tool_call, tool.name, tool.arguments), tool.result) for tool in current.used]
    return with_draft(chat, current.playout.text, used)
