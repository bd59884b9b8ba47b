"""The caller's audio on the call's clock, and what each window of it says.

Three clocks meet here: the line's own, in whose time its audio comes; the samples that voice activity detection has
counted; and the call's, in which the agent's audio is played and everything is decided.
"""

from client_caller.audio.echo import Echo
from client_caller.audio.line_quality import LineJudge
from client_caller.conversation.echo import is_echo
from client_caller.conversation.events import LineQuality, SpeechProbability
from client_caller.conversation.policy import Policy

SAMPLES_A_MS = 8
USUAL_LAG = 52
"""Milliseconds from the end of a window to its judgement when all is well: one frame and one window."""


class Hearing:
    """One call's. All times are milliseconds on the call's clock, unless they say otherwise."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._echo = Echo()
        self._line = LineJudge(policy)
        self._zero: int | None = None
        """Where the line's timestamp zero lies."""
        self.through = 0
        """Where the audio ends that was heard so far."""
        self._first = 0
        """Where the first sample given to voice activity detection lies, gaps skipped."""

    def hear(self, mulaw: bytes, timestamp: int, now: int) -> int:
        """Some audio of the caller's; `timestamp`: of its first sample, on the line's own clock. Returns when that was.

        The first audio is heard now, wherever the line's clock stands; a later gap is audio that the line never had.
        """
        if self._zero is None:
            self._zero = now - timestamp
            self.through = self._first = now
        at = self._zero + timestamp
        if at > self.through:
            self._first += at - self.through
        self.through = at + len(mulaw) // SAMPLES_A_MS
        self._echo.hear(mulaw)
        self._line.hear(mulaw)
        return at

    def play(self, mulaw: bytes, at_sample: int) -> None:
        """The far end has played something of the agent's."""
        self._echo.play(mulaw, at_sample)

    def window(
        self, samples_through: int, probability: float, level: float, now: int
    ) -> tuple[SpeechProbability, LineQuality | None]:
        """What one window says, and what it makes of the line, if that is news.

        `samples_through`: where it ends, in samples heard; `probability` of speech; `level` in dBFS.
        """
        lag = now - self._first - samples_through // SAMPLES_A_MS
        # Two clocks drift and routes change: follow slowly when the line falls behind ours, at once when it is ahead.
        self._first += min(lag, 1 if lag > USUAL_LAG else 0)
        end = self._first + samples_through // SAMPLES_A_MS
        judged = round(probability, 3)
        if probability < self._policy.silence_threshold:
            return SpeechProbability(now, end, judged, round(level, 1)), self._line.judge(judged, level, now)
        echo = self._echo.share(samples_through, end * SAMPLES_A_MS)
        window = SpeechProbability(now, end, judged, round(level, 1), round(echo, 2))
        return window, None if is_echo(window, self._policy) else self._line.judge(judged, level, now)
