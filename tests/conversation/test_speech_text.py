"""Text for a voice: whatever a model writes, what is spoken holds nothing that is only for the eye."""

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from client_caller.conversation.speech_text import SIGNS, SpeechText, speakable

FRAGMENTS = st.lists(
    st.sampled_from(
        [
            "<b>", "</b>", "<br/>", "<break time='1s'/>", "<!-- c -->", "<a@b.c>", "<", ">", "[x](http://a.b/_c(d))",
            "![", "[", "](", "]", "(", ")", "**", "*", "_", "__", "~~", "~", "`", "```", "```py\n", "| a | b |\n",
            "|---|:-:|\n", "|", "# ", "#", "1. ", "- ", "-", "--", "/", "\\", "a", "Hello", "aaaaaa", "2 * 3", "x_y",
            "5", "...", ".", ",", "!?!?", "\n", " ", "é", "\u0301", "中", "。", "😀", "👍🏽", "\u200b", "\u202e",
            "\ud83d", "\x00",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip
ANYTHING = FRAGMENTS | st.text(st.characters(exclude_categories=[]), max_size=60)


@given(ANYTHING)
@example("~²")
def test_nothing_of_what_is_only_for_the_eye_is_left(text: str) -> None:
    """No control, format, private, unassigned or lone surrogate character; no markup; white space folded."""
    spoken = speakable(text)
    for char in spoken:
        assert char in " \n" or unicodedata.category(char)[0] not in "CZ"
        assert char in "°©®™№℃℉" or unicodedata.category(char) != "So"
        assert char not in "[]`\\|"
    assert spoken == spoken.strip(" \n")
    assert not re.search(r"[ \n]{2}", spoken)
    assert not re.search(r"<\S|\S>|^[#*>\-] |\*\S|\S\*|~\D|(?m:^(?:---|===))", spoken)


@given(ANYTHING)
def test_given_again_it_comes_back_unchanged(text: str) -> None:
    """What can be spoken is spoken as it is."""
    assert speakable(speakable(text)) == speakable(text)


@given(text=ANYTHING, cuts=st.lists(st.integers(0, 100), max_size=6))
def test_how_the_text_was_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    """Markup may be cut anywhere: the stream gives the same as the whole."""
    places = sorted({0, *cuts, len(text)})
    speech = SpeechText()
    given_back = "".join(speech.feed(text[start:end]) for start, end in pairwise(places))
    rest = speech.feed(text[places[-1] :]) + speech.finish()
    assert given_back + rest == speakable(text)


@given(ANYTHING)
def test_repetition_is_bounded(text: str) -> None:
    """No letter more than three times in a row, and few signs between two words."""
    spoken = speakable(text)
    assert not re.search(r"([^\W\d_])\1{3}", spoken)
    for signs in re.findall(r"[\W_]+", spoken):
        bare = [
            char for char in signs.replace("...", ".") if not char.isspace() and unicodedata.category(char)[0] != "M"
        ]
        assert len(bare) <= SIGNS


@given(st.lists(st.from_regex(r"[A-Za-z]([a-z]?[a-z])?", fullmatch=True), max_size=20))
def test_plain_words_stay_as_they_are(words: list[str]) -> None:
    text = " ".join(words)
    assert speakable(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "a < b and c > d",
        "2 * 3 * 4 = 24",
        "call get_user_name now",
        "It is $4,000.50, or 3.14 (about 5%).",
        "Mail first_last@ex-am.com, or see https://a.b/c?d=1.",
        "C# is issue #5, at -5 °C, about ~7",
        "-5 degrees",
        "\"Stop!\" he said: 'no'.",
        "Well... okay -- fine",
        "¿Qué tal? Ça va. नमस्ते दुनिया। 您好。",
        "C# #5",
        "(see) (this)",
    ],
)
def test_signs_with_a_meaning_stay(text: str) -> None:
    assert speakable(text) == text


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        # emphasis
        ("**Hello** _there_, __you__ and *you*!", "Hello there, you and you!"),
        ("***all*** bold**ed** ~~gone~~ `code`", "all bolded gone code"),
        ("2*3 2**3 a*b", "2 * 3 2 * 3 a * b"),
        # headings, lists, quotes, rules
        ("# Title\n\n- one\n* two\n+ three\n> four\n1. five", "Title\none\ntwo\nthree\nfour\n1. five"),
        ("above\n---\nbelow\n===\n***", "above\nbelow"),
        ("- [ ] milk\n• tea", "milk\ntea"),
        # links and images
        ('see [our site](https://x.y/a_(b) "T") now', "see our site now"),
        ("![a cat](cat.png) sleeps [1]", "a cat sleeps 1"),
        ("[[h@'loU]]", "h@'loU"),
        ("[not a](\nlink)", "not a(\nlink)"),
        ("[cut](http://x", "cut(http://x"),
        # tables
        ("| Day | Time |\n|---|:-:|\n| Mon | 9:00 |", "Day, Time\nMon, 9:00"),
        ("ends. | Next", "ends. Next"),
        # code
        ("```python\nprint(1)\n```\nDone", "print(1)\nDone"),
        ("```print```", "print"),
        ("``", ""),
        # tags
        ("<speak>Hi <break time='1s'/>there <prosody rate=\"slow\">you</prosody></speak>", "Hi\nthere you"),
        ("one<br>two<!-- no --><?pi?> three", "one\ntwo three"),
        ("if a <b and c> d", "if a < b and c d"),
        ("x<y, 3>2, A -> B", "x < y, 3 > 2, A - B"),
        ("write to <a@b.c> or <https://x.y>", "write to a@b.c or https://x.y"),
        ("a < b", "a < b"),
        ("a <", "a <"),
        ("<" + "b" * 300 + ">", "bbb"),
        # characters
        ("Great 😀👍🏽 1️⃣ ok", "Great 1 ok"),
        ("a\x00b\u200b\u202ec\u00add\ud83d\u3164e\ue000", "abcde"),
        ("tab\there\r\nnext\u2028line\u00a0end", "tab here\nnext\nline end"),
        # repetition
        ("Nooooo!!! What?!?!?! Wait......", "Nooo! What?! Wait..."),
        ("http://a.b////c ----- d,, e", "http://a.b//c -- d, e"),
        ("a! ! ! ! ! ! ! ! ! ! b", "a! ! ! ! ! ! ! ! b"),
        ("10000000", "10000000"),
        ("e\u0301\u0302\u0303\u0304\u0305\u0306 \u0301x", "e\u0301\u0302\u0303\u0304 x"),
        # ends
        ("  spaced   out \n ", "spaced out"),
        ("stray } ) at the start? no", "stray } ) at the start? no"),
        ("wow![x](y)", "wow!x"),
        ("", ""),
    ],
)
def test_what_is_for_the_eye_goes(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


def test_what_is_certain_comes_at_once() -> None:
    """Plain words are not withheld; only white space, and a sign until what follows it is known, are."""
    speech = SpeechText()
    assert speech.feed("Hello ") == "Hello"
    assert speech.feed("**wor") == " wor"
    assert speech.feed("ld.") == "ld"
    assert speech.feed("**") == "."
    assert speech.finish() == ""


def test_an_endless_tag_or_link_is_text_after_all() -> None:
    """Nothing is withheld for ever: a tag or target that does not end is given up."""
    speech = SpeechText()
    assert "word word" in speech.feed("<b " + "word " * 100)
    assert "word word" in speech.feed("](" + "word " * 100)
    assert speech.feed("*" * 1000 + "after").endswith("after")


def test_after_the_end_a_new_line_begins() -> None:
    speech = SpeechText()
    assert speech.feed("one -") + speech.finish() == "one -"
    assert speech.feed("- two ") + speech.finish() == "two"
