"""A call that is played by hand, so that a test reads like a screenplay.

Time passes only in `talk`, `hush` and `stall`; everything else happens at the present moment. Commands are collected
until a test looks at them with `asked`.
"""

from collections.abc import Callable, Sequence

import pytest

from client_caller.conversation import commands, events
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.history import CallerSaid, Entry
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.turn import WINDOW

UNASKED = Phrases(greeting="Hello, how can I help you.")
"""The agent asks nothing: what a question changes has tests of its own."""


class Call:
    """A conversation, and everybody who takes part in it."""

    def __init__(self, policy: Policy | None = None, phrases: Phrases | None = None) -> None:
        self.core = Conversation(policy, phrases or UNASKED)
        self.policy = self.core.policy
        self.phrases = self.core.memory.phrases
        self.now = 0
        self.reply = 0
        """The latest that was begun."""
        self.request = 0
        """The latest `FinishTranscript`."""
        self.judged_since: list[int] = []
        """For each time that the turn model was asked, where what it judges begins."""
        self._asked: list[commands.Command] = []
        self._words: list[tuple[int, int]] = []
        """Clause and word of all that the latest reply had synthesised."""
        self._sent = 0
        self._heard = 0

    def tell(self, event: events.Event) -> None:
        """Something happens."""
        for command in self.core.receive(event):
            self._asked.append(command)
            match command:
                case commands.StartReply(reply) | commands.Speak(reply) if reply != self.reply:
                    self.reply, self._words, self._sent, self._heard = reply, [], 0, 0
                case commands.FinishTranscript(request):
                    self.request = request
                case commands.JudgeTurn(_, since):
                    self.judged_since.append(since)
            if isinstance(command, commands.Speak):
                self._words += [(command.clause, word) for word in range(len(words_of(command.text)))]

    @property
    def judgements(self) -> int:
        """How often the turn model was asked."""
        return len(self.judged_since)

    def asked(self) -> list[commands.Command]:
        """What the conversation asked for since the last look; not `JudgeTurn`, which goes with each pause."""
        asked, self._asked = self._asked, []
        return [command for command in asked if not isinstance(command, commands.JudgeTurn)]

    def spoken(self) -> list[str]:
        """The clauses among what was asked for since the last look."""
        return [command.text for command in self.asked() if isinstance(command, commands.Speak)]

    def apology(self) -> list[commands.Command]:
        """What is asked for when a reply has failed, in the number of the latest."""
        first, second = "Sorry, something went wrong on my side.", "Could you say that again?"
        return [
            commands.Speak(self.reply, 0, first),
            commands.Speak(self.reply, 1, second),
            commands.Release(self.reply),
        ]

    def turns(self) -> list[str]:
        """The caller's turns in the history; a backchannel in brackets."""
        turns = [entry for entry in self.core.history if isinstance(entry, CallerSaid)]
        return [f"({turn.text})" if turn.backchannel else turn.text for turn in turns]

    # ---------------------------------------------------------------- the line and the caller

    def start(self, earlier: tuple[Entry, ...] = ()) -> None:
        self.tell(events.CallStarted(self.now, earlier))

    def end(self, reason: str = "caller_hung_up") -> None:
        self.tell(events.CallEnded(self.now, reason))

    def stall(self, milliseconds: int) -> None:
        """Time passes without any audio from the caller; deadlines are met to the millisecond."""
        until = self.now + milliseconds
        while (due := self.core.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.tell(events.TimePassed(self.now))
        self.now = until

    def window(self, probability: float, level: float | None = None) -> None:
        self.stall(WINDOW)
        self.tell(events.SpeechProbability(self.now, self.now, probability, level))

    def talk(self, milliseconds: int, level: float | None = None) -> None:
        """The caller speaks, in whole windows of 32 ms."""
        for _ in range(milliseconds // WINDOW):
            self.window(0.9, level)

    def hush(self, milliseconds: int) -> None:
        """The caller is silent, in whole windows of 32 ms."""
        for _ in range(milliseconds // WINDOW):
            self.window(0.05)

    def press(self, digit: str) -> None:
        self.tell(events.DigitPressed(self.now, digit))

    # ---------------------------------------------------------------- speech to text

    def partial(self, text: str) -> None:
        self.tell(events.PartialTranscript(self.now, text))

    def final(self, text: str) -> None:
        self.tell(events.FinalTranscript(self.now, text))

    def finished(self, request: int | None = None) -> None:
        self.tell(events.TranscriptFinished(self.now, self.request if request is None else request))

    def says(self, text: str, milliseconds: int = 800) -> None:
        """The caller says something, pauses for three windows, and the words are known."""
        self.talk(milliseconds)
        self.hush(96)
        self.final(text)
        self.finished()

    def asks(self, text: str) -> None:
        """The caller says something, and waits for the answer: the turn is over."""
        self.says(text)
        self.hush(self.policy.endpoint_closed - 96)

    def judged(self, completion: float, request: int | None = None) -> None:
        """The turn model has listened to the pause."""
        self.tell(events.TurnJudged(self.now, self.request if request is None else request, completion))

    # ---------------------------------------------------------------- the agent

    def thinks(self, text: str) -> None:
        self.tell(events.ReplyText(self.now, self.reply, text))

    def thought(self) -> None:
        self.tell(events.ReplyFinished(self.now, self.reply))

    def answers(self, text: str) -> None:
        """The model gives the whole of its reply."""
        self.thinks(text)
        self.thought()

    def wants(self, tool_call: str, name: str = "look_up", filler: str = "") -> None:
        self.tell(events.ToolRequested(self.now, self.reply, tool_call, name, "{}", filler))

    def tool_returns(self, tool_call: str, result: str = "seven", *, failed: bool = False) -> None:
        self.tell(events.ToolFinished(self.now, tool_call, result, failed))

    def fails(self, stage: str) -> None:
        """An engine gives up."""
        reply = None if stage == "stt" else self.reply
        self.tell(events.EngineFailed(self.now, stage, "broken", reply))

    def is_deaf(self) -> None:
        """Speech to text fails for longer than the agent waits for it."""
        self.fails("stt")
        self.fails("stt")
        self.now += self.policy.outage
        self.fails("stt")

    # ---------------------------------------------------------------- the wire

    def sounds(self) -> None:
        """The first audio of the reply goes out."""
        self.tell(events.PlaybackStarted(self.now, self.reply))

    def sends(self, words: int | None = None) -> None:
        """The next words go out; all there are, if no number is given."""
        for clause, word in self._next(self._sent, words):
            self._sent += 1
            self.tell(events.WordSent(self.now, self.reply, clause, word))

    def hears(self, words: int | None = None) -> None:
        """The far end proves that the next words were played."""
        for clause, word in self._next(self._heard, words):
            self._heard += 1
            self.tell(events.WordAcknowledged(self.now, self.reply, clause, word))

    def replays(self) -> None:
        """Words that were heard go out and are heard again."""
        for clause, word in self._words[: self._heard]:
            self.tell(events.WordSent(self.now, self.reply, clause, word))
            self.tell(events.WordAcknowledged(self.now, self.reply, clause, word))

    def plays(self, words: int | None = None) -> None:
        """The next words go out and are heard; the first ones with the beginning of the sound."""
        if self._sent == 0:
            self.sounds()
        self.sends(words)
        self.hears(words)

    def _next(self, from_word: int, words: int | None) -> Sequence[tuple[int, int]]:
        return self._words[from_word : None if words is None else from_word + words]


@pytest.fixture
def new_call() -> Callable[..., Call]:
    """Makes a call that has not started, with a policy and phrases of its own."""
    return Call


@pytest.fixture
def call() -> Call:
    """A call in which the greeting was heard and the caller may speak."""
    call = Call()
    call.start()
    call.plays()
    call.hush(320)
    call.asked()
    return call
