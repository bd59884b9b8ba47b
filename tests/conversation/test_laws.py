"""The laws of a conversation, on any sequence of events whatever.

A `World` makes up events: sensible ones, late ones, repeated ones, contradictory ones. It keeps its own books on what
was sent and acknowledged, and checks after every event that the conversation's commands and history agree with them.
"""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from client_caller.conversation import commands, events
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.history import AgentSaid, CallerSaid, ToolUsed
from client_caller.conversation.policy import HANG_UP, Phrases, Policy
from client_caller.conversation.reply import PROOF, Reply
from client_caller.conversation.state import CallState, ReplyState

SEQUENCES = 100_000
BATCHES = 20

TEXTS = ("Yes. ", "No, wait. ", "It costs 3.50 euros, which is fair, and ", "tomorrow ", "*Bold* <b>", " ", "", "Dr. ")


class World:
    """One call whose events can be anything."""

    def __init__(self, *, announce: bool = False, greeting: str | None = "Hello there, friend.") -> None:
        self.policy = Policy(announce_recording=announce, max_call=240_000, stable_partial=0)
        self.conversation = Conversation(self.policy, Phrases(greeting=greeting))
        self.now = 0
        self.audio_end = 0
        self.spoken: dict[int, list[str]] = {}
        self.sent: dict[int, int] = {}
        self.acknowledged: dict[int, int] = {}
        self.positions: dict[int, list[tuple[int, int]]] = {}
        self.cancelled: set[int] = set()
        self.released: set[int] = set()
        self.paused: set[int] = set()
        self.ducked: set[int] = set()
        self.latest = 0
        self.requests: list[int] = []
        self.tools: list[str] = []
        """Those that were run."""
        self.asked_by: dict[str, int] = {}
        self.returned: list[str] = []
        self.ended = False
        self.caller_words: list[str] = []
        self.numbers = itertools.count()
        self.entries_seen = 0
        self.replies_checked = 0

    # ------------------------------------------------------------ events

    def tell(self, event: events.Event) -> tuple[commands.Command, ...]:
        was_ended = self.conversation.memory.call in (CallState.ENDED, CallState.WAITING)
        replying = self.conversation.memory.reply
        self._note_word(event)
        asked = self.conversation.receive(event)
        if was_ended and not isinstance(event, events.CallStarted):
            assert asked == ()
        for command in asked:
            self._check(command)
        if replying is not None and self.conversation.memory.reply is not replying:
            self._check_end(replying)
        self.check()
        return asked

    def _note_word(self, event: events.Event) -> None:
        """Books of what the far end has played, as far as it was acknowledged before the reply ended, or proven."""
        if not isinstance(event, events.WordSent | events.WordAcknowledged | events.WordProven):
            return
        known = {self.conversation.memory.reply.number} if self.conversation.memory.reply is not None else set()
        if isinstance(event, events.WordProven):
            known |= {ended.reply.number for ended in self.conversation.memory.ended}
        if event.reply not in known or self.conversation.memory.call is CallState.ENDED:
            return
        try:
            place = self.positions.get(event.reply, []).index((event.clause, event.word))
        except ValueError:
            return
        if isinstance(event, events.WordSent):
            self.sent[event.reply] = max(self.sent.get(event.reply, -1), place)
        elif place <= self.sent.get(event.reply, -1):
            self.acknowledged[event.reply] = max(self.acknowledged.get(event.reply, -1), place)

    def start(self) -> None:
        self.tell(events.CallStarted(self.now))

    def wait(self, milliseconds: int) -> None:
        """Time passes; deadlines on the way are kept as the runtime keeps them."""
        until = self.now + milliseconds
        while (due := self.conversation.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.tell(events.TimePassed(self.now))
        self.now = until

    def window(self, probability: float) -> None:
        self.wait(32)
        self.audio_end = max(self.audio_end + 32, self.now - 20)
        self.tell(events.SpeechProbability(self.now, self.audio_end, probability))

    def talk(self, windows: int) -> None:
        for _ in range(windows):
            self.window(0.9)

    def hush(self, windows: int) -> None:
        for _ in range(windows):
            self.window(0.05)

    def partial(self, text: str = "perhaps") -> None:
        self.tell(events.PartialTranscript(self.now, text))

    def final(self) -> str:
        number = next(self.numbers)
        word = f"w{number}"
        if self.conversation.memory.call in (CallState.LIVE, CallState.CLOSING):
            self.caller_words.append(word)
        self.tell(events.FinalTranscript(self.now, word, (0.9, 0.1, None)[number % 3]))
        return word

    def finished(self, request: int | None = None) -> None:
        if request is None:
            request = self.requests[-1] if self.requests else 1
        self.tell(events.TranscriptFinished(self.now, request))

    def text(self, reply: int, text: str) -> None:
        self.tell(events.ReplyText(self.now, reply, text))

    def reply_finished(self, reply: int) -> None:
        self.tell(events.ReplyFinished(self.now, reply))

    def sound(self, reply: int) -> None:
        self.tell(events.PlaybackStarted(self.now, reply))

    def word_sent(self, reply: int, clause: int, word: int) -> None:
        self.tell(events.WordSent(self.now, reply, clause, word))

    def word_acknowledged(self, reply: int, clause: int, word: int) -> None:
        self.tell(events.WordAcknowledged(self.now, reply, clause, word))

    def word_proven(self, reply: int, clause: int, word: int) -> None:
        """What the history said of the last replies is looked at once more."""
        self.entries_seen, self.replies_checked = -1, max(0, self.replies_checked - PROOF)
        self.tell(events.WordProven(self.now, reply, clause, word))

    def replay(self, reply: int, first: int) -> None:
        """Words go out again, and are proven heard again: what was heard once is in the history once."""
        for clause, word in self.positions.get(reply, [])[first:]:
            self.word_sent(reply, clause, word)
            self.word_acknowledged(reply, clause, word)

    def tool(self, reply: int, name: str) -> None:
        tool = f"call{next(self.numbers)}"
        self.asked_by[tool] = reply
        self.tell(events.ToolRequested(self.now, reply, tool, name, "{}", filler="Let me see."))

    def tool_finished(self, tool: str) -> None:
        if tool in self.tools and tool not in self.returned and self.conversation.memory.call is not CallState.ENDED:
            self.returned.append(tool)
        self.tell(events.ToolFinished(self.now, tool, "done"))

    def fail(self, stage: str, reply: int | None) -> None:
        self.tell(events.EngineFailed(self.now, stage, "broken", reply))

    def press(self) -> None:
        self.tell(events.DigitPressed(self.now, "5"))

    def hang_up(self) -> None:
        self.tell(events.CallEnded(self.now, "caller_hung_up"))

    # ------------------------------------------------------------ the laws

    def _check(self, command: commands.Command) -> None:
        assert not self.ended, "nothing is asked for after EndCall"
        match command:
            case commands.StartReply(reply) | commands.Hold(reply):
                self._check_alive(reply)
            case commands.Release(reply):
                self._check_alive(reply)
                self.released.add(reply)
            case commands.Speak(reply, clause, text):
                self._check_alive(reply)
                words = [text[word.start : word.end] for word in words_of(text)]
                assert words, "every clause has a word"
                assert clause == len({c for c, _ in self.positions.get(reply, [])}), "clauses are numbered in order"
                self.spoken.setdefault(reply, []).extend(words)
                self.positions.setdefault(reply, []).extend((clause, word) for word in range(len(words)))
            case commands.Duck(reply):
                self._check_alive(reply)
                assert reply in self.released - self.paused - self.ducked, "only what is loud is made soft"
                self.ducked.add(reply)
            case commands.Pause(reply):
                self._check_alive(reply)
                assert reply in self.released - self.paused, "only what is heard is paused, and once"
                self.ducked.discard(reply)
                self.paused.add(reply)
            case commands.Resume(reply):
                self._check_alive(reply)
                assert (reply in self.ducked) is not (reply in self.paused), "what is soft or silent becomes loud"
                self.ducked.discard(reply)
                self.paused.discard(reply)
            case commands.CancelReply(reply):
                assert reply not in self.cancelled, "a reply is cancelled once"
                assert reply <= self.latest
                self.cancelled.add(reply)
            case commands.FinishTranscript(request):
                assert request == len(self.requests) + 1
                self.requests.append(request)
            case commands.RunTool(tool_call, _, _):
                assert tool_call not in self.tools, "a tool is run once"
                assert self.asked_by[tool_call] in self.released, "no tool is run on a guess"
                self.tools.append(tool_call)
            case commands.EndCall():
                self.ended = True

    def _check_alive(self, reply: int) -> None:
        assert reply not in self.cancelled, "nothing of a reply after its cancel"
        assert reply >= self.latest, "nothing of a reply after the next one began"
        self.latest = reply

    def _check_end(self, reply: Reply) -> None:
        heard = reply.state is ReplyState.HEARD
        assert heard or reply.state in (ReplyState.CUT, ReplyState.WITHDRAWN, ReplyState.FAILED)
        assert not (heard and reply.number in self.paused), "a reply that is silent does not come to its end"
        assert (reply.number in self.cancelled) is not heard, "what ends before its time is cancelled, and only that"

    def check(self) -> None:
        conversation = self.conversation
        if conversation.memory.call in (CallState.LIVE, CallState.CLOSING):
            assert conversation.deadline is not None
            assert conversation.deadline > conversation.memory.now, "whatever was due has been done"
        else:
            assert conversation.deadline is None
        self._check_history()

    def _check_history(self) -> None:
        if len(self.conversation.memory.entries) == self.entries_seen:
            return
        self.entries_seen = len(self.conversation.memory.entries)
        said = [entry for entry in self.conversation.history if isinstance(entry, AgentSaid)]
        assert self.replies_checked <= len(said), "what was heard is not unsaid"
        for entry in said[self.replies_checked :]:
            matching = [
                reply
                for reply, words in self.spoken.items()
                if words == [*entry.heard.split(), *entry.unheard.split()]
                and len(entry.heard.split()) == self.acknowledged.get(reply, -1) + 1
            ]
            assert matching, f"heard exactly what was acknowledged, of exactly what was generated: {entry}"
            if entry.unheard:
                assert entry.cut
        self.replies_checked = len(said)

    def check_nothing_lost(self) -> None:
        """After the end: every final word and every tool's result is in the history, and no reply is left open."""
        kept = " ".join(entry.text for entry in self.conversation.history if isinstance(entry, CallerSaid)).split()
        assert set(self.caller_words) <= set(kept)
        used = [entry for entry in self.conversation.history if isinstance(entry, ToolUsed) and entry.name != HANG_UP]
        assert sorted(entry.tool_call for entry in used) == sorted(self.returned), "each result once"
        assert self.conversation.memory.reply is None
        assert self.conversation.view == "IDLE"

    @property
    def over(self) -> bool:
        return self.conversation.memory.call is CallState.ENDED

    def check_can_answer(self) -> None:
        """However confused things are: engines that work again, and a caller who speaks, get an answer."""
        limit = self.now + 120_000
        while self.now < limit and not self.over:
            word = self._ask()
            reply = self.conversation.memory.reply
            heard = [m.content for m in self.conversation.messages(reply.number)] if reply is not None else []
            if reply is not None and reply.made_by_model and any(word in content.split() for content in heard):
                return
        assert self.over, "the caller spoke and was not answered"

    def _ask(self) -> str:
        """The caller says a word of half a second and waits for three; every engine does its work at once."""
        self.talk(16)
        self.hush(4)
        word = self.final()
        for _ in range(30):
            if self.requests:
                self.finished()
            self.hush(3)
            for tool in [*self.conversation.memory.running]:
                self.tool_finished(tool)
            reply = self.conversation.memory.reply
            if reply is not None and reply.made_by_model and reply.state is not ReplyState.AUDIBLE and reply.committed:
                break
            self.play_out()
        return word

    def play_out(self) -> None:
        """The present reply, if there is one, is generated, sent and heard."""
        reply = self.conversation.memory.reply
        if reply is None:
            return
        number = reply.number
        self.text(number, "All right. ")
        self.reply_finished(number)
        self.sound(number)
        for clause, word in list(self.positions.get(number, [])):
            self.word_sent(number, clause, word)
            self.word_acknowledged(number, clause, word)


Draw = Callable[[int], int]
"""A number from 0 to below the argument."""


def random_step(world: World, draw: Draw) -> None:
    """Do one thing that could happen, or could not."""
    reply = max(0, world.latest + (0, 0, 0, 0, 0, -1, 1)[draw(7)])
    places = world.positions.get(reply) or [(0, 0)]
    clause, word = places[draw(len(places))]
    nearly = min(len(places) - 1, world.sent.get(reply, -1) + 1)
    steps: tuple[Callable[[], Any], ...] = (
        lambda: world.wait((5, 40, 200, 600, 1600, 9000)[draw(6)]),
        lambda: world.talk((1, 2, 5, 14, 17)[draw(5)]),
        lambda: world.hush((1, 3, 7, 15, 35)[draw(5)]),
        lambda: world.talk(2 + draw(4)),
        lambda: world.hush(4 + draw(4)),
        world.partial,
        world.final,
        world.finished,
        world.finished,
        lambda: world.finished(draw(6)),
        lambda: world.text(reply, TEXTS[draw(len(TEXTS))]),
        lambda: world.text(reply, TEXTS[draw(len(TEXTS))]),
        lambda: world.reply_finished(reply),
        lambda: world.sound(reply),
        lambda: world.sound(reply),
        lambda: world.word_sent(reply, *places[nearly]),
        lambda: world.word_sent(reply, *places[-1]),
        lambda: world.word_sent(reply, clause, word + draw(2)),
        lambda: world.word_acknowledged(reply, *places[min(len(places) - 1, max(0, world.sent.get(reply, 0)))]),
        lambda: world.word_acknowledged(reply, clause, word),
        lambda: world.word_acknowledged(reply, draw(3), draw(9) - 1),
        lambda: world.word_proven(reply, *places[min(len(places) - 1, max(0, world.sent.get(reply, 0)))]),
        lambda: world.word_proven(reply, draw(3), draw(9) - 1),
        lambda: world.replay(reply, draw(len(places))),
        lambda: world.tool(reply, ("look_up", HANG_UP)[draw(6) == 0]),
        lambda: world.tool_finished(world.tools[draw(len(world.tools))] if world.tools else "none"),
        world.play_out,
        world.play_out,
        lambda: world.fail(("llm", "tts", "stt")[draw(3)], None if draw(3) == 0 else reply),
        world.press,
        lambda: world.hang_up() if draw(12) == 0 else None,
        lambda: world.start() if draw(8) == 0 else None,
    )
    steps[draw(len(steps))]()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_laws_hold_on_any_sequence_of_events(batch: int) -> None:
    """A hundred thousand random calls: no law broken at any step, nothing lost at the end, and always an answer."""
    for number in range(SEQUENCES // BATCHES):
        source = random.Random(batch * SEQUENCES + number)
        world = World(
            announce=source.random() < 0.2, greeting=None if source.random() < 0.2 else "Hello there, friend."
        )
        if source.random() < 0.95:
            world.start()
        for _ in range(source.randrange(4, 28)):
            random_step(world, source.randrange)
        if number % 8 == 0 and world.conversation.memory.call is not CallState.WAITING:
            world.check_can_answer()
        world.hang_up()
        world.check_nothing_lost()


class Compared(World):
    """Tells all events to a second conversation as well, whose rules look at every one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.thorough = Conversation(self.policy, Phrases(greeting="Hello there, friend."))

    def tell(self, event: events.Event) -> tuple[commands.Command, ...]:
        asked = super().tell(event)
        if self.thorough.deadline is not None:
            self.thorough._deadline = 0
        assert asked == self.thorough.receive(event)
        deadline, exact = self.conversation.deadline, self.thorough.deadline
        assert deadline == exact or (deadline is not None and exact is not None and deadline < exact)
        return asked


def test_rules_need_not_look_at_what_changes_nothing() -> None:
    """The rules decide the same as if they had looked at every event, and never later; a radio is part of it, too."""
    for seed in range(1000):
        source = random.Random(seed)
        world = Compared()
        world.start()
        for _ in range(source.randrange(4, 28)):
            random_step(world, source.randrange)
        if seed % 8 == 0:
            world.play_out()
            world.hush((world.policy.silence_prompt - 1000) // 32)  # the prompt is due while the radio has the floor
            world.talk(2 * world.policy.wordless_speech // 32)


class Calls(RuleBasedStateMachine):
    """The same laws, with Hypothesis looking for the shortest sequence that breaks one."""

    @initialize(announce=st.booleans(), generated=st.booleans())
    def begin(self, announce: bool, generated: bool) -> None:
        self.world = World(announce=announce, greeting=None if generated else "Hello there, friend.")
        self.world.start()

    @rule(data=st.data())
    def anything(self, data: st.DataObject) -> None:
        random_step(self.world, lambda below: data.draw(st.integers(0, below - 1)))

    @invariant()
    def one_reply_at_most(self) -> None:
        reply = self.world.conversation.memory.reply
        if reply is not None:
            assert reply.state in (
                ReplyState.HELD,
                ReplyState.RELEASED,
                ReplyState.AUDIBLE,
                ReplyState.DUCKED,
                ReplyState.PAUSED,
            )

    def teardown(self) -> None:
        self.world.check_can_answer()
        self.world.hang_up()
        self.world.check_nothing_lost()


Calls.TestCase.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestCalls = Calls.TestCase
