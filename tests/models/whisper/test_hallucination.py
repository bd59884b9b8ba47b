"""What is believed of a transcript, and what is not."""

import pytest

from client_caller.models.whisper.hallucination import Reason, compression_ratio, doubt, repeats

SURE = {"voiced": 1.0, "no_speech": 0.02, "mean_logprob": -0.2}


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "Thank you.",
        "No, no, no, no.",
        "My number is five five five five one two one two.",
        "I'd like a table for four, at seven if you have one.",
        "Can you play some music?",
        "",
    ],
)
def test_what_callers_say_is_believed(text: str) -> None:
    """Short answers, thanks, dictated digits and ordinary sentences pass."""
    assert doubt(text, **SURE) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Thanks for watching!", "silence_phrase"),
        ("Please like and subscribe to my channel.", "silence_phrase"),
        ("Subtitles by the Amara.org community", "silence_phrase"),
        ("[Music]", "silence_phrase"),
        ("the table " * 12, "repetition"),
        ("no " * 30, "repetition"),
        ("I think so. I think so. I think so. I think so.", "repetition"),
    ],
)
def test_what_no_caller_says_is_not(text: str, reason: Reason) -> None:
    """Sentences of subtitles and loops are recognised however sure Whisper is."""
    assert doubt(text, **SURE) == reason


def test_thanks_of_nobody() -> None:
    """A polite phrase needs a voice long enough to say it, and no sure sign that nobody spoke."""
    assert doubt("Thank you.", voiced=0.1, no_speech=0.1, mean_logprob=-0.3) == "silence_phrase"
    assert doubt("Thank you.", voiced=0.6, no_speech=0.7, mean_logprob=-0.3) == "silence_phrase"
    assert doubt("Seven.", voiced=0.1, no_speech=0.1, mean_logprob=-0.3) is None


def test_no_speech_counts_only_with_little_confidence() -> None:
    """As in the reference implementation: both signs together."""
    assert doubt("Half past nine.", voiced=1.0, no_speech=0.9, mean_logprob=-1.2) == "no_speech"
    assert doubt("Half past nine.", voiced=1.0, no_speech=0.9, mean_logprob=-0.5) is None
    assert doubt("Half past nine.", voiced=1.0, no_speech=0.4, mean_logprob=-1.2) is None


def test_repeats_count_in_a_row() -> None:
    """The same phrase with others between is no loop."""
    assert repeats("one two " * 4)
    assert not repeats("one two three. " * 3)
    assert not repeats("one two, six, one two, seven, one two, eight, one two")


def test_compression_is_that_of_the_bytes() -> None:
    """A loop shrinks, a sentence does not; letters outside ASCII count as what they are in UTF-8."""
    assert compression_ratio("so " * 100) > 10
    assert compression_ratio("A short one.") < 1
    assert compression_ratio("ü" * 200) > compression_ratio("u" * 200)
