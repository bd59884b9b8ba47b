"""From a stream of tokens to clauses: what is sent to text to speech at once.

The caller waits for the first clause, so it is given as soon as it is certain. A clause may end only in the gap between
two words, and whether it does is seen from the end of the one and the beginning of the other:

- at a line end: always;
- after `. ! ? …` and white space, or after a full stop of a script that uses none: always, but for a stop that may
  belong to the word before it (`Dr.`, `e.g.`, `U.S.`, `a.m.`, `J.`, `3.`). There the clause goes on unless the next
  word is one that begins sentences, so a doubt costs a longer clause, never a broken word;
- after a comma, a colon, a dash: once the clause has enough words, and not between two numbers. A comma after a letter
  ends it at once: whatever comes next, it is no number's.

`3.14`, `1,200`, `12:30`, addresses and versions have no gap, so nothing in them is asked at all.
"""

import re
from dataclasses import dataclass

from client_caller.conversation.policy import Policy
from client_caller.conversation.speech_text import SIGNS, SpeechText

_WORD = re.compile(r"\S+")

_SHORTEST = 8 * SIGNS
"""A clause of one letter with all the signs, blanks and accents it may have on both sides is shorter."""

_GAP = re.compile(r"(?<=[^\W_])[\W_]+(?=[^\W_])")
"""What stands between two letters or digits."""
_LETTERS = re.compile(r"[^\W_]+")
_CLOSING = "[\"'”’»)]*"
_STOP = re.compile(rf"([.!?…]+){_CLOSING}(?=\s)|[。！？｡।॥؟۔።]+[」』”’）]*")
_COMMA = re.compile(rf"[,;:،؛]{_CLOSING}(?=\s)|[，、；：—]")
_PAUSE = re.compile(rf"(?:[,;:،؛]|\.\.\.|…){_CLOSING}(?=\s)|[，、；：]|(?<=\s)[-–—](?=\s)|—|--")
_COMMA_AT_LAST = re.compile(r"[^\W\d_],$")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Letters of scripts without blanks: Thai, Lao, Khmer, Japanese, Chinese. About two of them make a word."""

_DOTTED = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]|\d{1,2}")
"""A word whose stop may be its own by its look: an initial, `U.S`, `a.m`, an ordinal."""
_TITLES = frozenset((
    "capt", "col", "dr", "fr", "gen", "gov", "hon", "hr", "lt", "messrs", "mlle", "mme", "mr", "mrs", "ms", "pres",
    "prof", "rep", "rev", "sen", "sgt", "sr", "sra", "sta", "mx",
))  # fmt: skip
"""Before a name, so what follows says nothing: "Dr. No"."""
_BEFORE_NUMBERS = frozenset((
    "apr", "apt", "art", "aug", "ch", "dec", "ext", "feb", "fig", "jan", "jul", "jun", "mar", "no", "nos", "nov",
    "nr", "oct", "p", "pp", "rm", "sec", "sep", "sept", "tel", "vol",
))  # fmt: skip
"""Abbreviations only before a number; "No." alone is an answer."""
_ABBREVIATIONS = frozenset((
    "al", "approx", "assn", "ave", "blvd", "bros", "bzw", "ca", "cf", "co", "corp", "dept", "div", "eg", "esp",
    "est", "etc", "ft", "ie", "inc", "incl", "jr", "lb", "lbs", "ltd", "max", "min", "misc", "mt", "oz", "ph.d",
    "ref", "resp", "st", "str", "temp", "ud", "uds", "univ", "usw", "vgl", "viz", "vs",
))  # fmt: skip
_OPENERS = frozenset((
    "also", "and", "anything", "are", "but", "can", "could", "did", "do", "does", "have", "he", "here", "how",
    "however", "i", "if", "is", "it", "let", "my", "no", "okay", "or", "our", "please", "shall", "she", "should",
    "so", "sorry", "thank", "thanks", "that", "the", "then", "there", "these", "they", "this", "those", "to", "we",
    "what", "when", "where", "which", "who", "why", "would", "yes", "you", "your",
))  # fmt: skip
"""Words with which a sentence begins rather than a name."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a clause: what a mark stands behind."""

    start: int
    end: int
    """Character offsets into the clause's text."""


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a clause: its runs of anything but white space."""
    return tuple(Word(found.start(), found.end()) for found in _WORD.finditer(text))


class ClauseSplitter:
    """The text of one reply, given back in clauses fit to be spoken.

    The clauses do not depend on how the text was cut. Joined, they are `speakable(text)` up to white space, as far as
    `reply_characters` allows: the first clause that does not fit is dropped with all that follow. Each clause has a
    letter or a digit, and at most `clause_characters`.
    """

    def __init__(self, policy: Policy) -> None:
        """Raise ValueError where the policy's `clause_characters` leave no room for a word and its signs."""
        if policy.clause_characters < _SHORTEST:
            raise ValueError(f"clause_characters is {policy.clause_characters}; make it {_SHORTEST} or more")
        self._policy = policy
        self._speech = SpeechText()
        self._text = ""
        """What belongs to no clause yet; begins with no white space."""
        self._given = 0
        """Characters of all clauses so far."""
        self._awaited = True
        """The caller hears nothing before the next clause."""
        self._full = False

    def feed(self, text: str) -> list[str]:
        """Take some more text; return the clauses that are certain now."""
        return self._take(self._speech.feed(text))

    def finish(self) -> list[str]:
        """Return the rest. The reply may go on afterwards (a tool has answered), with what is left of its limit."""
        clauses = self._take(self._speech.finish())
        clauses += self._give(self._text)
        self._text = ""
        self._awaited = True
        return clauses

    def _take(self, speech: str) -> list[str]:
        clauses: list[str] = []
        for char in speech:
            self._text += char
            if self._goes_on():
                continue
            while cut := self._cut():
                clauses += self._give(self._text[:cut])
                self._text = self._text[cut:].lstrip()
        return clauses

    def _goes_on(self) -> bool:
        """Whether the last character is in the middle of a word, where no clause's end becomes certain."""
        last = self._text[-2:]
        inside = len(last) == 2 and last.isascii() and last.isalpha()
        return inside and len(self._text) <= self._policy.clause_characters

    def _give(self, text: str) -> list[str]:
        clause = text.strip().replace("\n", " ")  # a line of signs alone ends the clause before it
        if not any(char.isalnum() for char in clause):
            return []
        self._full = self._full or self._given + len(clause) > self._policy.reply_characters
        if self._full:
            return []
        self._given += len(clause)
        self._awaited = False
        return [clause]

    def _cut(self) -> int | None:
        """Where the text's first clause ends, if that is certain."""
        words = self._policy.first_clause_words if self._awaited else self._policy.clause_words
        cut = _first_end(self._text, words)
        if (cut or len(self._text)) <= self._policy.clause_characters:
            return cut
        return _forced_end(self._text, self._policy.clause_characters)


