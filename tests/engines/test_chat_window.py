"""Which part of a long call the model is told: laws that hold for every chat."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.history import Message, ToolCall
from client_caller.engines.chat_window import estimated_tokens, window

SYSTEM = Message("system", "You answer a telephone. " * 4)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """What a caller said, and what came of it: tools perhaps, and words."""
    said = [Message("user", "u" * draw(st.integers(0, 300)))]
    for number in range(draw(st.integers(0, 2))):
        call = ToolCall(f"t{number}", "look_up", "{}" * draw(st.integers(1, 30)))
        said += [Message("assistant", "", (call,)), Message("tool", "r" * 20, tool_call_id=call.id)]
    return [*said, Message("assistant", "a" * draw(st.integers(0, 300)))]


chats = st.lists(exchanges(), min_size=1, max_size=25).map(lambda parts: [SYSTEM, *(m for part in parts for m in part)])


def size(messages: tuple[Message, ...]) -> int:
    return sum(
        8 + estimated_tokens(m.content) + sum(8 + estimated_tokens(c.name + c.arguments) for c in m.tool_calls)
        for m in messages
    )


@given(chats, st.integers(1, 3000))
def test_laws_of_the_window(chat: list[Message], room: int) -> None:
    """Instructions first, then a tail of the chat that begins with the caller; it fits, or is the last exchange."""
    told = window(chat, room)
    assert told[0] == SYSTEM
    tail = list(told[1:])
    assert tail == chat[len(chat) - len(tail) :]
    assert tail[0].role == "user"
    assert size(told) <= room or sum(message.role == "user" for message in tail) == 1
    answered = {message.tool_call_id for message in tail if message.role == "tool"}
    assert answered == {call.id for message in tail for call in message.tool_calls}


@given(chats)
def test_what_fits_is_whole(chat: list[Message]) -> None:
    """Nothing is left out where there is room for all."""
    assert window(chat, size(tuple(chat))) == tuple(chat)


def test_the_cut_stays_for_many_turns() -> None:
    """A growing chat keeps its beginning, and with it the server's prefix cache, for as long as it fits."""
    chat, beginnings = [SYSTEM], []
    for number in range(200):
        chat += [Message("user", f"question {number}"), Message("assistant", f"answer {number} " * 5)]
        beginnings.append(window(chat, 1000)[1].content)
    moves = sum(before != after for before, after in pairwise(beginnings))
    assert 5 < moves < 20
    assert beginnings == sorted(beginnings, key=lambda content: int(content.split()[1]))


def test_without_instructions_or_caller() -> None:
    """Nothing to send is nothing; an agent that speaks first is an exchange of its own."""
    assert window([], 10) == ()
    assert window([Message("assistant", "Hi")], 10) == (Message("assistant", "Hi"),)


def test_the_estimate_is_no_less_than_usual_vocabularies() -> None:
    """A token for three bytes, rounded up, and one for each digit; half a surrogate pair is no error."""
    texts = ("", "a", "abcd", "日本語", "\ud83d", "4711", "a1b2c3d")
    assert [estimated_tokens(text) for text in texts] == [0, 1, 2, 3, 1, 4, 5]
