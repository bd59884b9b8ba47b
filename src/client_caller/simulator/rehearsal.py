"""When would the agent speak? One recording against the decisions alone, on a clock that waits for nobody.

A call without line, sockets or tasks: the windows of a recording with what the real ears made of them, and engines that
are nothing but their delays, go into a real `Conversation`, in order of time. What comes out is the moment at which the
caller would have heard the agent's first sound. A recording takes milliseconds, so thousands of settings can be tried.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from client_caller.conversation import commands, events
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.turn import WINDOW

LEAD_IN = 320
"""Milliseconds from the end of the agent's words to the recording."""
REPLY = "Yes of course, that is fine. What else can I do?"
"""What the model answers, whatever was said."""

Judge = Callable[[int], float]
"""The turn model's judgement of a recording up to that millisecond, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds; those with which other frameworks were measured, and `bench latency` measures ours."""

    window: int = 20
    """From the end of a window to its judgement: half a frame and the heartbeat."""
    interim: int = 100
    """From the end of a word to a partial transcript that has it."""
    final: int = 120
    """From the end of speech to the final words, once they are asked for."""
    judgement: int = 65
    """Of the turn model."""
    first_token: int = 150
    token: int = 1000 // 60
    """From one word of the model to the next."""
    first_audio: int = 80


@dataclass(frozen=True, slots=True)
class Script:
    """What a caller says. Milliseconds from the recording's beginning."""

    windows: Sequence[tuple[float, float]]
    """Probability of speech and level of each, until long after the end of speech."""
    words: Sequence[tuple[int, str]]
    """Where each word ends."""
    speech_end: int
    judge: Judge | None
    """None: no turn model."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes of a script, if the caller says nothing more."""

    after: int | None
    """When the agent is first heard, in milliseconds after the end of speech. Negative: it talks into the recording.
    None: never, as far as the windows go."""
    requests: int
    """To the language model until then."""


def answer(script: Script, asked: str, delays: Delays, policy: Policy, phrases: Phrases) -> Answer:
    """Play a script. `asked`: what the agent had said before, if anything."""
    return _Rehearsal(script, asked, delays, policy, phrases).run()


class _Rehearsal:
    def __init__(self, script: Script, asked: str, delays: Delays, policy: Policy, phrases: Phrases) -> None:
        self._script = script
        self._delays = delays
        self._core = Conversation(policy, replace(phrases, greeting=asked))
        self._coming: list[tuple[int, int, Callable[[], Sequence[events.Event]]]] = []
        self._now = 0
        self._count = 0
        self._final = 0
        """Words that are in a final transcript."""
        self._requests = 0
        self._ready: set[int] = set()
        """Replies with audio."""
        self._released: set[int] = set()
        self._gone: set[int] = set()
        self._greet()
        self._begun = self._now + LEAD_IN
        self._play()

    def run(self) -> Answer:
        """Until the agent is heard, or nothing more comes."""
        while self._coming and not self._audible:
            deadline = self._core.deadline
            if deadline is not None and deadline < self._coming[0][0]:
                self._now = max(self._now, deadline)
                self._tell(events.TimePassed(self._now))
                continue
            self._now, _, happen = heapq.heappop(self._coming)
            for event in happen():
                self._tell(event)
        return Answer(self._now - self._begun - self._script.speech_end if self._audible else None, self._requests)

    @property
    def _audible(self) -> bool:
        return bool((self._ready & self._released) - self._gone)

    def _greet(self) -> None:
        """The agent speaks its greeting, and the caller hears it."""
        self._tell(events.CallStarted(0))
        greeting = self._core.memory.reply
        if greeting is not None:
            self._tell(events.PlaybackStarted(0, greeting.number))
            for clause, text in enumerate(greeting.playout.clauses):
                for word in range(len(words_of(text))):
                    self._tell(events.WordSent(0, greeting.number, clause, word))
                    self._tell(events.WordAcknowledged(0, greeting.number, clause, word))
            self._gone.add(greeting.number)
        self._coming.clear()

    def _play(self) -> None:
        for number, (probability, level) in enumerate(self._script.windows, start=1):
            end = self._begun + number * WINDOW
            self._later(end + self._delays.window, partial(self._window, end, probability, level))
        for number, (ends, _) in enumerate(self._script.words, start=1):
            self._later(self._begun + ends + self._delays.interim, partial(self._partial, number))

    def _window(self, end: int, probability: float, level: float) -> Sequence[events.Event]:
        return [events.SpeechProbability(self._now, end, probability, level)]

    def _later(self, at: int, happen: Callable[[], Sequence[events.Event]]) -> None:
        self._count += 1
        heapq.heappush(self._coming, (at, self._count, happen))

    def _words(self, first: int, behind: int) -> str:
        return " ".join(word for _, word in self._script.words[first:behind])

    def _partial(self, words: int) -> Sequence[events.Event]:
        return [events.PartialTranscript(self._now, self._words(self._final, words))] if words > self._final else []

    def _finish(self, request: int, through: int) -> Sequence[events.Event]:
        known = sum(self._begun + ends <= through for ends, _ in self._script.words)
        text = self._words(self._final, known)
        self._final = max(self._final, known)
        finals = [events.FinalTranscript(self._now, text)] if text else []
        return [*finals, events.TranscriptFinished(self._now, request)]

    def _tell(self, event: events.Event) -> None:
        for command in self._core.receive(event):
            self._carry_out(command)

    def _carry_out(self, command: commands.Command) -> None:
        delays, now = self._delays, self._now
        match command:
            case commands.FinishTranscript(request):
                last = max(
                    (self._begun + ends for ends, _ in self._script.words if self._begun + ends <= now), default=0
                )
                self._later(max(now, last + delays.final), partial(self._finish, request, now))
            case commands.JudgeTurn(request, _) if self._script.judge is not None:
                completion = round(self._script.judge(now - self._begun), 3)
                self._later(now + delays.judgement, partial(self._judged, request, completion))
            case commands.StartReply(reply):
                self._requests += 1
                self._think(reply)
            case commands.Speak(reply):
                self._later(now + delays.first_audio, partial(self._sound, reply))
            case commands.Release(reply):
                self._released.add(reply)
            case commands.Hold(reply):
                self._released.discard(reply)
            case commands.CancelReply(reply):
                self._gone.add(reply)

    def _sound(self, reply: int) -> Sequence[events.Event]:
        self._ready.add(reply)
        return ()

    def _think(self, reply: int) -> None:
        for number, word in enumerate(REPLY.split()):
            text = f" {word}" if number else word
            due = self._now + self._delays.first_token + number * self._delays.token
            self._later(due, partial(self._token, reply, text))
        self._later(due, partial(self._thought, reply))

    def _judged(self, request: int, completion: float) -> Sequence[events.Event]:
        return [events.TurnJudged(self._now, request, completion)]

    def _token(self, reply: int, text: str) -> Sequence[events.Event]:
        return [events.ReplyText(self._now, reply, text)]

    def _thought(self, reply: int) -> Sequence[events.Event]:
        return [events.ReplyFinished(self._now, reply)]
