"""When a caller's words sound finished, and when they are a goodbye."""

import pytest

from client_caller.conversation.completeness import sounds_open
from client_caller.conversation.endpointing import (
    Evidence,
    is_farewell,
    silence_needed,
)
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import same_words, words

PHRASES = Phrases()


def test_words_have_no_case_and_no_punctuation() -> None:
    """Speech to text changes its mind about both; an apostrophe belongs to its word, whichever it is."""
    assert words("Well, I’m HERE - at 5, Main_Street!") == ("well", "i'm", "here", "at", "5", "main", "street")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("I want two.", "i want  two", True),
        ("Don't", "don’t!", True),
        ("I want two", "I want too", False),
        ("I want", "I want two", False),
        ("", "...", True),
    ],
)
def test_transcripts_are_the_same_if_their_words_are(one: str, other: str, same: bool) -> None:
    """A final transcript that only adds a full stop is no reason to think again."""
    assert same_words(one, other) is same


@pytest.mark.parametrize(
    "text", ["My number is", "It was blue,", "I would like -", "Wait…", "so um", "five and ", "To"]
)
def test_open_words_ask_for_more(text: str) -> None:
    """A comma, a hanging hyphen, or a word that promises another."""
    assert sounds_open(text, PHRASES)
    assert silence_needed(Evidence(text), Policy(), PHRASES) == Policy().endpoint_open


@pytest.mark.parametrize("text", ["Yes.", "It is blue", "Five?", "", "?"])
def test_closed_words_do_not(text: str) -> None:
    """Everything else is finished as soon as the caller is."""
    assert not sounds_open(text, PHRASES)
    assert silence_needed(Evidence(text), Policy(), PHRASES) == Policy().endpoint_closed


@pytest.mark.parametrize(
    ("completion", "silence"),
    [(None, 480), (0.0, 1100), (0.09, 1100), (0.1, 480), (0.49, 480), (0.5, 420), (1.0, 420)],
)
def test_the_voice_decides_where_it_is_sure(completion: float | None, silence: int) -> None:
    """A voice that stays up is waited for; one that has come down is answered soon."""
    assert silence_needed(Evidence("It is blue", completion=completion), Policy(), PHRASES) == silence


@pytest.mark.parametrize("completion", [None, 0.0, 0.5, 1.0])
def test_words_can_outvote_the_voice(completion: float | None) -> None:
    """In the middle of a number the voice says nothing; and a "yes" is a whole answer, however it sounds."""
    assert silence_needed(Evidence("five five five", "", completion), Policy(), PHRASES) == 1100
    assert silence_needed(Evidence("my name is", "", completion), Policy(), PHRASES) == 1100
    assert silence_needed(Evidence("yes", "Is it?", completion), Policy(), PHRASES) == 280


@pytest.mark.parametrize("text", ["five five", "My number is 5 5 5", "it is oh seven", "double three"])
def test_digits_are_waited_for(text: str) -> None:
    """Who says single digits one after the other dictates a number, and pauses between its groups."""
    assert silence_needed(Evidence(text), Policy(), PHRASES) == Policy().endpoint_open


@pytest.mark.parametrize("text", ["it is five", "I have room 55", "come at nine", "I have two"])
def test_a_lone_number_is_not_dictated(text: str) -> None:
    """A count, a time or a price is over when it is said."""
    assert silence_needed(Evidence(text), Policy(), PHRASES) == Policy().endpoint_closed


@pytest.mark.parametrize("text", ["Yes.", "no, thanks", "Sure!"])
@pytest.mark.parametrize("asked", ["Is that right?", "Thank you. Shall I book it for you?"])
def test_yes_answers_a_question_for_yes_or_no(text: str, asked: str) -> None:
    """Nothing else has to be waited for."""
    assert silence_needed(Evidence(text, asked), Policy(), PHRASES) == Policy().endpoint_sure


@pytest.mark.parametrize(
    ("text", "asked"),
    [("Yes.", "What is your name?"), ("Yes.", "Shall I book it."), ("Yes", "?"), ("Yes.", ""), ("", "Is it?")],
)
def test_yes_to_anything_else_is_waited_for(text: str, asked: str) -> None:
    """It may be the beginning of something."""
    assert silence_needed(Evidence(text, asked), Policy(), PHRASES) == Policy().endpoint_closed


@pytest.mark.parametrize("text", ["Goodbye.", "Okay, thanks, bye bye!", "No, that's all", "That’s all.", "good bye"])
def test_a_turn_that_ends_with_a_goodbye_is_a_farewell(text: str) -> None:
    """Whatever stands before it."""
    assert is_farewell(text, PHRASES)


@pytest.mark.parametrize("text", ["", "Bye the way", "Goodbye is what she said", "all", "I will stand by", "lullabye"])
def test_a_goodbye_elsewhere_is_none(text: str) -> None:
    """In the middle of a turn, or as part of another word, it says nothing."""
    assert not is_farewell(text, PHRASES)


def test_an_empty_farewell_never_matches() -> None:
    """A phrase without words would end every call."""
    assert not is_farewell("hello", Phrases(farewells=("", "!")))


@pytest.mark.parametrize(
    ("evidence", "silence"),
    [
        (Evidence("two people", "How many are you?", 0.05, voiced=800), 280),
        (Evidence("two people", "", 0.99, voiced=800), 1100),
        (Evidence("I sing", "", 0.05, voiced=800), 480),
        (Evidence("two people", "How many are you?", 0.05, voiced=1300), 1100),
        (Evidence("four", "How many are you?", 0.05, voiced=400), 1100),
        (Evidence("hello", "How can I help?", 0.99, voiced=400), 480),
        (Evidence("it is for two of us", "How many are you?", 0.3, voiced=1300), 390),
        (Evidence("it is for two of us", "How many are you?", 0.84, voiced=1300), 390),
        (Evidence("it is for two of us", "How many are you?", 0.85, voiced=1300), 280),
        (Evidence("it is for two of us", "", 0.3, voiced=1300), 480),
        (Evidence("five five five zero one four seven", "", 0.05, voiced=3000), 480),
    ],
)
def test_what_was_asked_tells_what_a_whole_answer_is(evidence: Evidence, silence: int) -> None:
    """A few words answer a question and hardly ever stand alone; of one word and of long turns the voice knows more."""
    assert silence_needed(evidence, Policy(), PHRASES) == silence
