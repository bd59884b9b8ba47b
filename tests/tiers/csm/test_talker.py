"""One call: clauses in order, cancelled within a frame, and a memory of what was heard."""

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch")

from client_caller.models.csm.engine import CsmEngine, Frame, Prefix  # noqa: E402
from client_caller.models.csm.memory import RENEWED_AT, most_frames  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.talker import MOST_WAITING, Talker  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402
from client_caller.models.csm.wire import Answer, Cancel, Context, Ended, Failed, Heard, Say, Sound  # noqa: E402

VOICE: list[Frame] = [tuple((5 * t + book) % 64 for book in range(6)) for t in range(10)]
LONGEST = 60
"""Steps after which a test gives up: the tiny model does not end by itself."""


class Call:
    """A talker, what it answered, and steps for it alone."""

    def __init__(self, engine: CsmEngine, weights: Weights, voice: Prefix, slot: int = 0) -> None:
        self.engine = engine
        self.answers: list[Answer] = []
        self.talker = Talker(engine, weights, slot, voice, 0, self.answers.append)

    def ask(self, *requests: Say | Cancel | Heard | Context) -> "Call":
        for request in requests:
            self.talker.carry_out(request)
        return self

    def step(self, times: int = 1) -> "Call":
        for _ in range(times):
            if self.talker.prepare():
                step, slot = self.engine.step(self.talker.slot + 1), self.talker.slot
                self.talker.take(step.codes[slot], bool(step.ended[slot]), step.sound[slot])
        return self

    def run(self) -> "Call":
        """Until there is nothing to do."""
        for _ in range(20 * LONGEST):
            if not self.talker.busy:
                return self
            self.step()
        raise AssertionError("it speaks for ever")

    def sound(self, clause: int) -> list[bytes]:
        return [answer.pcm for answer in self.answers if isinstance(answer, Sound) and answer.clause == clause]

    @property
    def ends(self) -> list[Answer]:
        return [answer for answer in self.answers if not isinstance(answer, Sound)]


@pytest.fixture
def voice(engine: CsmEngine, weights: Weights) -> Prefix:
    engine.prefill(0, engine.joined([engine.text(weights.tokens(0, "My voice.")), engine.frames(VOICE)]))
    return engine.saved(0)


@pytest.fixture
def call(engine: CsmEngine, weights: Weights, voice: Prefix) -> Call:
    return Call(engine, weights, voice)


@pytest.fixture
def fresh_call(weights: Weights, voice: Prefix) -> Callable[[], Call]:
    """A call in an engine of its own."""
    return lambda: Call(CsmEngine(weights.model, slots=1, sampling=Sampling(temperature=0)), weights, voice)


def test_clauses_are_spoken_in_order(call: Call) -> None:
    """One after the other, each to its end, 80 ms at a time from the first step on."""
    call.ask(Say(0, "One two."), Say(1, "Three."))
    assert call.step().answers == [Sound(0, call.sound(0)[0])]
    assert len(call.sound(0)[0]) == 2 * 1920
    call.run()
    frames = (most_frames("One two."), most_frames("Three."))
    assert call.ends == [Ended(0, frames[0], "limit"), Ended(1, frames[1], "limit")]
    assert (len(call.sound(0)), len(call.sound(1))) == frames
    assert any(any(piece) for piece in call.sound(1))


def test_an_end_of_speech_ends_the_clause(call: Call) -> None:
    """The frame that ends it gives no sound."""
    call.ask(Say(0, "One.")).step(3)
    call.engine._codes = lambda count: torch.zeros(count, 6, dtype=torch.long)  # type: ignore[method-assign]
    call.step()
    assert call.answers[-1] == Ended(0, 3, "spoken")
    assert len(call.sound(0)) == 3


def test_a_cancelled_clause_has_no_more_frames(call: Call) -> None:
    """What is carried out between two frames is in force with the next; a clause that waits is told its end too."""
    call.ask(Say(0, "One two three."), Say(1, "Four."), Say(2, "Five.")).step(4)
    call.ask(Cancel(1), Cancel(0), Cancel(0), Cancel(7))
    assert call.ends == [Ended(1, 0, "cancelled"), Ended(0, 4, "cancelled")]
    call.step()
    assert (len(call.sound(0)), len(call.sound(2))) == (4, 1)


def test_what_was_not_heard_never_was(call: Call, fresh_call: Callable[[], Call]) -> None:
    """After a barge-in, the call goes on as one in which only the heard words and frames were ever said."""
    call.ask(Say(0, "Hello there."), Say(1, "How are you today?"), Say(2, "Fine?")).run()
    call.ask(Heard(1, 5, "How are"), Context(3, "Wait."), Say(4, "Yes?")).run()

    other = fresh_call()
    other.ask(Say(0, "Hello there.")).run()
    other.ask(Say(1, "How are you today?")).step(5)
    other.ask(Heard(1, 5, "How are"), Context(3, "Wait."), Say(4, "Yes?")).run()
    assert call.sound(4) == other.sound(4) != []
    assert call.engine.position(0) == other.engine.position(0)

    never = fresh_call()
    never.ask(Say(0, "Hello there."), Context(1, "Wait."), Say(2, "Yes?")).run()
    call.ask(Heard(1, 0, ""), Context(5, "Wait."), Say(6, "Yes?")).run()
    assert call.sound(6) == never.sound(2) != []


