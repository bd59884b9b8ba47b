"""The frames that a call has 50 of a second are read and written as the WebSocket library has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from client_caller.server import frames

EDGES = (0, 1, 125, 126, 127, 65535, 65536)
"""Lengths at which a header changes its form, and their neighbours."""
SAID = st.one_of(st.text(max_size=300), st.sampled_from(EDGES).map(lambda length: "x" * length))
OPCODES = st.sampled_from(list(Opcode))


def client(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


@given(st.lists(st.tuples(OPCODES, st.binary(max_size=125)), min_size=1, max_size=5), st.data())
def test_a_frame_ends_where_the_next_begins(said: list[tuple[Opcode, bytes]], data: st.DataObject) -> None:
    """Whatever was received of a stream, its whole frames are found, and never one that is not whole."""
    whole = [client(opcode, payload) for opcode, payload in said]
    stream = b"".join(whole)
    cut = data.draw(st.integers(0, len(stream)))
    found, start = [], 0
    while (end := frames.end(stream[:cut], start)) <= cut and start < cut:
        found.append(stream[start:end])
        start = end
    assert found == whole[: len(found)]
    assert len(found) == len(whole) or start <= cut < start + len(whole[len(found)])


@pytest.mark.parametrize("length", EDGES)
@pytest.mark.parametrize("mask", [True, False])
def test_every_form_of_header_is_known(length: int, mask: bool) -> None:
    """Its length is found as soon as the header is whole, and no header is longer than we say."""
    frame = Frame(Opcode.BINARY, bytes(length)).serialize(mask=mask)
    header = len(frame) - length
    assert header <= frames.HEADER
    assert frames.end(frame[: header - (4 if mask else 0)], 0) == len(frame)
    assert frames.end(b"..." + frame, 3) == 3 + len(frame)


@given(SAID)
def test_what_a_client_says_is_read(said: str) -> None:
    """Plain ASCII in one frame, of any length; everything else is left to the library."""
    assert frames.text_of(client(Opcode.TEXT, said.encode())) == (said if said.isascii() else None)


@pytest.mark.parametrize(
    "frame",
    [
        client(Opcode.BINARY, b"abc"),
        client(Opcode.PING, b"abc"),
        client(Opcode.CLOSE, b""),
        client(Opcode.CONT, b"abc"),
        client(Opcode.TEXT, b"abc", fin=False),
        b"\xc1" + client(Opcode.TEXT, b"abc")[1:],
        Frame(Opcode.TEXT, b"abc").serialize(mask=False),
        client(Opcode.TEXT, b"\xff\xfe"),
    ],
    ids=["binary", "ping", "close", "continuation", "part", "extension", "unmasked", "no text"],
)
def test_anything_else_is_left_to_the_library(frame: bytes) -> None:
    """It knows what to do with parts, control frames, and what breaks the protocol."""
    assert frames.text_of(frame) is None


@given(SAID)
def test_what_we_say_is_understood(said: str) -> None:
    """The library, as a client, reads our frames back, and finds no byte more."""
    reader = StreamReader()
    reader.feed_data(frames.text_frame(said))
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    frame = done.value.value
    assert (frame.opcode, frame.fin, bytes(frame.data).decode()) == (Opcode.TEXT, True, said)
    reader.feed_eof()
    with pytest.raises(StopIteration) as end:
        next(reader.at_eof())
    assert end.value.value is True
