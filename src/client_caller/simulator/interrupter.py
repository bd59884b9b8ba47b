"""A caller who keeps cutting in, and an agent who has too much to say: the pair that tests what was heard."""

from collections.abc import Sequence
from random import Random

from client_caller.conversation.history import Message
from client_caller.simulator.caller import Caller, Part

WORDS = "Sorry, can you tell me something else, please?"
"""What the caller says each time: well above the length of a backchannel."""
EARLIEST, LATEST = 300, 5000
"""How long the agent has talked when the caller cuts in, milliseconds."""
SENTENCES, SENTENCE = 8, 8
"""Of each answer, and words of each sentence: over 15 seconds of speech."""
LEAVE_AFTER = 2500
"""Silence of the agent after which the caller takes its last answer for complete, milliseconds."""


def interrupt(caller: Caller, clip: bytes, times: int, random: Random) -> Part:
    """Cut in so often, each time at another random moment of the agent's words; hear the last answer out; hang up."""
    for _ in range(times):
        yield from caller.until_agent_talks(random.randrange(EARLIEST, LATEST))
        yield from caller.say(clip, WORDS, interrupts=True)
    yield from caller.until_agent_finished(LEAVE_AFTER)


def long_answer(messages: Sequence[Message]) -> str:
    """Another long answer each time, no word of which comes twice in a call."""
    turn = len(messages)
    return " ".join(
        " ".join(f"t{turn}w{sentence * SENTENCE + word}" for word in range(SENTENCE)) + "."
        for sentence in range(SENTENCES)
    )