def clauses_of(text: str, policy: Policy) -> list[str]:
    """The clauses of a text that is known whole."""
    splitter = ClauseSplitter(policy)
    return [*splitter.feed(text), *splitter.finish()]


def _first_end(text: str, enough: int) -> int | None:
    for gap in _GAP.finditer(text):
        between, start = gap[0], gap.start()
        if "\n" in between:
            return start + between.index("\n")
        if stop := _STOP.search(between):
            verdict = _is_sentence_end(text[:start], stop[1], text[gap.end() :])
            if verdict is None:
                return None
            if verdict:
                return start + stop.end()
        pause = _PAUSE.search(between)
        if pause and _words(text[:start]) >= enough and not (text[start - 1].isdigit() and text[gap.end()].isdigit()):
            return start + pause.end()
    return len(text) if _COMMA_AT_LAST.search(text) and _words(text) >= enough else None


def _is_sentence_end(before: str, stop: str | None, after: str) -> bool | None:
    """Whether a stop ends a sentence; None when the next word has to be known to its end.

    `stop` is the stop itself, None where its script has no other use for it.
    """
    if stop is None or "!" in stop or "?" in stop:
        return True
    if stop != ".":
        return not after[0].islower()
    word = before.split()[-1].lstrip("\"'“‘«([¿¡").lower()
    if word in _TITLES or (word in _BEFORE_NUMBERS and after[0].isdigit()) or before.isdigit():
        return False
    if word not in _ABBREVIATIONS and not _DOTTED.fullmatch(word):
        return True
    if not after[0].isupper():
        return False
    following = _LETTERS.findall(after)[0]
    return None if following == after else following.lower() in _OPENERS


def _words(text: str) -> int:
    return len(words_of(text)) + len(_UNSPACED.findall(text)) // 2


def _forced_end(text: str, limit: int) -> int:
    """Where to cut a text longer than the limit that has no clause's end: at a pause, else a blank, else anywhere.

    Both parts get a letter or digit.
    """
    letters = [place for place, char in enumerate(text) if char.isalnum()]
    latest = min(limit, letters[-1])
    pauses = [found.end() for found in _COMMA.finditer(text, latest // 2, latest)]
    blanks = [place for place in range(letters[0], latest + 1) if text[place].isspace()]
    return max(pauses or blanks or [latest])
