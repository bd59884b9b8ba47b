"""The laws of committing words that are still being spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.models.hearing.words import Word, same, text_of
from client_caller.models.whisper.local_agreement import LocalAgreement


def words(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def commit_all(guesses: list[str]) -> list[tuple[str, str]]:
    """After each guess: what it committed, and what is left of it."""
    agreement = LocalAgreement()
    told = []
    for guess in guesses:
        newly = agreement.guess(words(guess))
        told.append((text_of(newly), text_of(agreement.uncommitted)))
    return told


def test_a_word_is_committed_by_its_second_guess() -> None:
    """The golden course of a growing turn: each word is committed when the next guess has it too."""
    assert commit_all(["I", "I want", "I want a", "I want a table"]) == [
        ("", "I"),
        ("I", "want"),
        ("want", "a"),
        ("a", "table"),
    ]


def test_a_word_that_is_rewritten_is_never_committed() -> None:
    """What the next guess has otherwise is dropped, and so is all that came after it."""
    assert commit_all(["I won", "I want to", "I want two tables", "I want two tables"]) == [
        ("", "I won"),
        ("I", "want to"),
        ("want", "two tables"),
        ("two tables", ""),
    ]


def test_case_and_punctuation_do_not_disagree() -> None:
    """The words count, as the second guess writes them."""
    assert commit_all(["hello.", "Hello, it's"]) == [("", "hello."), ("Hello,", "it's")]


def test_signs_alone_are_words_of_their_own() -> None:
    """A sign with nothing inside it is the same as itself only."""
    assert same(Word("–"), Word("–"))
    assert not same(Word("–"), Word("…"))


@pytest.mark.parametrize(
    ("guess", "rest"),
    [
        ("for some one else", "else"),
        ("for someone else", "else"),
        ("uh for someone else", "else"),
        ("four someone else", "else"),
    ],
)
def test_words_heard_as_one_more_or_less_are_found(guess: str, rest: str) -> None:
    """Where a guess splits, joins or respells committed words, what follows them is still told once."""
    agreement = LocalAgreement()
    committed = "for some one" if guess.startswith("for some one") else "for someone"
    for _ in range(2):
        agreement.guess(words(committed))
    agreement.guess(words(guess))
    assert text_of(agreement.uncommitted) == rest


def test_a_guess_that_has_no_committed_word_is_read_by_its_times() -> None:
    """Where times are known they say what comes after the committed words; else their number does."""
    agreement = LocalAgreement()
    for _ in range(2):
        agreement.guess([Word("one", 0.0, 0.4), Word("two", 0.5, 0.9)])
    agreement.guess([Word("won", 0.0, 0.3), Word("too", 0.4, 0.6), Word("too", 0.7, 0.8), Word("three", 1.0, 1.4)])
    assert text_of(agreement.uncommitted) == "three"
    agreement.guess([Word("won", 0.0, 0.4)])
    assert agreement.uncommitted == ()
    agreement.guess(words("won too three"))
    assert text_of(agreement.uncommitted) == "three"


def test_settling_commits_the_rest() -> None:
    """The last word on the audio leaves nothing open, and tells nothing twice."""
    agreement = LocalAgreement()
    agreement.guess(words("one two"))
    agreement.guess(words("one two thr"))
    assert text_of(agreement.settle(words("one two three four"))) == "three four"
    assert text_of(agreement.committed) == "one two three four"
    assert agreement.uncommitted == ()


some_words = st.lists(st.sampled_from(["a", "A,", "b", "c", "d.", "–"]), max_size=8)
guesses = st.lists(
    some_words.flatmap(
        lambda texts: st.one_of(
            st.just([Word(text) for text in texts]),
            st.just([Word(text, i * 0.5, i * 0.5 + 0.4) for i, text in enumerate(texts)]),
        )
    ),
    max_size=8,
)


@given(guesses)
def test_committed_words_are_never_taken_back(course: list[list[Word]]) -> None:
    """Whatever is guessed, what was committed stays, grows at its end only, and is all that was ever told."""
    agreement = LocalAgreement()
    told: list[Word] = []
    for guess in course:
        before = agreement.committed
        told += agreement.guess(guess)
        assert agreement.committed[: len(before)] == before
        assert list(agreement.committed) == told


@given(guesses)
def test_only_what_two_guesses_in_a_row_have_is_committed(course: list[list[Word]]) -> None:
    """Each word that a guess commits is in that guess, and in the one before."""
    agreement = LocalAgreement()
    last: list[Word] = []
    for guess in course:
        for word in agreement.guess(guess):
            assert word in guess
            assert any(same(word, other) for other in last)
        last = guess


@given(some_words, st.integers(2, 8))
def test_guesses_that_only_grow_are_committed_in_full(texts: list[str], steps: int) -> None:
    """If no guess ever changes a word, the committed text is the text, without a gap or a repetition."""
    whole = [Word(text) for text in texts]
    agreement = LocalAgreement()
    for step in range(steps + 1):
        agreement.guess(whole[: len(whole) * step // steps])
    agreement.guess(whole)
    assert list(agreement.committed) == whole
