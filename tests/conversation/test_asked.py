"""What the agent had asked for."""

import pytest

from client_caller.conversation.asked import Asked, asked_for
from client_caller.conversation.policy import Phrases


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("", Asked.NOTHING),
        ("...", Asked.NOTHING),
        ("It is blue.", Asked.NOTHING),
        ("Is it blue? I think so.", Asked.NOTHING),
        ("It is blue. Is it?", Asked.YES_OR_NO),
        ("What else can I do?", Asked.ANYTHING),
        ("Fine. Please spell your name.", Asked.ANYTHING),
        ("We are open from nine to", Asked.ANYTHING),
    ],
)
def test_the_last_sentence_asks(said: str, asked: Asked) -> None:
    """A question, a request, or a sentence that the caller cut off: they know what they answer."""
    assert asked_for(said, Phrases()) is asked
