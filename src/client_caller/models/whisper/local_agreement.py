"""Which words of a guess can be relied on? Those that two guesses in a row agree on.

Whisper is asked again and again for the words of a turn that is still growing. The words at the end of each guess are
shaky, those before hardly ever change. LocalAgreement-2 (Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech
Recognition and Translation by Partial Hypothesis Selection"; for Whisper: Macháček et al. 2023, "Turning Whisper into
Real-Time Transcription System") commits the longest prefix that two guesses in a row share, and never takes it back.
"""

from collections.abc import Sequence

from client_caller.models.hearing.words import Word, same

OVERLAP = 5
"""Committed words by which the place of the rest is found in a guess: the n-grams of Macháček et al."""
SLIP = 2
"""Words by which a guess may have more or fewer than we committed: one heard as two, or two as one, now and then."""
EARLY = 0.1
"""Seconds that a word may start before the end of the last committed one and still come after it: times are rough."""


class LocalAgreement:
    """The words of one stretch of audio, as guess follows on guess."""

    def __init__(self) -> None:
        self._committed: list[Word] = []
        self._uncommitted: list[Word] = []

    @property
    def committed(self) -> tuple[Word, ...]:
        """Words that two guesses agreed on. It only ever grows at its end."""
        return tuple(self._committed)

    @property
    def uncommitted(self) -> tuple[Word, ...]:
        """What the last guess has beyond them."""
        return tuple(self._uncommitted)

    def guess(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Take a guess at all words from the start of the audio; returns those that are committed by it."""
        rest = self._beyond(words)
        agreed = 0
        while agreed < min(len(rest), len(self._uncommitted)) and same(rest[agreed], self._uncommitted[agreed]):
            agreed += 1
        return self._commit(rest, agreed)

    def settle(self, words: Sequence[Word]) -> tuple[Word, ...]:
        """Take the last word on this audio; returns what comes beyond the words committed before."""
        rest = self._beyond(words)
        return self._commit(rest, len(rest))

    def _commit(self, rest: list[Word], count: int) -> tuple[Word, ...]:
        self._committed += rest[:count]
        self._uncommitted = rest[count:]
        return tuple(rest[:count])

    def _beyond(self, words: Sequence[Word]) -> list[Word]:
        """What a guess has after the committed words, wherever it has these."""
        return list(words[self._place(words) :])

    def _place(self, words: Sequence[Word]) -> int:
        """By the last committed words where the guess has them about where they belong; else by time; else by count."""
        done = len(self._committed)
        if not done:
            return 0
        nearest = sorted(range(done - SLIP, done + SLIP + 1), key=lambda place: (abs(place - done), -place))
        for length in range(min(OVERLAP, done), 0, -1):
            for place in nearest:
                if length <= place <= len(words) and self._ends_with(words[place - length : place]):
                    return place
        end = self._committed[-1].end
        if end is not None and all(word.start is not None for word in words):
            return next((i for i, w in enumerate(words) if w.start is not None and w.start >= end - EARLY), len(words))
        return min(done, len(words))

    def _ends_with(self, words: Sequence[Word]) -> bool:
        return all(map(same, words, self._committed[-len(words) :]))
