"""What had the agent asked for? It tells what a whole answer looks like."""

import re
from enum import Enum

from client_caller.conversation.policy import Phrases
from client_caller.conversation.words import words

_SENTENCE = re.compile(r"[^.!?]*[.!?]*\s*$")


class Asked(Enum):
    NOTHING = "nothing"
    """It made a statement, or said nothing yet."""
    YES_OR_NO = "yes or no"
    ANYTHING = "anything"
    """An open question, or a request."""


def asked_for(said: str, phrases: Phrases) -> Asked:
    """What the last sentence that the caller heard asks for. Who cut it off has heard enough to say anything."""
    said = said.rstrip()
    sentence = _SENTENCE.search(said)
    spoken = words(sentence.group()) if sentence is not None else ()
    if not spoken:
        return Asked.NOTHING
    if said[-1] not in ".!?":
        return Asked.ANYTHING
    if not said.endswith("?"):
        return Asked.ANYTHING if spoken[0] in phrases.requests else Asked.NOTHING
    return Asked.YES_OR_NO if spoken[0] in phrases.yes_no_questions else Asked.ANYTHING
