"""Clauses: as early as is certain, nothing lost, no word broken."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.clauses import ClauseSplitter, Word, words_of
from client_caller.conversation.policy import Policy
from client_caller.conversation.speech_text import speakable

TEXTS = st.lists(
    st.sampled_from(
        [
            "Yes", "well", "the", "I", "Dr.", "e.g.", "U.S.", "p.m.", "No.", "J.", "3.14", "1,200", "12:30", "7", "We",
            "bob@x.com", "https://a.b/c?d=1.2", "x" * 90, "。", "，", "你好", "नमस्ते।", "كيف؟", ".", "...", "…", "?",
            "!", ",", ";", ":", "-", "—", "--", "(", ")", '"', "**", "<b>", "\n", "😀", " ", " ", " ", " ", ". ", ", ",
        ]
    ),
    max_size=60,
).map("".join) | st.text(st.characters(exclude_categories=[]), max_size=80)  # fmt: skip


def split(text: str, policy: Policy | None = None, piece: int = 1) -> list[str]:
    splitter = ClauseSplitter(policy or Policy())
    clauses = [clause for at in range(0, len(text), piece) for clause in splitter.feed(text[at : at + piece])]
    return clauses + splitter.finish()


def joined(text: str) -> str:
    return "".join(text.split())


# ---------------------------------------------------------------- laws


@given(text=TEXTS, limit=st.integers(64, 100))
def test_nothing_is_lost_and_nothing_is_added(text: str, limit: int) -> None:
    """Joined, the clauses are the speakable text, up to white space. Text without a word has no clause."""
    clauses = split(text, Policy(clause_characters=limit))
    spoken = speakable(text)
    assert joined("".join(clauses)) == (joined(spoken) if any(map(str.isalnum, spoken)) else "")


@given(text=TEXTS, limit=st.integers(64, 100))
def test_each_clause_can_be_spoken(text: str, limit: int) -> None:
    """A clause is within the limit, has a letter or digit, one line and no white space around it."""
    for clause in split(text, Policy(clause_characters=limit)):
        assert len(clause) <= limit
        assert any(map(str.isalnum, clause))
        assert clause == clause.strip()
        assert "\n" not in clause


@given(text=TEXTS, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_how_the_text_was_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    places = sorted({0, *cuts, 200 + len(text)})
    splitter = ClauseSplitter(Policy())
    clauses = [clause for start, end in pairwise(places) for clause in splitter.feed(text[start:end])]
    assert clauses + splitter.finish() == split(text)


@given(text=TEXTS, limit=st.integers(0, 200))
def test_a_reply_has_a_limit_and_ends_with_a_whole_clause(text: str, limit: int) -> None:
    """The first clause that does not fit and all after it are dropped."""
    whole, cut = split(text), split(text, Policy(reply_characters=limit))
    assert cut == whole[: len(cut)]
    assert sum(map(len, cut)) <= limit
    assert cut == whole or sum(map(len, whole[: len(cut) + 1])) > limit


@given(TEXTS)
def test_words_are_the_runs_of_anything_but_white_space(text: str) -> None:
    assert [text[word.start : word.end] for word in words_of(text)] == text.split()


def test_the_offsets_of_words() -> None:
    assert words_of(" a  b.") == (Word(1, 2), Word(4, 6))


# ---------------------------------------------------------------- where clauses end


@pytest.mark.parametrize(
    "clauses",
    [
        # sentences
        ["Sure.", "I can help you with that!", "What's your number?", "Thanks…", "Bye"],
        ['He said "Stop!"', "(Really.)", "Fine."],
        ["您好。", "我可以帮您！", "谢谢"],
        ["नमस्ते।", "आप कैसे हैं?", "ठीक"],
        ["مرحبا؟", "أنا بخير۔", "شكرا"],
        ["Wait...", "I know."],
        # pauses: three words for the first clause, six for any other
        ["Yes, I can do that,", "and I will send you a message,", "so please wait."],
        ["I will do it —", "I really will do it today –", "or tomorrow."],
        ["He did it—", "nobody knows why he did it--", "not even he."],
        ["All of this:", "one, two, three, four and five;", "six."],
        ["我们明天下午三点，", "再见"],
        ["It is so...", "but not more than that"],
        # what must not be broken
        ["Pi is 3.14 and 1,200 people paid $4,000.50 at 12:30 for version 2.0.1 of it."],
        ["Mail bob.smith@x.co.uk, see https://a.b/c?d=1,2!", "Then call."],
        ["Dr. Smith and Mrs. Who met Prof. The here."],
        ["Use e.g. the U.S. Mail,", "i.e. it, until 5 p.m. Monday,", "ok?"],
        ["J. R. R. Tolkien wrote it with Ph.D. Jones."],
        ["See No. 5 and fig. 3 on Sept. 4 in ext. 12."],
        ["Der 3. Mai ist frei."],
        ["Call 5, 5, 5, 1, 2 - 3 now"],
        ["Mon-Fri, 10-20 snake_case"],
        ["1. Open it"],
        # where the next word decides
        ["We open at 9 a.m.", "Would that do?"],
        ["Take plan B.", "I like it."],
        ["It is for 4.", "The price is 5."],
        ["It costs $25.", "Fine."],
        ["In 1998.", "Later."],
        ["No.", "Never."],
    ],
)
def test_clauses_end_where_a_speaker_would_pause(clauses: list[str]) -> None:
    assert split(" ".join(clauses)) == clauses


def test_a_line_end_is_always_an_end() -> None:
    assert split("My list\n1. Open\n2. Close it") == ["My list", "1. Open", "2. Close it"]


def test_a_lower_case_word_after_an_ellipsis_or_a_doubt_goes_on() -> None:
    assert split("Well... maybe. It is approx. five etc. and so on") == [
        "Well... maybe.",
        "It is approx. five etc. and so on",
    ]


@pytest.mark.parametrize(
    ("before", "certain", "clause"),
    [
        ("Sure. ", "I", "Sure."),
        ("Sure.\n\n", "-2", "Sure."),
        ('Sure. "', "I", "Sure."),
        ("Yes, that is fine", ",", "Yes, that is fine,"),
        ("At 5 p.m. We'", "l", "At 5 p.m."),
        ("Fine **", "bold**. So", "Fine bold."),
    ],
)
def test_a_clause_is_given_with_the_first_character_that_makes_it_certain(
    before: str, certain: str, clause: str
) -> None:
    """Not a token later: the caller is waiting."""
    splitter = ClauseSplitter(Policy())
    assert splitter.feed(before) == []
    assert splitter.feed(certain) == [clause]


# ---------------------------------------------------------------- limits


def test_a_long_clause_is_cut_at_a_comma_else_a_blank_else_anywhere() -> None:
    policy = Policy(clause_characters=64)
    numbers = ", ".join("1234567890")
    assert split(f"{'12, ' * 20}12", policy)[0] == ("12, " * 16).strip()
    assert split("abc " * 20, policy)[0] == ("abc " * 15 + "abc").strip()
    assert split("ab" * 50, policy) == ["ab" * 32, "ab" * 18]
    assert split(numbers, policy) == [numbers]


def test_signs_alone_fill_no_clause() -> None:
    """The cut of a long clause leaves a word on either side, even where signs stand at its end."""
    clauses = split("ab" * 32 + " ) ( & % ? ! ; :", Policy(clause_characters=64))
    assert clauses == ["ab" * 31 + "a", "b ) ( & % ? ! ; :"]


def test_a_limit_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ValueError, match="clause_characters is 63; make it 64 or more"):
        ClauseSplitter(Policy(clause_characters=63))


def test_a_reply_may_go_on_after_its_end() -> None:
    """After a tool the caller is waiting again: the next clause is a first one, and the limit counts on."""
    splitter = ClauseSplitter(Policy(reply_characters=40))
    assert splitter.feed("One moment. ") + splitter.finish() == ["One moment."]
    assert splitter.feed("You owe us this, and") == ["You owe us this,"]
    assert splitter.finish() == ["and"]
    assert splitter.feed("more than fits") + splitter.finish() == []
