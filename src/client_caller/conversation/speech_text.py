"""From what a language model writes to what a voice can say.

Models write for the eye: markdown, tags, emoji, and now and then something broken. A voice reads all of it aloud, or
chokes on it. `SpeechText` takes the text in pieces of any size, and what it gives does not depend on how the text was
cut, because it decides after every single character, and only on what stands before and behind a sign.

What it gives holds, whatever it is given:

- no control, format, private or unassigned character, no lone surrogate, no emoji; white space is one blank or one
  line end;
- no tag, link target, code fence, emphasis, heading, list or table mark;
- a sign comes once between two words (but for "...", "--" and "//"), at most `SIGNS` of them; a letter at most
  three times in a row;
- given again, it comes back unchanged.

Signs that carry meaning stay: `a < b`, `2 * 3`, `snake_case`, prices, addresses, `C#`, `#5`, `-5`.
"""

import re
import unicodedata

SIGNS = 8
"""The most signs between two words. Ordinary text has at most four or five, as in `.") ("`."""

_LOOKAHEAD = 256
"""How many characters a tag or link target may have; longer, it is text. The longest seen in SSML is about 120."""
_DOUBLED = ".-/"
"""Signs that mean something when doubled: an ellipsis, a dash, an address."""
_LETTER_RUN = 3
_MARK_RUN = 4

_LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that Unicode calls ignorable: they show nothing and say nothing."""
_SPOKEN_SYMBOLS = frozenset("°©®™№℃℉^`")
"""Of the symbols that are mostly emoji and modifiers, those that are read aloud, and the backtick of code."""

_TAG = re.compile(
    r"""</?([A-Za-z][\w:.-]*)(?:\s+[A-Za-z_:][\w:.-]*=(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*\s*/?>|<[!?][^<>]*>"""
)
"""Attributes need their equals sign, or "if a <b and c> d" were one."""
_TAG_BEGUN = re.compile(r"</?(?:[A-Za-z][^<>]*)?|<[!?][^<>]*")
_ADDRESS = re.compile(r"<[^\s<>]*[@/][^\s<>]*>")
_PAUSES = frozenset(("br", "break", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "p", "td", "th", "tr"))
"""Tags that part what stands before and behind them; all others may stand inside a word."""

_TARGET = re.compile(r"\]\((?:[^()\n]|\([^()\n]*\))*\)")
_TARGET_BEGUN = re.compile(r"\](?:\((?:[^()\n]|\([^()\n]*\))*(?:\([^()\n]*)?)?")

_FENCE = re.compile(r"`{3,}[\w+.#-]* ?\n")
_FENCE_BEGUN = re.compile(r"`{1,2}|`{3,}[\w+.#-]* ?")

_NEVER_FIRST = frozenset("-*+#<>=~_:.,;!?–—…•‣·)}")
"""What can't stand before the first word of a line: list, heading, quote, rule and table marks, and stray ends."""


def speakable(text: str) -> str:
    """The whole of a text as it can be said."""
    speech = SpeechText()
    return speech.feed(text) + speech.finish()


class SpeechText:
    """A stream of text, made fit to be spoken."""

    def __init__(self) -> None:
        self._held = ""
        """What can't be decided yet: a sign whose successor is unknown, a tag that has not ended."""
        self._line = _Line()

    def feed(self, text: str) -> str:
        """Take some more text; return what is certain. White space comes only with what follows it."""
        for char in text:
            self._held += _plain(char)
            self._settle(last=False)
        return self._line.take()

    def finish(self) -> str:
        """Return the rest. Text fed afterwards stands on a line of its own."""
        self._settle(last=True)
        rest = self._line.take()
        self._line = _Line()
        return rest

    def _settle(self, last: bool) -> None:
        while self._held:
            if self._held[0].isalnum():
                used, text = 1, self._held[0]
            else:
                used, text = _read(self._held, self._line.before, last)
            if not used:
                return
            self._held = self._held[used:]
            for char in text:
                self._line.put(char)


class _Line:
    """The text given so far: folds white space, drops what repeats itself."""

    def __init__(self) -> None:
        self._ready: list[str] = []
        self._last = "\n"
        self._run = 0
        self._signs = 0
        """How many signs there were since the last letter or digit."""
        self._touching = ""
        """Those of them with no blank between."""
        self._gap = ""
        """White space, or the bar between two cells, that is not yet given: nothing has followed it."""

    @property
    def before(self) -> str:
        """What a reader would see before the next character; a line end also where nothing has been said yet."""
        if self._last == "\n" or self._gap == "\n":
            return "\n"
        return " " if self._gap else self._last

    def take(self) -> str:
        text = "".join(self._ready)
        self._ready.clear()
        return text

    def put(self, char: str) -> None:
        if char in " |\n":
            if self.before != "\n":
                self._gap = max(self._gap or " ", char, key=" |\n".find)
        elif char.isalnum():
            self._put_letter(char)
        elif unicodedata.category(char)[0] == "M":
            self._put_mark(char)
        else:
            self._put_sign(char)

    def _put_letter(self, char: str) -> None:
        if char == self.before and not char.isdigit() and self._run == _LETTER_RUN:
            return
        self._run = self._run + 1 if char == self.before else 1
        if self._gap == "|" and self._last.isalnum():
            self._ready.append(",")
        self._signs = 0
        self._touching = ""
        self._give(char, char)

    def _put_mark(self, char: str) -> None:
        """Accents and vowel signs belong to the letter before; piles of them are an ornament."""
        marked = unicodedata.category(self.before)[0] == "M"
        if self.before.isalnum() or (marked and self._run < _MARK_RUN):
            self._run = self._run + 1 if marked else 1
            self._give(char, char)

    def _put_sign(self, char: str) -> None:
        touching = "" if self._gap else self._touching
        again = char in touching
        second = char in _DOUBLED and touching.endswith(char) and not touching.endswith(2 * char)
        if self._signs == SIGNS or (again and not second):
            return
        self._signs += 1
        self._touching = touching + char
        self._give(".." if again and char == "." else char, char)

    def _give(self, text: str, last: str) -> None:
        self._ready.append("\n" if self._gap == "\n" else " " if self._gap else "")
        self._ready.append(text)
        self._gap = ""
        self._last = last


def _plain(char: str) -> str:
    """A character as itself, as white space, or as nothing."""
    if char.isalnum():
        return "" if char in _INVISIBLE else char
    if char in _LINE_ENDS:
        return "\n"
    if char.isspace():
        return " "
    category = unicodedata.category(char)
    if category[0] == "P" or category in ("Sm", "Sc") or char in _SPOKEN_SYMBOLS:
        return char
    selector = "\ufe00" <= char <= "\ufe0f" or char >= "\U000e0000"
    return char if category in ("Mn", "Mc") and not selector and char not in _INVISIBLE else ""


def _read(held: str, before: str, last: bool) -> tuple[int, str]:
    """Read one piece of markup, one sign or one blank.

    Returns how many characters it has, zero when more have to be known first, and what is said for it.
    """
    sign = held[0]
    open_end = not last and len(held) < _LOOKAHEAD
    if sign.isspace() or (sign == "," and before.isalnum()):
        return 1, sign
    if sign == "<":
        if found := _TAG.match(held):
            return found.end(), "\n" if (found[1] or "").lower() in _PAUSES else ""
        if open_end and _TAG_BEGUN.fullmatch(held):
            return 0, ""
        if _ADDRESS.match(held):
            return 1, ""
    elif sign == "]":
        if found := _TARGET.match(held):
            return found.end(), ""
        if open_end and _TARGET_BEGUN.fullmatch(held):
            return 0, ""
    elif sign == "`" and before == "\n":
        if found := _FENCE.match(held):
            return found.end(), "\n"
        if open_end and _FENCE_BEGUN.fullmatch(held):
            return 0, ""
    length = len(held) - len(held.lstrip("*")) if sign == "*" else 1
    if length == len(held) and open_end:
        return 0, ""
    return length, _sign(before, sign, held[length : length + 1] or " ", length)


def _sign(before: str, sign: str, after: str, length: int) -> str:
    """What is said for a sign, by its neighbours; `length` is how often it is repeated (asterisks only)."""
    tight = before.isalnum() and after.isalnum()
    loose = before.isspace() and after.isspace()
    if before == "\n" and sign in _NEVER_FIRST:
        return sign if sign in "-+.#~" and after.isdecimal() else ""
    match sign:
        case "[" | "]" | "`" | "\\":
            return ""
        case "*":
            product = length == 1 or before.isdigit() or after.isdigit()
            return " * " if loose or (tight and product) else ""
        case "<" | ">":
            return f" {sign} " if loose or tight or (before.isspace() and after.isalnum()) else ""
        case "_":
            return sign if tight else ""
        case "#":
            return sign if before.isalnum() or after.isalnum() else ""
        case "~":
            return sign if after.isdecimal() else ""
        case "!":
            return "" if after == "[" and before.isspace() else sign
        case _:
            return sign
