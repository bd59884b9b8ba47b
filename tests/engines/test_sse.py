"""Server-sent events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.engines.sse import MAX_EVENT, EventStream


def events_of(*chunks: bytes) -> list[str]:
    stream = EventStream()
    return [event for chunk in chunks for event in stream.feed(chunk)] + stream.finish()


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8), max_size=6),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.data(),
)
def test_events_do_not_depend_on_how_the_bytes_are_cut(texts: list[str], end: bytes, data: st.DataObject) -> None:
    """Every event comes out once and whole, whatever the line end and wherever the network cut the bytes."""
    body = b"".join(b"data: " + text.encode() + end + end for text in texts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    edges = [0, *cuts, len(body)]
    assert events_of(*(body[a:b] for a, b in pairwise(edges))) == texts


def test_only_data_counts() -> None:
    """Comments (pings) and other fields are no events; several data lines are one."""
    assert events_of(b": ping\n\nevent: x\nid: 1\n\ndata: one\ndata:two\n\n") == ["one\ntwo"]


def test_a_last_event_needs_no_empty_line() -> None:
    """A server that forgets the closing empty line loses nothing."""
    assert events_of(b"data: a\n\ndata: [DONE]") == ["a", "[DONE]"]


def test_what_is_no_event_stream_is_refused() -> None:
    """Neither an endless line nor bytes that are not UTF-8 are taken."""
    with pytest.raises(ValueError, match="larger"):
        EventStream().feed(b"x" * (MAX_EVENT + 1))
    with pytest.raises(ValueError, match="utf-8"):
        EventStream().feed(b"data: \xff\n\n")
