"""How good is a caller's line? Levels of speech and of what is between it, and how often it is clipped.

Judged from what voice activity detection tells of each window anyway, and from two counts in the mu-law bytes.
"""

from dataclasses import dataclass
from math import log10
from typing import NamedTuple

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.audio.silero import WINDOW
from client_caller.conversation.events import LineQuality
from client_caller.conversation.policy import Policy

SILENT = 0.1
"""Below this probability a window is clearly not speech (`audio.drift`)."""
SPOKEN, UNSPOKEN = 2 * SAMPLE_RATE // WINDOW, SAMPLE_RATE // WINDOW
"""Windows with and without speech, 2 s and 1 s, before anything is said of a line: a word or two prove nothing."""
_SETTLING = 1 / SPOKEN
"""Share of a new window in a running mean: half of it is of the last 1.4 s of its kind."""
_APART = 5000
"""Milliseconds from one verdict to the next at the least."""
_EASES = 3.0
"""Decibels beyond a limit at which a bad line is good again, so that one on the limit does not come and go."""
_FAINTEST = 1e-10
"""Energy of digital silence, as `audio.voices` has it: -100 dBFS."""
_LOUDEST, _LOUDEST_BELOW = 0x80, 0x00
"""The two loudest codes, above zero and below it."""


@dataclass(slots=True)
class _Mean:
    """A running mean of the energy of windows of one kind."""

    windows: int = 0
    energy: float = 0.0

    def add(self, energy: float) -> None:
        self.windows += 1
        self.energy += (energy - self.energy) * max(_SETTLING, 1 / self.windows)


class Figures(NamedTuple):
    """What a line is judged by. Levels in dBFS."""

    speech: float
    """Without the noise under it."""
    noise: float
    clipped: float
    """The share of the samples of speech with the loudest code."""


class _Limits(NamedTuple):
    """What a good line keeps, in energies: every window is compared with it."""

    over_noise: float
    """Of speech, as a multiple of the noise's."""
    speech: float
    clipped: float

    @classmethod
    def of(cls, policy: Policy, margin: float) -> "_Limits":
        """The policy's, those in decibels raised by `margin`."""
        return cls(_energy(policy.line_noise + margin), _energy(policy.line_level + margin), policy.line_clipped)

    def kept(self, spoken: float, noise: float, clipped: float) -> bool:
        """`spoken`: of speech with the noise under it."""
        speech = max(_FAINTEST, spoken - noise)
        loud = speech >= self.speech and speech >= self.over_noise * max(_FAINTEST, noise)
        return loud and clipped <= self.clipped


class LineJudge:
    """One call's line."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._limits = _Limits.of(policy, 0.0)
        self._limits_again = _Limits.of(policy, _EASES)
        """Of a line that is bad, to be good again."""
        self._spoken = _Mean()
        self._unspoken = _Mean()
        self._clipped = _Mean()
        self._new_clipped = 0
        self._bad = False
        self._judged_at = -_APART

    def hear(self, mulaw: bytes) -> None:
        """The line brought this."""
        self._new_clipped += mulaw.count(_LOUDEST) + mulaw.count(_LOUDEST_BELOW)

    def judge(self, probability: float, level: float, now: int) -> LineQuality | None:
        """Take in the next window; something if the line has turned bad, or good again.

        `probability`: of the caller's own speech; `level`: in dBFS; `now`: milliseconds.
        """
        clipped, self._new_clipped = self._new_clipped, 0
        if probability >= self._policy.speech_threshold:
            self._spoken.add(_energy(level))
            self._clipped.add(min(1.0, clipped / WINDOW))
        elif probability < SILENT:
            self._unspoken.add(_energy(level))
        if self._spoken.windows < SPOKEN or self._unspoken.windows < UNSPOKEN or now - self._judged_at < _APART:
            return None
        limits = self._limits_again if self._bad else self._limits
        bad = not limits.kept(self._spoken.energy, self._unspoken.energy, self._clipped.energy)
        if bad == self._bad:
            return None
        self._bad, self._judged_at = bad, now
        speech, noise, share = self.figures()
        return LineQuality(now, bad, round(speech, 1), round(noise, 1), round(share, 4))

    def figures(self) -> Figures:
        """What the line is judged by now."""
        noise = self._unspoken.energy
        return Figures(_level(self._spoken.energy - noise), _level(noise), self._clipped.energy)


def _energy(level: float) -> float:
    return float(10 ** (level / 10))


def _level(energy: float) -> float:
    return 10 * log10(max(energy, _FAINTEST))
