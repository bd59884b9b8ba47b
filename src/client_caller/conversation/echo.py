"""The agent's own voice, come back from the caller's loudspeaker, is not the caller's, neither sound nor words."""

from dataclasses import replace
from difflib import SequenceMatcher

from client_caller.conversation.events import SpeechProbability
from client_caller.conversation.policy import Policy
from client_caller.conversation.words import words

ENOUGH = 5
"""Windows explained by the agent's own voice from which on a line is known to bring it back: 160 ms, as much as is left
of a greeting's first word when the agent speaks it softly. One in a thousand is explained by chance
(experiments/echo.py)."""
_RUN = 3
"""The agent's words that have to be repeated at the least: one or two are anybody's."""
_MISHEARD = 2
"""Words in a row that speech to text may have made something else of."""


def is_echo(window: SpeechProbability, policy: Policy) -> bool:
    """Whether a window is speech, and the agent's own."""
    return window.echo >= policy.echo_share and window.probability >= policy.silence_threshold


def callers_own(window: SpeechProbability, policy: Policy) -> SpeechProbability:
    """The window as far as it is the caller's: of an echo no speech is left."""
    return replace(window, probability=0.0) if is_echo(window, policy) else window


def without_own_words(text: str, said: str, voiced: int, policy: Policy) -> str:
    """What is left of a transcript without the words at its beginning that the agent said and the line brought back.

    `said`: the agent's last words; `voiced`: how much of the caller's own speech was heard, in milliseconds. Who had
    time to say all of it may have repeated the agent's words, and keeps them.
    """
    tokens = text.split()
    places = [place for place, token in enumerate(tokens) for _ in words(token)]
    if len(places) * policy.word_at_least <= voiced:
        return text
    count, last = _repeated(words(said), words(text))
    if count == len(places) or (not voiced and 2 * count > len(places)):
        return ""  # what is left was misheard
    return " ".join(tokens[places[last] + 1 :]) if count >= _RUN else text


def _repeated(said: tuple[str, ...], spoken: tuple[str, ...]) -> tuple[int, int]:
    """How many words at the beginning of `spoken` are those of `said`, in their order, and the place of the last.

    A single word beyond one that is not proves nothing.
    """
    count, last = 0, -1
    for _, place, size in SequenceMatcher(None, said, spoken, autojunk=False).get_matching_blocks():
        if place - last > 1 + _MISHEARD:
            break
        if size > 1 or place == last + 1:
            count, last = count + size, place + size - 1
    return count, last
