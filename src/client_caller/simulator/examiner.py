"""A caller who asks, cuts in and hums along at known samples, and notices when its own clock was late."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from client_caller.audio.g711 import FRAME
from client_caller.simulator.caller import FRAME_MS, Caller, Part
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.utterances import Utterance

LOOKED_AT = 50
"""Frames, from the first that matters on, in which lateness of ours would show: longer than an answer takes."""
LATE = 8.0
"""Milliseconds by which a frame of ours may be late without spoiling a figure that is to be true to 10: two ticks of a
Linux scheduler at 250 Hz, which a machine with other work to do takes at any time."""
ATTEMPTS = 3
"""How often a question is asked until none of our frames is late."""
QUIET = 700
"""Silence of the agent, in milliseconds, after which it has finished."""
BREATH = (300, 900)
"""Between the agent's end and the next question; random, so that no window or beat of the other side fits always."""
CUT_IN = (1000, 5000)
"""How long the agent has talked when the caller speaks over it."""

Purpose = Literal["question", "interruption", "backchannel"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that the caller said; samples of the call."""

    purpose: Purpose
    name: str
    begins: int
    """Its first voiced sample."""
    ends: int
    """Behind its last voiced sample."""
    until: int
    """When the caller had what it waited for."""
    late: float
    """By how many milliseconds the latest of our frames was late since the caller was done (a question), or began."""

    @property
    def punctual(self) -> bool:
        return self.late <= LATE


class Examiner:
    """A `phone.Party`. What it says is told to `words` beforehand, and to `tell` afterwards. Make it in the loop."""

    def __init__(self, words: KnownWords, tell: Callable[[Said], None], random: Random) -> None:
        self.said: list[Said] = []
        self._caller = Caller()
        self._words = words
        self._tell = tell
        self._random = random
        self._clock = asyncio.get_running_loop().time
        self._starts: list[float] = []
        """When the first frame should have been sent, as each frame has it that was not late, in milliseconds."""

    def live(self, heard: bytes) -> bytes | None:
        self._starts.append(self._clock() * 1000 - len(self._starts) * FRAME_MS)
        return self._caller.live(heard)

    def ask(self, questions: Sequence[Utterance]) -> "Examiner":
        """Ask one after the other, each once the agent has finished, then hang up."""
        self._caller.play(self._ask(questions))
        return self

    def disturb(
        self, question: Utterance, interruptions: Sequence[Utterance], backchannels: Sequence[Utterance]
    ) -> "Examiner":
        """Hum along with the answer to a question, then cut into the answers, then hang up."""
        self._caller.play(self._disturb(question, interruptions, backchannels))
        return self

    def _ask(self, questions: Sequence[Utterance]) -> Part:
        yield from self._caller.until_agent_finished(QUIET)
        for question in questions:
            for _ in range(ATTEMPTS):
                yield from self._caller.silence(self._random.randrange(*BREATH))
                yield from self._say("question", question, self._caller.until_agent_talks(0))
                yield from self._caller.until_agent_finished(QUIET)
                if self.said[-1].punctual:
                    break

    def _disturb(
        self, question: Utterance, interruptions: Sequence[Utterance], backchannels: Sequence[Utterance]
    ) -> Part:
        caller = self._caller
        yield from caller.until_agent_finished(QUIET)
        for backchannel in backchannels:
            yield from self._say("question", question, caller.until_agent_talks(self._random.randrange(*CUT_IN)))
            yield from self._say("backchannel", backchannel, caller.silence(0))
            yield from caller.until_agent_finished(QUIET)
        yield from self._say("question", question, caller.silence(0))
        for interruption in interruptions:
            yield from caller.until_agent_talks(self._random.randrange(*CUT_IN))
            yield from self._say("interruption", interruption, caller.silence(0))
        yield from caller.until_agent_finished(QUIET)

    def _say(self, purpose: Purpose, utterance: Utterance, then: Part) -> Part:
        """Say something, and live on until what it was said for has come."""
        start = (len(self._starts) - 1) * FRAME
        for end, word in utterance.word_ends():
            self._words.expect(start + end, word)
        self._caller.ear.listen_anew()
        yield from self._caller.say(utterance.clip, utterance.text)
        yield from then
        begins, ends = start + utterance.begins, start + utterance.ends
        late = self._late_from((ends if purpose == "question" else begins) // FRAME)
        self.said.append(Said(purpose, utterance.name, begins, ends, len(self._starts) * FRAME, late))
        self._tell(self.said[-1])

    def _late_from(self, frame: int) -> float:
        return max(self._starts[frame : frame + LOOKED_AT]) - min(self._starts)
