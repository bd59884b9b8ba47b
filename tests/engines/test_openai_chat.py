"""Chat completions on the wire."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.history import Message, ToolCall
from client_caller.engines.openai_chat import ChatError, ReplyStream, wire_message, wire_tool
from client_caller.engines.protocols import LlmResult, Token, Tool


def chunk(delta: dict[str, Any] | None, finish_reason: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})


def call(index: int | None = None, id: str | None = None, name: str | None = None, arguments: Any = None) -> str:
    function = {"name": name, "arguments": arguments}
    return chunk({"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]})


def read(*events: str, taken: tuple[str, ...] = ()) -> list[LlmResult]:
    stream = ReplyStream(taken)
    return [result for event in events for result in stream.feed(event)]


END = chunk({}, "tool_calls")


def test_text_comes_as_it_is_sent() -> None:
    """Each piece of text is a token; role-only, empty and usage chunks are nothing."""
    stream = ReplyStream()
    assert stream.feed(chunk({"role": "assistant", "content": None})) == []
    assert stream.feed(chunk({"content": " a"})) == [Token(" a")]
    assert stream.feed(chunk({"content": ""})) == []
    assert not stream.complete
    assert stream.feed(chunk({"content": "b"}, "stop")) == [Token("b")]
    assert stream.feed('{"choices":[],"usage":{"total_tokens":3}}') == []
    assert (stream.finish_reason, stream.complete) == ("stop", True)
    assert stream.feed("[DONE]") == []


def test_the_end_of_the_stream_completes_it() -> None:
    """A server that gives no reason to stop still ends its reply."""
    stream = ReplyStream()
    stream.feed(chunk({"content": "b"}))
    assert not stream.complete
    assert stream.feed("[DONE]") == []
    assert (stream.finish_reason, stream.complete) == (None, True)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5), st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_arguments_are_joined_by_index(first: list[str], second: list[str]) -> None:
    """However the arguments are cut, a call comes out once and whole, as soon as the next one begins."""
    stream = ReplyStream()
    assert stream.feed(call(0, "a", "one", "")) == []
    assert [r for piece in first for r in stream.feed(call(0, None, None, piece))] == []
    assert stream.feed(call(1, "b", "two", "")) == [ToolCall("a", "one", "".join(first) or "{}")]
    assert [r for piece in second for r in stream.feed(call(1, None, None, piece))] == []
    assert stream.feed(END) == [ToolCall("b", "two", "".join(second) or "{}")]


def test_whole_calls_in_one_chunk() -> None:
    """Several whole calls in one delta, all numbered 0, as Gemini's endpoint sends them, stay apart by their ids."""
    one = {"index": 0, "id": "a", "function": {"name": "x", "arguments": "{}"}}
    two = {"index": 0, "id": "b", "function": {"name": "x", "arguments": '{"n":1}'}}
    assert read(chunk({"tool_calls": [one, two]}, "tool_calls")) == [
        ToolCall("a", "x", "{}"),
        ToolCall("b", "x", '{"n":1}'),
    ]


def test_calls_without_index_or_id() -> None:
    """A name begins a call where nothing else tells; each call without an id gets its own."""
    results = read(call(None, None, "x", '{"n'), call(None, None, None, '":1}'), call(None, None, "x", "{}"), END)
    assert [(r.name, r.arguments) for r in results if isinstance(r, ToolCall)] == [("x", '{"n":1}'), ("x", "{}")]
    ids = [r.id for r in results if isinstance(r, ToolCall)]
    assert len(set(ids)) == 2
    assert all(ids)


def test_arguments_as_an_object() -> None:
    """Arguments that come as JSON instead of as text are JSON text in the end."""
    assert read(call(0, "a", "x", {"day": "Monday"}), END) == [ToolCall("a", "x", '{"day":"Monday"}')]


def test_an_id_is_unique_in_the_call() -> None:
    """Servers that count their calls from zero in each reply get new ids for those already used."""
    (result,) = read(call(0, "call_0", "x", "{}"), END, taken=("call_0",))
    assert isinstance(result, ToolCall)
    assert result.id not in ("", "call_0")


def test_done_closes_a_call_without_finish_reason() -> None:
    """A stream that goes straight to its end loses no call."""
    assert read(call(0, "a", "x", "{}"), "[DONE]") == [ToolCall("a", "x", "{}")]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ('{"error":{"message":"out of memory","code":500}}', "out of memory"),
        ('{"error":"out of memory"}', "out of memory"),
        ('{"object":"error","message":"out of memory"}', "out of memory"),
        ('{"error":{"code":500}}', "without a message"),
        ("<html>", "no chat completion"),
        ('{"choices":[{"delta":{"content":7}}]}', "no chat completion"),
        (chunk({}, "abort"), "gave the reply up"),
        (chunk({"tool_calls": [{"index": 0, "id": "a"}]}, "tool_calls"), "without a name"),
    ],
)
def test_errors_in_the_stream(event: str, said: str) -> None:
    """An error that a server puts into the stream is an error, not silence."""
    with pytest.raises(ChatError, match=said):
        read(event)


def test_messages_as_the_api_takes_them() -> None:
    """Tool calls and their answers are tied together by id; plain messages carry nothing else."""
    assert wire_message(Message("user", "hi")) == {"role": "user", "content": "hi"}
    asked = wire_message(Message("assistant", "", (ToolCall("a", "x", "{}"),)))
    assert asked["tool_calls"] == [{"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}}]
    assert wire_message(Message("tool", "42", tool_call_id="a"))["tool_call_id"] == "a"


def test_a_tool_without_parameters_has_an_empty_schema() -> None:
    """Servers refuse a tool whose schema is not that of an object."""
    assert wire_tool(Tool("x", "does x"))["function"]["parameters"] == {"type": "object", "properties": {}}
