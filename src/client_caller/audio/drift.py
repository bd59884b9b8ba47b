"""When to clear a voice's recurrent state.

After half a minute of hold music Silero misses the first 1.6 s of speech; clearing its state from time to time, in
clear silence, brings that to about 0.1 s (research/embedded-and-limits 1.3). Amid background talk clearing makes it
latch on to the talkers, so there it is left alone.
"""

SILENT = 0.1
"""Below this a window is clearly not speech."""
DUE = 62
"""Windows from one clearing to the next at the least: 2 s, as measured in the research."""
QUIET = 5
"""Windows in a row that have to be clearly silent."""
MURMUR = 0.5
"""Between `SILENT` and this the model is undecided: background talk keeps it there."""
MURMURS = 4
"""This many undecided windows among the last `DUE` mean background talk.

Frame F1 so, and with the state never cleared, and cleared whatever the murmur: real call .960 (.942, .957), speech with
siren .942 (.931, .924), rain .962 (.960, .944), music .925 (.925, .911). 2, 6, 8 and 12 are no better on these; amid
loud babble 12 is (`bench turns --only vad`, run with each).
"""

_LAST = (1 << DUE) - 1


class Drift:
    """One voice's recent scores, as far as the decision needs them."""

    __slots__ = ("_age", "_murmurs", "_quiet")

    def __init__(self) -> None:
        self._age = 0
        self._quiet = 0
        self._murmurs = 0
        """One bit for each of the last `DUE` windows, set where the model was undecided."""

    def due(self, probability: float) -> bool:
        """Take in the next window's score; True if the state is to be cleared after it."""
        self._age += 1
        self._quiet = self._quiet + 1 if probability < SILENT else 0
        self._murmurs = (self._murmurs << 1 | (SILENT <= probability < MURMUR)) & _LAST
        if self._age < DUE or self._quiet < QUIET or self._murmurs.bit_count() >= MURMURS:
            return False
        self._age = 0
        return True
