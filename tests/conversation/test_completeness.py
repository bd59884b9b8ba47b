"""Which words are hardly a caller's last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.completeness import dictates, is_fragment, is_whole_number, promises_more, sounds_open
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import ends_in, made_of, words

PHRASES = Phrases()
POLICY = Policy()


@pytest.mark.parametrize(
    "text", ["I would like", "and I'll", "because you're", "in short", "well, you see", "If I come at nine", "Ask not"]
)
def test_the_beginning_of_a_sentence_is_waited_for(text: str) -> None:
    """A verb that is still to come, a mere opening, a condition without what follows from it."""
    assert sounds_open(text, PHRASES)


@pytest.mark.parametrize(
    "text",
    [
        "That is all I need",
        "Why not",
        "Thank you",
        "Who is it from?",
        "if I come at nine can I park my car there",
        "hi",
    ],
)
def test_what_only_looks_like_a_beginning_is_not(text: str) -> None:
    """A phrase that ends like this is complete; so is a question, and a condition with its main clause."""
    assert not sounds_open(text, PHRASES)


@pytest.mark.parametrize("text", ["thirty three forty six", "it is 33 46", "m i l", "b as in 5 5", "[pressed 5]"])
def test_numbers_and_letters_are_dictated_piece_by_piece(text: str) -> None:
    """Pairs of digits, spelled letters, keys."""
    assert dictates(text, PHRASES)
    assert promises_more(text, PHRASES)


@pytest.mark.parametrize("text", ["two thirty", "forty", "at 2 30", "room 55", "grade b", ""])
def test_a_time_or_a_single_number_is_not_dictated(text: str) -> None:
    """One piece is a count, a price, a time."""
    assert not dictates(text, PHRASES)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("five five five zero one four seven", True),
        ("my number is 555 0147", True),
        ("double five five zero one four seven", True),
        ("triple five zero one four seven", True),
        ("forty six ninety two twelve five", True),
        ("five five five zero one four", False),
        ("five five five", False),
        ("five five five zero one four seven [pressed 1]", False),
        ("", False),
    ],
)
def test_a_whole_telephone_number_is_known_by_its_length(text: str, whole: bool) -> None:
    """However its digits are spoken; after a key more keys come."""
    assert is_whole_number(text, PHRASES, POLICY) is whole


@pytest.mark.parametrize(("text", "fragment"), [("isolated tornadoes", True), ("billing", False), ("", False)])
def test_words_without_a_verb_are_a_fragment(text: str, fragment: bool) -> None:
    """A noun by itself says what is talked of, and not what of it."""
    assert is_fragment(text, PHRASES) is fragment


@pytest.mark.parametrize("text", ["go forward ten meters", "express please", "isn't blue", "Two people?", "I sing"])
def test_a_verb_a_pronoun_or_a_question_mark_makes_a_sentence(text: str) -> None:
    """So does "please"."""
    assert not is_fragment(text, PHRASES)


@given(st.lists(st.sampled_from([*PHRASES.openers, *PHRASES.backchannels, "box", "tornado"]), max_size=6))
def test_what_is_put_together_of_phrases_is_known_for_it(parts: list[str]) -> None:
    """Whatever their order; a word that is none of them spoils it."""
    spoken = words(" ".join(parts))
    known = (*PHRASES.openers, *PHRASES.backchannels, "")
    assert made_of(spoken, known) is not bool({"box", "tornado"} & set(parts))


@given(st.text(), st.text())
def test_an_ending_is_one_wherever_the_words_began(before: str, ending: str) -> None:
    """And a phrase without words ends nothing."""
    assert ends_in(words(f"{before} {ending}"), (ending,)) is bool(words(ending))
