"""The laws of word ends. The library itself is loaded by the worker process only: see test_espeak."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.clauses import words_of
from client_caller.engines.espeak_worker import word_ends

SOUND = np.full(1000, 500, np.int16)


def test_a_word_ends_where_the_next_begins() -> None:
    """Without a pause between two words, the one's end is the other's begin."""
    assert word_ends("good day", [(0, 0), (400, 5)], SOUND) == [400, 1000]


def test_silence_before_the_next_word_belongs_to_none() -> None:
    """A pause, and what the library leaves in it, is not waited for."""
    samples = SOUND.copy()
    samples[300:400] = 3
    samples[900:] = 0
    assert word_ends("good, day.", [(0, 0), (400, 6)], samples) == [300, 900]


def test_the_parts_of_one_word_count_as_that_word() -> None:
    """ "3:30" is three words for the library, and a position inside a number may come again."""
    assert word_ends("at 3:30 now", [(0, 0), (100, 3), (200, 5), (250, 4), (300, 8)], SOUND) == [100, 300, 1000]


def test_words_joined_into_one_sound_end_with_it() -> None:
    """Of "out of the" the library tells only the begin: none of the three is proven heard before its end."""
    assert word_ends("out of the house", [(0, 0), (700, 11)], SOUND) == [700, 700, 700, 1000]


def test_words_without_a_sound_end_with_the_word_before() -> None:
    """A dash is a word of ours, but has no sound."""
    assert word_ends("— yes — no —", [(0, 2), (500, 8)], SOUND) == [0, 500, 500, 1000, 1000]


def test_there_may_be_no_sound_at_all() -> None:
    """Text that says nothing ends at once."""
    assert word_ends("— —", [], np.zeros(0, np.int16)) == [0, 0]
    assert word_ends("", [], SOUND) == []


@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(-1, 80)), max_size=20),
    st.lists(st.integers(-6, 6), max_size=1000),
)
def test_ends_are_in_order_and_within_the_audio(text: str, starts: list[tuple[int, int]], audio: list[int]) -> None:
    """Whatever the library says: one end for each word, never falling, inside the audio."""
    ends = word_ends(text, starts, np.array(audio, np.int16))
    assert len(ends) == len(words_of(text))
    assert ends == sorted(ends)
    assert all(0 <= end <= len(audio) for end in ends)
