"""The laws of the language model that is made of a few sentences."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.engines.bigrams import BEGIN, END, arpa, spoken_words

SENTENCES = st.lists(st.lists(st.sampled_from("abcdefg"), max_size=6), min_size=1, max_size=12).filter(any)


class Model:
    """An ARPA file read back, by the definition of its format."""

    def __init__(self, text: str) -> None:
        head, ones, twos = re.split(r"\\[12]-grams:\n", text)
        self.announced = [int(count) for count in re.findall(r"ngram \d=(\d+)", head)]
        self.ones = {line.split()[1]: line.split() for line in ones.strip().splitlines()}
        self.twos = {tuple(line.split()[1:]): float(line.split()[0]) for line in _until_end(twos)}
        self.words = [word for word in self.ones if word != BEGIN]

    def probability(self, before: str, word: str) -> float:
        if (before, word) in self.twos:
            return 10 ** self.twos[before, word]
        backoff = float(self.ones[before][2]) if len(self.ones[before]) > 2 else 0.0
        return float(10 ** (backoff + float(self.ones[word][0])))


def _until_end(text: str) -> Sequence[str]:
    return text[: text.index("\\end\\")].strip().splitlines()


@given(SENTENCES)
def test_after_every_word_the_probabilities_add_up_to_one(sentences: list[list[str]]) -> None:
    """Seen followers, and the rest by way of the back-off weight, are one distribution; so are the words alone."""
    model = Model(arpa(sentences))
    assert sum(10 ** float(model.ones[word][0]) for word in model.words) == pytest.approx(1, abs=1e-3)
    for before in {word for sentence in sentences for word in sentence} | {BEGIN}:
        assert sum(model.probability(before, word) for word in model.words) == pytest.approx(1, abs=1e-3)


@given(SENTENCES)
def test_all_that_was_said_is_likelier_than_what_was_not(sentences: list[list[str]]) -> None:
    """After a word, each follower that was seen is likelier than each that was not; none is impossible."""
    model = Model(arpa(sentences))
    for before in {first for first, _ in model.twos}:
        seen = [model.probability(before, word) for word in model.words if (before, word) in model.twos]
        new = [model.probability(before, word) for word in model.words if (before, word) not in model.twos]
        assert min(seen) > max(new, default=0)
        assert min(new, default=1) > 0


@given(SENTENCES)
def test_the_file_announces_what_it_holds(sentences: list[list[str]]) -> None:
    """The counts in the head are those of the lines: readers allocate by them."""
    model = Model(arpa(sentences))
    assert model.announced == [len(model.ones), len(model.twos)]
    assert {BEGIN, END} <= set(model.ones)


def test_frequent_sentences_are_likelier() -> None:
    """A sentence given twice counts twice."""
    model = Model(arpa([["yes"], ["yes"], ["no"]]))
    assert model.probability(BEGIN, "yes") > 1.5 * model.probability(BEGIN, "no")


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_nothing_makes_no_model(nothing: list[list[str]]) -> None:
    """Without a word there is no distribution."""
    with pytest.raises(ValueError, match="at least one sentence"):
        arpa(nothing)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Yes, please!", ("yes", "please")),
        ("It’s eight o'clock.", ("it's", "eight", "o'clock")),
        ("uh-huh … “well” — no", ("uh-huh", "well", "no")),
        ("  ", ()),
        ("?!", ()),
    ],
)
def test_a_sentence_becomes_words_of_a_dictionary(written: str, words: tuple[str, ...]) -> None:
    """Lower case, without the marks around words, with those inside."""
    assert spoken_words(written) == words
