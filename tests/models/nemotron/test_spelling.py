"""The laws of making words of their pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.models.hearing.words import text_of
from client_caller.models.nemotron.chunks import Token
from client_caller.models.nemotron.spelling import Spelling

FRAME = 0.08
pieces = st.lists(st.sampled_from(("▁", "▁he", "▁I", "llo", "'m", ".")), max_size=30)


def test_a_word_is_certain_when_the_next_begins() -> None:
    """Until then it may get longer; at the end there is nothing to wait for."""
    spelling = Spelling(2.0, FRAME)
    assert spelling.take([Token("▁he", 1, 0.5)]) == ()
    assert text_of(spelling.unstable) == "he"
    assert spelling.take([Token("llo", 2, 1.0)]) == ()
    assert text_of(spelling.unstable) == "hello"
    (hello,) = spelling.take([Token("▁you", 5, 1.0)])
    assert hello.text == "hello"
    assert (hello.start, hello.end) == pytest.approx((2.08, 2.24))
    assert hello.confidence == pytest.approx(0.75)
    assert text_of(spelling.end()) == "you"
    assert spelling.unstable == ()
    assert text_of(spelling.certain) == "hello you"


def test_signs_belong_to_the_word_before() -> None:
    """They are pieces that begin no word; a mark alone is none."""
    spelling = Spelling(0.0, FRAME)
    said = ("▁", "Yes", ",", "▁", "▁please", ".")
    spelling.take([Token(piece, frame, 1.0) for frame, piece in enumerate(said)])
    spelling.end()
    assert text_of(spelling.certain) == "Yes, please."


@given(pieces, st.data())
def test_what_is_certain_stays_and_nothing_is_lost(said: list[str], data: st.DataObject) -> None:
    """However the pieces come: certain words only grow at their end, and all of them are the pieces joined."""
    spelling = Spelling(0.0, FRAME)
    left = [Token(piece, frame, 1.0) for frame, piece in enumerate(said)]
    while left:
        count = data.draw(st.integers(1, len(left)))
        before = spelling.certain
        new = spelling.take(left[:count])
        assert spelling.certain == before + new
        left = left[count:]
    last = spelling.unstable
    assert spelling.end() == last
    assert text_of(spelling.certain).split() == "".join(said).replace("▁", " ").split()
