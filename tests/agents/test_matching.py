"""Phrases and what was heard of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.agents.matching import NO_FIT, score, words

WORDS = st.lists(st.sampled_from(["yes", "no", "table", "four", "people", "menu"]), min_size=1, max_size=6)


def test_words_have_no_case_and_no_punctuation() -> None:
    """An apostrophe inside a word belongs to it, whichever way it is typed."""
    assert words("Yes, I’m FOUR — o'clock_7!") == ("yes", "i'm", "four", "o'clock", "7")
    assert words(" … ") == ()


@pytest.mark.parametrize(
    ("phrases", "heard", "expected"),
    [
        (["menu"], "what is on the menu", (1.0, 1)),
        (["what is on the menu"], "what on menu", (0.6, 3)),
        (["four people"], "for people", NO_FIT),
        (["four people", "people"], "for people", (1.0, 1)),
        (["table"], "", NO_FIT),
        ([], "table", NO_FIT),
        (["…"], "table", NO_FIT),
        (["yes yes please"], "yes", NO_FIT),
    ],
)
def test_more_than_half_of_a_phrase_has_to_be_heard(
    phrases: list[str], heard: str, expected: tuple[float, int]
) -> None:
    """The best of the phrases counts; a word counts once."""
    assert score(phrases, heard) == expected


@settings(deadline=None)
@given(phrase=WORDS, around=WORDS)
def test_a_phrase_heard_whole_fits_whatever_is_around_it(phrase: list[str], around: list[str]) -> None:
    """Neither other words nor their order matter."""
    heard = " ".join(reversed([*around, *phrase]))
    assert score([" ".join(phrase)], heard) == (1.0, len(set(phrase)))
