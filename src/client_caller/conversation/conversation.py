"""The conversation of one call: facts in, commands out.

`receive` takes one event, writes down what it says (`facts.py`) and then lets the rules (`rules.py`) act until none has
anything left to do. What is remembered meanwhile is in `memory.py`.
"""

from client_caller.conversation import events, facts, rules
from client_caller.conversation.commands import Command
from client_caller.conversation.history import Entry, Message
from client_caller.conversation.memory import Memory
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.prompt import prompt, said_before
from client_caller.conversation.state import CallState, View


class Conversation:
    """One call's."""

    def __init__(self, policy: Policy | None = None, phrases: Phrases | None = None) -> None:
        self.memory = Memory(policy or Policy(), phrases or Phrases())
        self._deadline: int | None = None

    def receive(self, event: events.Event) -> tuple[Command, ...]:
        """Take in one fact; returns what is to be done now, in order."""
        memory = self.memory
        memory.now = max(memory.now, event.at)
        waiting = memory.call is CallState.WAITING and not isinstance(event, events.CallStarted | events.CallEnded)
        if waiting or memory.call is CallState.ENDED:
            return ()
        if facts.note(memory, event) or (self._deadline is not None and memory.now >= self._deadline):
            self._deadline = rules.settle(memory)
        if not memory.commands:
            return ()
        commands, memory.commands = tuple(memory.commands), []
        return commands

    @property
    def deadline(self) -> int | None:
        """When the conversation wants to be told that time has passed, on the call's clock."""
        return self._deadline

    @property
    def policy(self) -> Policy:
        return self.memory.policy

    @property
    def history(self) -> tuple[Entry, ...]:
        """What was said and heard, up to the last thing that is over."""
        return tuple(self.memory.entries)

    @property
    def view(self) -> View:
        """What a person would say the agent is doing."""
        return self.memory.view

    def said_before(self, reply: int) -> tuple[Entry, ...]:
        """The history as it is for a reply: with the words that it answers, which on a guess may not be the last."""
        return said_before(self.memory, reply)

    def messages(self, reply: int) -> tuple[Message, ...]:
        """What the model has to be told for `StartReply(reply)`."""
        return prompt(self.memory, reply)
