"""The laws of late proof: no word is proven that a clear may have dropped, and all but the last are."""

import random

from hypothesis import given
from hypothesis import strategies as st

from client_caller.runtime.late_proof import APART, LateProof


def test_marks_that_come_back_together_prove_nothing() -> None:
    """As a clear returns them."""
    late = LateProof()
    late.cleared(["a", "b", "c"])
    assert [late.prove(mark, 500) for mark in "abc"] == [None] * 3


def test_a_mark_with_the_caller_s_voice_behind_it_was_played() -> None:
    """The clear returns all that it drops at once: what came two frames earlier was none of that."""
    late = LateProof()
    late.cleared(["a", "b", "c", "d"])
    assert late.prove("a", 500) is None
    assert late.prove("b", 500 + APART) == "a"
    assert late.prove("c", 500 + APART + 20) is None, "one frame may slip in"
    assert late.prove("d", 500 + 2 * APART + 20) == "c"


def test_the_latest_that_is_proven_is_told() -> None:
    """It proves those before."""
    late = LateProof()
    late.cleared(["a", "b", "c"])
    assert [late.prove(mark, heard) for mark, heard in (("a", 0), ("b", 20), ("c", 60))] == [None, None, "b"]


def test_a_lost_mark_keeps_nothing_from_being_proven() -> None:
    """The next one stands for it."""
    late = LateProof()
    late.cleared(["a", "b", "c"])
    assert late.prove("b", 100) is None
    assert late.prove("c", 200) == "b"
    assert late.prove("a", 300) is None, "it comes too late to prove anything"


def test_marks_of_another_clear_prove_nothing() -> None:
    """What the first clear dropped is not proven by what was sent after it."""
    late = LateProof()
    late.cleared(["a", "b"])
    late.cleared(["c", "d"])
    assert [late.prove(mark, heard) for mark, heard in (("a", 0), ("b", 0), ("c", 900), ("d", 900))] == [None] * 4


def test_unknown_marks_are_nobody_s() -> None:
    """Marks that were not on their way, or came back already."""
    late = LateProof()
    late.cleared(["a"])
    assert late.prove("x", 0) is None
    assert late.prove("a", 0) is None
    assert late.prove("a", 900) is None


@given(st.integers(0, 2**32))
def test_exactly_what_was_played_and_is_not_the_last_is_proven(seed: int) -> None:
    """Words played one after the other, a clear at any moment, and perhaps a frame that slips in where it must not."""
    source = random.Random(seed)
    late = LateProof()
    for _ in range(source.randrange(1, 4)):
        words = [str(source.random()) for _ in range(source.randrange(1, 8))]
        late.cleared(words)
        played = source.randrange(len(words) + 1)
        heard = source.randrange(0, 10_000, 20)
        proven = -1
        for place, word in enumerate(words):
            found = late.prove(word, heard)
            if found is not None:
                proven = words.index(found)
            heard += (
                source.randrange(APART, 400, 20) if place < played else source.choice((0, 0, 20)) * (place == played)
            )
        assert proven < played
        assert proven == min(played, len(words) - 1) - 1
