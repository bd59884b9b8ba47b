"""The law of silence: whatever engines and callers do, nobody listens to an unexplained silence for over two seconds.

A whole call in virtual time: a caller who talks, pauses, makes noises and falls silent; engines of which each is fast,
slow, hangs for ever or fails; a wire that plays at the pace of speech and proves it a little later.
"""

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from client_caller.conversation import commands, events
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.policy import HANG_UP, Phrases, Policy
from client_caller.conversation.state import CallState, TurnState

CALLS = 3000
BATCHES = 6

LIMIT = 2000
"""Milliseconds of silence that nobody owns."""
WINDOW = 32
"""How often the line is looked at while something goes on; the error of all that is measured here."""
QUIET = 6 * WINDOW
"""How often, in a silence of both sides."""
WORD = 280
"""How long each word of the agent lasts."""
NEVER = 10**9

POLICY = Policy(max_call=90_000, max_call_warning=20_000, hard_stop=20_000)
HABITS = ("fast", "fast", "fast", "slow", "hangs", "fails")
ANSWERS = ("Yes.", "It costs nine euros, and the large one costs twelve. Do you want it?", "I see.", "No, I am sorry.")
QUESTIONS = ("What does it cost?", "My number is", "Yes.", "I want to", "No, that's not it.", "Thanks, goodbye.")


@dataclass(slots=True)
class Utterance:
    start: int
    end: int
    words: str


@dataclass(slots=True)
class Clause:
    text: str
    asked: int
    ready: bool = False


@dataclass(slots=True)
class Wire:
    """The audio of the present reply."""

    reply: int = 0
    released: bool = False
    audible: bool = False
    clauses: list[Clause] = field(default_factory=list)
    next: int = 0
    """The first clause that is not played."""
    heard: tuple[int, int] = (0, 0)
    """The clause and word after the last one proven heard."""
    epoch: int = 0
    """How often it was paused: what was on its way before proves nothing."""
    free_at: int = 0
    """When all that was sent will have been played, and its proof come back."""

    @property
    def synthesising(self) -> bool:
        return any(not clause.ready for clause in self.clauses)


