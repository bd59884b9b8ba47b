"""From a voice's own words or letters to the times of a clause's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.clauses import words_of
from client_caller.engines.protocols import WordTime
from client_caller.engines.word_clock import WordClock


@pytest.mark.parametrize(
    ("text", "said", "ends"),
    [
        ("Hello, world!", [("Hello", 10), ("world", 20)], [10, 20]),
        ("it's me", [("it", 5), ("'s", 8), ("me", 12)], [8, 12]),
        ("New York now", [("New York", 10), ("now", 15)], [10, 10, 15]),
        ("so - yes", [("so", 4), ("yes", 9)], [4, 4, 9]),
        ("HI you", [("h", 1), ("i", 2), (" ", 3), ("you", 6)], [2, 6]),
        ("pay $5 now", [("pay", 4), ("five dollars", 9), ("now", 12)], [4]),
        ("one two", [("one", 9), ("two", 5)], [9, 9]),
        ("Straße", [("strasse", 7)], [7]),
    ],
)
def test_words_end_when_their_letters_are_said(text: str, said: list[tuple[str, int]], ends: list[int]) -> None:
    """However the voice cuts its words; what it says otherwise ends the times, and they never run backwards."""
    clock = WordClock(text)
    times = [time for fragment, end in said for time in clock.said(fragment, end)]
    assert times == [WordTime(word, end) for word, end in enumerate(ends)]


@given(st.text(max_size=40), st.integers(1, 7))
def test_any_cut_gives_every_word_once(text: str, size: int) -> None:
    """A voice that says the clause itself gives each word with a letter its time, once and in order."""
    clock = WordClock(text)
    cuts = [text[start : start + size] for start in range(0, len(text), size)]
    times = [time for number, cut in enumerate(cuts, 1) for time in clock.said(cut, number)]
    assert [time.word for time in times] == list(range(len(times)))
    if any(char.isalnum() for char in text):
        assert len(times) == len(words_of(text))
