"""What a language model is told of a call."""

from client_caller.conversation.history import (
    CONNECTED,
    CUT_MARK,
    NOTHING_HEARD,
    UNINTELLIGIBLE,
    AgentSaid,
    CallerSaid,
    Entry,
    Message,
    ToolCall,
    ToolUsed,
    messages,
    with_draft,
)

HELLO = AgentSaid(0, 900, "Hello.", "", cut=False)
ASKED = CallerSaid(1000, 1900, "What does it cost?")
TOOL = ToolUsed(2000, "t1", "price", '{"of": "box"}', "9", failed=False)
CALL = ToolCall("t1", "price", '{"of": "box"}')


def test_the_user_begins() -> None:
    """Chat templates want it so, also where the agent speaks first, or nobody has yet."""
    assert messages([]) == (Message("user", CONNECTED),)
    assert messages([HELLO]) == (Message("user", CONNECTED), Message("assistant", "Hello."))
    assert messages([ASKED]) == (Message("user", "What does it cost?"),)


def test_nobody_speaks_twice_in_a_row() -> None:
    """Neighbours of one side are one message of several lines."""
    more = CallerSaid(2000, 2200, "The large one.")
    again = AgentSaid(3000, 3900, "Nine euros.", "", cut=False)
    entries: list[Entry] = [HELLO, again, ASKED, more]
    assert messages(entries) == (
        Message("user", CONNECTED),
        Message("assistant", "Hello.\nNine euros."),
        Message("user", "What does it cost?\nThe large one."),
    )


def test_a_reply_that_was_cut_shows_what_was_heard_and_that_it_was_cut() -> None:
    """Never a word of the rest."""
    cut = AgentSaid(2000, 2600, "It costs", "nine euros.", cut=True)
    assert messages([ASKED, cut])[-1] == Message("assistant", "It costs" + CUT_MARK)


def test_a_reply_cut_before_its_first_word_said_nothing() -> None:
    """The model is told that it had the floor, and that nothing came of it."""
    cut = AgentSaid(2000, 2100, "", "It costs nine euros.", cut=True)
    assert messages([ASKED, cut])[-1] == Message("assistant", NOTHING_HEARD + CUT_MARK)


def test_speech_without_words_is_told_as_such() -> None:
    """An empty message would say that the caller was silent."""
    assert messages([CallerSaid(0, 900, "")]) == (Message("user", UNINTELLIGIBLE),)


def test_a_tool_is_a_request_and_its_result() -> None:
    """In the order of chat completions, and never joined with words on either side."""
    answer = AgentSaid(2100, 2900, "Nine.", "", cut=False)
    assert messages([ASKED, HELLO, TOOL, answer]) == (
        Message("user", "What does it cost?"),
        Message("assistant", "Hello."),
        Message("assistant", "", tool_calls=(CALL,)),
        Message("tool", "9", tool_call_id="t1"),
        Message("assistant", "Nine."),
    )


def test_two_tools_are_two_results() -> None:
    """Results are never joined: each answers one request."""
    other = ToolUsed(2000, "t2", "stock", "{}", "0", failed=True)
    chat = messages([ASKED, TOOL, other])
    assert [message.tool_call_id for message in chat if message.role == "tool"] == ["t1", "t2"]


def test_a_draft_belongs_to_one_request() -> None:
    """What the reply has said so far and its tools' results follow the chat, as one message and its answers."""
    other = ToolCall("t2", "stock", "{}")
    chat = messages([ASKED])
    assert with_draft(chat, "Let me see.", [(CALL, "9"), (other, "0")]) == (
        *chat,
        Message("assistant", "Let me see.", tool_calls=(CALL, other)),
        Message("tool", "9", tool_call_id="t1"),
        Message("tool", "0", tool_call_id="t2"),
    )
