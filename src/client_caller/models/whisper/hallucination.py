"""Is this what somebody said, or what Whisper makes up when there is little to hear?

Whisper was trained on subtitles. From silence and noise it makes what subtitles have there, and now and then it falls
into a loop. Nothing here looks at audio: the session lets no silence through in the first place.
"""

import re
import zlib
from typing import Literal

Reason = Literal["no_speech", "repetition", "silence_phrase"]

MAX_COMPRESSION = 2.4
"""Characters for each byte of the compressed text above which it is a loop: `compression_ratio_threshold` of the
reference implementation (openai/whisper, transcribe.py)."""
NO_SPEECH = 0.6
"""Probability of `<|nospeech|>` from which on, with little confidence in the words, nobody spoke: likewise."""
LOW_LOGPROB = -1.0
"""Mean log probability of a token that is little confidence: likewise."""
REPEATS = 4
"""Times in a row that a phrase of two words or more is said by nobody; for one word twice as many ("no, no, no")."""
BRIEF = 0.2
"""Seconds of voice in which nobody says a whole word: eSpeak NG at 165 words a minute takes 0.3 s for a "yes"."""

_SUBTITLES = re.compile(
    r"(thank(s| you)( so much| very much)? for (watching|listening|viewing)"
    r"|(please )?(like and )?subscribe( to (my|our|the) channel)?"
    r"|see you (in the )?next (time|video)"
    r"|subtitles? by .*|.*amara\.?org.*|copyright .*|(music|applause|laughter|silence|blank audio))"
)
"""Whole utterances that belong to videos and not to telephone calls."""
_POLITE = {"thank you", "thanks", "you", "bye", "bye bye", "okay", "so", "oh", "the end"}
"""Whole utterances that callers do say, and that Whisper says too when it hears a click or a breath."""


def doubt(text: str, *, voiced: float, no_speech: float, mean_logprob: float) -> Reason | None:
    """Why a transcript is not to be believed, or None.

    `voiced`: seconds of speech that voice activity detection found in its audio. `no_speech`, `mean_logprob`: as
    Whisper gives them.
    """
    if no_speech > NO_SPEECH and mean_logprob < LOW_LOGPROB:
        return "no_speech"
    if compression_ratio(text) > MAX_COMPRESSION or repeats(text):
        return "repetition"
    plain = " ".join(_words(text))
    if _SUBTITLES.fullmatch(plain) or (plain in _POLITE and (voiced < BRIEF or no_speech > NO_SPEECH)):
        return "silence_phrase"
    return None


def compression_ratio(text: str) -> float:
    """Bytes of the text for each byte of it when compressed: about 1 for speech of a sentence, much more for a loop."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw))


def repeats(text: str) -> bool:
    """Whether some phrase comes so many times in a row that nobody said it."""
    words = _words(text)
    for length in range(1, len(words) // REPEATS + 1):
        needed = 2 * REPEATS if length == 1 else REPEATS
        run = 0
        for here, there in zip(words[length:], words, strict=False):
            run = run + 1 if here == there else 0
            if run >= length * (needed - 1):
                return True
    return False


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'.]*\w", text.casefold())