def test_a_turn_of_the_caller_can_be_forgotten(call: Call, fresh_call: Callable[[], Call]) -> None:
    """What the caller said was a guess: it goes, whether it was taken in or still waits, and so does all after it."""
    call.ask(Say(0, "Hello."), Context(1, "I would"), Say(2, "Sure.")).run()
    call.ask(Heard(1, 0, ""), Context(3, "I would not"), Heard(3, 0, ""), Say(4, "Well.")).run()
    assert call.sound(4) == fresh_call().ask(Say(0, "Hello."), Say(4, "Well.")).run().sound(4) != []


def test_what_came_before_is_spoken_all_the_same(call: Call) -> None:
    """A later clause that was not heard takes nothing from those before it."""
    call.ask(Say(0, "One."), Say(1, "Two.")).step(2).ask(Heard(1, 0, "")).run()
    assert [answer.reason for answer in call.ends if isinstance(answer, Ended)] == ["cancelled", "limit"]
    assert len(call.sound(0)) == most_frames("One.")


def test_heard_stops_what_is_being_said(call: Call) -> None:
    """It follows a barge-in: nothing that was asked for before it is spoken any more."""
    call.ask(Say(0, "One two three."), Say(1, "Four.")).step(6).ask(Heard(0, 2, "One")).run()
    assert call.ends == [Ended(1, 0, "cancelled"), Ended(0, 6, "cancelled")]
    assert call.ask(Heard(9, 1, "what?"), Say(2, "Five.")).run().sound(2)


def test_the_callers_words_wait_for_the_clause(call: Call, fresh_call: Callable[[], Call]) -> None:
    """They are taken in between clauses, and do matter."""
    call.ask(Say(0, "One.")).step(2).ask(Context(1, "Two!"), Say(2, "Three.")).run()
    other = fresh_call().ask(Say(0, "One.")).run().ask(Context(1, "Two!")).run().ask(Say(2, "Three.")).run()
    assert call.sound(2) == other.sound(2)
    assert call.sound(2) != fresh_call().ask(Say(0, "One."), Say(2, "Three.")).run().sound(2)


def test_a_long_call_never_fills_its_slot(call: Call) -> None:
    """When the slot is two thirds full it is written anew, with the newest pieces only; speech goes on."""
    most, lowest = 0, call.engine.length
    for clause in range(12):
        call.ask(Say(clause, "One two three four."), Context(100 + clause, "Mm."))
        before = call.engine.position(0)
        call.run()
        most = max(most, call.engine.position(0))
        if call.engine.position(0) < before:
            lowest = min(lowest, call.engine.position(0))
    length = call.engine.length
    assert RENEWED_AT * length < most + most_frames("One two three four.")
    assert most < length - 1
    assert lowest < length / 2
    assert [answer.clause for answer in call.ends if isinstance(answer, Ended)] == list(range(12))


def test_a_renewed_slot_is_the_newest_pieces(call: Call, fresh_call: Callable[[], Call]) -> None:
    """After it was written anew, a slot goes on as one that was given just those pieces."""
    call.ask(*(Say(clause, "One two three.") for clause in range(9))).run()
    while call.engine.position(0) < RENEWED_AT * call.engine.length:
        call.ask(Say(9, "One two three.")).run()
    kept = [piece for piece in call.talker._memory._pieces if piece.ours]
    call.ask(Say(10, "Go on.")).step()
    remaining = [piece for piece in call.talker._memory._pieces if piece.clause != 10]
    assert remaining == kept[-len(remaining) :] != []

    other = fresh_call()
    other.talker._memory._write(remaining)
    other.ask(Say(10, "Go on.")).run()
    assert call.run().sound(10) == other.sound(10)


def test_what_can_not_be_said_is_told(call: Call) -> None:
    """A text longer than a slot, and more clauses than anybody needs; the call goes on."""
    call.ask(Say(0, "word " * 200), Context(1, "word " * 200)).run()
    assert [type(answer) for answer in call.answers] == [Failed]
    call.ask(*(Say(clause, "One.") for clause in range(2, MOST_WAITING + 3)))
    assert call.answers[1:] == [
        Failed(MOST_WAITING + 2, "too many clauses are waiting: cancel some, or send them later")
    ]
    call.step()
    assert call.sound(2)


def test_nobody_needs_more_frames() -> None:
    """A slow speaker's second and a half for each two words, and a second more."""
    assert most_frames("One two three four five.") == 40 + 12
    assert most_frames("x" * 60) == 80 + 12
