"""When the words of a clause end, from what a voice tells of its own words or letters.

Vendors cut words otherwise than we do: with or without punctuation, `it's` in two, or letter by letter. So only
letters and digits are compared, in their order: a word of ours has ended once as many of them were said.
"""

from itertools import accumulate

from client_caller.conversation.clauses import words_of
from client_caller.engines.protocols import WordTime


class WordClock:
    """One clause's words, each told once, in order.

    A voice that says something else than the clause has (`$5` as "five dollars") is not followed any further: the
    words from there on have no times here, and are estimated like those of a voice that gives none.
    """

    def __init__(self, text: str) -> None:
        words = [_letters(text[word.start : word.end]) for word in words_of(text)]
        self._letters = "".join(words)
        self._ends = list(accumulate(map(len, words)))
        self._said = 0
        self._told = 0
        self._time = 0
        self._lost = False

    def said(self, fragment: str, end: int) -> list[WordTime]:
        """Some more was said, by this sample of the clause: the words that have ended with it."""
        letters = _letters(fragment)
        self._lost |= not self._letters.startswith(letters, self._said)
        if self._lost or not letters:
            return []
        self._said += len(letters)
        self._time = max(self._time, end)
        done = []
        while self._told < len(self._ends) and self._ends[self._told] <= self._said:
            done.append(WordTime(self._told, self._time))
            self._told += 1
        return done


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
