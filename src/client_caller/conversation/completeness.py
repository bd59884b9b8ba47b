"""Do the words sound complete? Judged by their last ones, by the first where those bind, and by what is missing.

No parser: a phone call's transcript has no commas to trust and few whole sentences. What decides are closed classes of
words, of which a language has few; they are in `Phrases`.
"""

from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.words import ends_in, made_of, words

KEY = "[pressed {}]"
"""How a key stands among the caller's words."""
_DICTATED = 2
"""Single digits, letters or tens in a row, at the end of the words, from which on a caller dictates."""
_LENGTHS = {"double": 1, "triple": 2}
"""What these words of `Phrases.digits` add to the digit that follows them; any other is a digit."""
_BOUND = 7
"""Words up to which a beginning such as "if" is taken for unanswered: with more, its main clause may be among them."""


def promises_more(text: str, phrases: Phrases) -> bool:
    """Whether these are hardly the caller's last words."""
    return sounds_open(text, phrases) or dictates(text, phrases)


def sounds_open(text: str, phrases: Phrases) -> bool:
    """Whether the words ask for more.

    They do after a comma or a hanging hyphen, after a last word such as "my" or "and" or one that ends in "'ll", as a
    mere opening ("well, you see"), and as a short beginning with "if". A question that is known for one asks for
    nothing more, whatever its last word.
    """
    text = text.rstrip()
    if text.endswith((",", "-", "–", "—", "...", "…")):
        return True
    spoken = words(text)
    if not spoken or text.endswith("?"):
        return False
    if ends_in(spoken, phrases.closed_endings):
        return False
    if ends_in(spoken, phrases.open_endings) or spoken[-1].endswith(phrases.open_suffixes):
        return True
    bound = spoken[0] in phrases.conditions and len(spoken) <= _BOUND
    return bound or made_of(spoken, phrases.openers)


def dictates(text: str, phrases: Phrases) -> bool:
    """Whether the words end in a key, or in what people dictate, piece by piece: more of it may come.

    That is single digits or letters, one after the other, and larger pieces of a number ("thirty three forty six").
    """
    if ends_in_key(text):
        return True
    spoken = words(text)
    last = spoken[-_DICTATED:]
    if len(last) == _DICTATED and all(_is_digit(word, phrases) or _is_letter(word) for word in last):
        return True
    return sum(not _is_digit(word, phrases) for word in _number_at_the_end(spoken, phrases)) >= _DICTATED


def is_whole_number(text: str, phrases: Phrases, policy: Policy) -> bool:
    """Whether the words end in as many digits as a telephone number has."""
    digits = 0
    tens = False
    for word in _number_at_the_end(words(text), phrases):
        digits += _LENGTHS.get(word, 1) if _is_digit(word, phrases) else len(word) if word.isdigit() else 2
        digits -= tens and _is_digit(word, phrases)
        tens = word in phrases.tens
    return not ends_in_key(text) and digits in policy.whole_numbers


def ends_in_key(text: str) -> bool:
    """Whether the last thing that the caller did was to press a key."""
    return text.endswith(KEY[-1])


def is_fragment(text: str, phrases: Phrases) -> bool:
    """Whether nothing among the words makes a sentence of them: no verb, no pronoun, no "please", no question mark.

    A single word is more often all that somebody has to say.
    """
    spoken = words(text)
    return (
        len(spoken) > 1
        and not text.rstrip().endswith("?")
        and not any(word in phrases.sentence_words or "'" in word for word in spoken)
    )


def _number_at_the_end(spoken: tuple[str, ...], phrases: Phrases) -> tuple[str, ...]:
    start = len(spoken)
    numbers = (*phrases.digits, *phrases.teens, *phrases.tens)
    while start and (spoken[start - 1].isdigit() or spoken[start - 1] in numbers):
        start -= 1
    return spoken[start:]


def _is_digit(word: str, phrases: Phrases) -> bool:
    return word in phrases.digits or (word.isdigit() and len(word) == 1)


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha()