class Scene:
    """One call, and the books on who owns its silences."""

    def __init__(self, seed: int, *, caller_speaks: bool) -> None:
        self.random = random.Random(seed)
        greeting = self.random.choice(("Hello, how can I help you?", None, ""))
        self.core = Conversation(POLICY, Phrases(greeting=greeting))
        self.habits = {stage: self.random.choice(HABITS) for stage in ("stt", "llm", "tts", "tool")}
        self.proof = self.random.randrange(20, 300)
        self.script = list(self._script()) if caller_speaks else []
        self.unheard = list(self.script)
        self.wire = Wire()
        self.now = 0
        self.over = ""
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self.words_at = 0
        self.progress_at = 0
        """When anything of the reply last moved."""
        self.filler_heard = -NEVER
        self.yielded: int | None = 0
        """Since when it is the caller's turn to speak; None where the agent broke off."""
        self.owned_at = 0
        self.longest = 0

    def _script(self) -> Iterable[Utterance]:
        now = 0
        for _ in range(self.random.randrange(7)):
            now += self.random.choice((300, 700, 1500, 4000, 9000, 20_000)) * self.random.randrange(50, 150) // 100
            end = now + self.random.choice((90, 250, 400, 600, 1200, 2500))
            yield Utterance(now, end, self.random.choice(QUESTIONS) if self.random.random() < 0.8 else "")
            now = end

    # ---------------------------------------------------------------- time

    def later(self, delay: int, act: Callable[[], None]) -> None:
        if delay < NEVER:
            heapq.heappush(self._heap, (self.now + delay, next(self._count), act))

    def play(self) -> None:
        """From the first moment to the end."""
        self.tell(events.CallStarted(0))
        self.listen()
        while not self.over:
            assert self.now <= POLICY.max_call + POLICY.hard_stop + WINDOW, "the call does not end"
            at = self._heap[0][0]
            due = self.core.deadline
            if due is not None and due < at:
                self.now = max(self.now, due)
                self.tell(events.TimePassed(self.now))
                continue
            self.now, _, act = heapq.heappop(self._heap)
            act()

    def tell(self, event: events.Event) -> None:
        replying = self.core.memory.reply
        asked = self.core.receive(event)
        self._keep_books(asked)
        if replying is not None and self.core.memory.reply is not replying:
            cancelled = any(isinstance(command, commands.CancelReply) for command in asked)
            self.yielded = None if cancelled and replying.started is not None else self.now
        for command in asked:
            self._obey(command)

    def _keep_books(self, asked: tuple[commands.Command, ...]) -> None:
        """Nobody waits for longer than the limit; a word to come, or the end, is what they wait for."""
        answered = any(isinstance(command, commands.Speak | commands.EndCall) for command in asked)
        if answered or self.core.memory.call is not CallState.LIVE or self._owner():
            self.owned_at = self.now
        self.longest = max(self.longest, self.now - self.owned_at)
        assert self.now - self.owned_at <= LIMIT, f"nobody owned the silence from {self.owned_at} to {self.now}"

    def _owner(self) -> str:
        now, wire = self.now, self.wire
        last_speech = max((said.end for said in self.script if said.start <= now), default=-NEVER)
        floor_until = max(last_speech, self.words_at) + POLICY.transcript_patience + 2 * WINDOW
        if now < last_speech or (self.core.memory.turn.holds_floor(now, POLICY) and now <= floor_until):
            return "the caller holds the floor"
        if now <= wire.free_at:
            return "the agent is being heard"
        if wire.synthesising and now - self.progress_at <= POLICY.reply_patience:
            return "text to speech was asked"
        if now - self.filler_heard <= POLICY.filler_again:
            return "the caller was asked to wait"
        waiting = self.core.memory.reply is None and self.yielded is not None
        if waiting and now - max(self.yielded or 0, last_speech) <= POLICY.silence_prompt:
            return "it is the caller's turn"
        return ""

    # ---------------------------------------------------------------- the caller

    def listen(self) -> None:
        """One window of the caller's audio; fewer of them in a silence of both sides."""
        talking = any(said.start < self.now <= said.end for said in self.script)
        self.tell(events.SpeechProbability(self.now, self.now, 0.9 if talking else 0.05))
        if talking and self.random.random() < 0.1:
            self.tell(events.PartialTranscript(self.now, self.random.choice((*QUESTIONS, "perhaps", ""))))
        near = any(-QUIET <= self.now - said.start <= said.end - said.start for said in self.script)
        idle = self.core.memory.turn.state is TurnState.QUIET and not near
        self.later(QUIET if idle else WINDOW, self.listen)

    def _understand(self, request: int) -> None:
        """Speech to text answers: with all that was said since its last answer."""
        habit = self._habit("stt")
        delay = {"fast": 20, "slow": 300, "hangs": NEVER, "fails": 50}[habit] * self.random.randrange(1, 8)
        if habit == "fails":
            self.later(delay, lambda: self.tell(events.EngineFailed(self.now, "stt", "broken")))
            return

        said = [one for one in self.unheard if one.end <= self.now]

        def answer() -> None:
            self.unheard = [one for one in self.unheard if one not in said]
            for words in filter(None, (one.words for one in said)):
                self.words_at = self.now
                self.tell(events.FinalTranscript(self.now, words))
            self.tell(events.TranscriptFinished(self.now, request))

        self.later(delay, answer)

    # ---------------------------------------------------------------- the agent

    def _habit(self, stage: str) -> str:
        return self.habits[stage] if self.random.random() < 0.7 else "fast"

    def _obey(self, command: commands.Command) -> None:
        match command:
            case commands.StartReply(reply):
                self._turn_to(reply)
                self._think(reply)
            case commands.Speak(reply, clause, text):
                self._turn_to(reply)
                self.progress_at = self.now
                self.wire.clauses.append(Clause(text, self.now))
                self._synthesise(reply, clause)
            case commands.Release():
                self.wire.released = True
                self.progress_at = self.now
                self._pump()
            case commands.Hold():
                self.wire.released = False
            case commands.Duck():
                pass
            case commands.Pause():
                self.wire.released = False
                self.wire.epoch += 1
                self.wire.next = self.wire.heard[0]
                self.wire.free_at = self.now
            case commands.Resume():
                self.wire.released = True
                self._pump()
            case commands.CancelReply(reply):
                self.wire = Wire(reply + 1)
            case commands.FinishTranscript(request):
                self._understand(request)
            case commands.RunTool(tool_call):
                delay = {"fast": 100, "slow": 2000, "hangs": NEVER, "fails": 500}[self._habit("tool")]
                done = events.ToolFinished
                self.later(delay * self.random.randrange(1, 5), lambda: self.tell(done(self.now, tool_call, "seven")))
            case commands.EndCall(reason):
                self.over = reason
            case commands.JudgeTurn():
                pass  # a turn model need not answer
            case _:
                raise AssertionError(command)

    def _turn_to(self, reply: int) -> None:
        if reply > self.wire.reply:
            self.wire = Wire(reply)

    def _think(self, reply: int) -> None:
        """The language model gives its tokens one by one; some ask for a tool, hang up, or stop in the middle."""
        habit = self._habit("llm")
        first, pace = {"fast": (120, 30), "slow": (900, 350), "hangs": (300, 60), "fails": (300, 60)}[habit]
        delay = first * self.random.randrange(1, 5)
        going_on = self.core.messages(reply)[-1].role == "tool"
        tokens = self.random.choice(ANSWERS).split()
        broken = habit in ("hangs", "fails")
        if broken:
            tokens = tokens[: self.random.randrange(len(tokens) + 1)]
        for token in tokens:
            self.later(delay, lambda token=token: self._progress(events.ReplyText(self.now, reply, token + " ")))  # type: ignore[misc]
            delay += pace
        if habit == "fails":
            self.later(delay, lambda: self.tell(events.EngineFailed(self.now, "llm", "broken", reply)))
        if broken:
            return
        if self.random.random() < 0.3 and not going_on:
            name = HANG_UP if self.random.random() < 0.2 else "look_up"
            call = f"t{next(self._count)}"
            self.later(delay, lambda: self._progress(events.ToolRequested(self.now, reply, call, name, "{}")))
        self.later(delay, lambda: self._progress(events.ReplyFinished(self.now, reply)))

    def _progress(self, event: events.ReplyEvent) -> None:
        if event.reply == self.wire.reply:
            self.progress_at = self.now
        self.tell(event)

    def _synthesise(self, reply: int, clause: int) -> None:
        habit = self._habit("tts")
        delay = {"fast": 40, "slow": 500, "hangs": NEVER, "fails": 200}[habit] * self.random.randrange(1, 6)

        def ready() -> None:
            if reply == self.wire.reply:
                self.wire.clauses[clause].ready = True
                self._pump()

        def fail() -> None:
            self.tell(events.EngineFailed(self.now, "tts", "broken", reply))

        self.later(delay, fail if habit == "fails" else ready)

    def _pump(self) -> None:
        """Play the next clause, if it may be heard, is there, and the one before it was played."""
        wire = self.wire
        playing = self.now < wire.free_at - self.proof
        if playing or not wire.released or wire.next == len(wire.clauses) or not wire.clauses[wire.next].ready:
            return
        clause, wire.next = wire.next, wire.next + 1
        text = wire.clauses[clause].text
        count = len(words_of(text))
        first = wire.heard[1] if clause == wire.heard[0] else 0
        length = WORD * (count - first)
        wire.free_at = self.now + length + self.proof
        if not wire.audible:
            wire.audible = True
            self.tell(events.PlaybackStarted(self.now, wire.reply))
        for word in range(first, count):
            end = (word + 1 - first) * WORD
            self._wire_later(end - WORD, events.WordSent, clause, word)
            self._wire_later(end + self.proof, events.WordAcknowledged, clause, word)
        self.later(length, self._pump)
        if text in self.core.memory.phrases.fillers:
            self.filler_heard = wire.free_at

    def _wire_later(
        self, delay: int, kind: type[events.WordSent] | type[events.WordAcknowledged], clause: int, word: int
    ) -> None:
        wire, epoch = self.wire, self.wire.epoch

        def arrive() -> None:
            if epoch == wire.epoch:
                if kind is events.WordAcknowledged:
                    wire.heard = (clause, word + 1)
                self._progress(kind(self.now, wire.reply, clause, word))

        self.later(delay, arrive)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_silence_is_unowned(batch: int) -> None:
    """Over thousands of calls with engines of every habit; and each call ends, for its callers all fall silent."""
    for number in range(CALLS // BATCHES):
        scene = Scene(batch * CALLS + number, caller_speaks=number % 10 != 0)
        scene.play()
        assert scene.over


def test_a_caller_who_never_speaks_is_left_within_a_minute() -> None:
    """Asked twice, then left with a goodbye, if the voice works; politely or not, if it does not."""
    for seed in range(200):
        scene = Scene(seed, caller_speaks=False)
        scene.habits |= {"llm": "fast", "tts": "fast", "tool": "fast"}
        scene.play()
        assert scene.over in ("caller_silent", "agent_hung_up")
        assert scene.now < 60_000
