"""Judging turns off the event loop: in time, or not at all."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from client_caller.audio.turn_model import TurnModel
from client_caller.observe.metrics import REGISTRY
from client_caller.runtime.turn_judges import DEADLINE, NICENESS, TYPICAL, TurnJudges

PLACES = int(DEADLINE / TYPICAL)
"""How many judgements of typical length fit before the deadline."""


@dataclass
class Bench:
    """A judge who begins only when told to, on a clock that only judging moves."""

    takes: float = TYPICAL
    now: float = 0.0
    judged: list[bytes] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def judge(self, mulaw: bytes) -> float:
        self.began.set()
        assert self.go.wait(10)
        self.now += self.takes
        self.judged.append(mulaw)
        if self.error is not None:
            raise self.error
        return mulaw[0] / 255

    def clock(self) -> float:
        return self.now


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
async def judges(bench: Bench) -> AsyncIterator[TurnJudges]:
    judges = TurnJudges(bench.judge, bench.clock)
    yield judges
    bench.go.set()
    judges.close()


@pytest.fixture
def counted() -> Callable[[], dict[str, float]]:
    """How many judgements since the test began, by result."""

    def read() -> dict[str, float]:
        name = "client_caller_turn_judgements_total"
        return {key: REGISTRY.get_sample_value(name, {"result": key}) or 0 for key in ("in_time", "late", "refused")}

    before = read()
    return lambda: {key: value - before[key] for key, value in read().items() if value != before[key]}


async def asked(judges: TurnJudges, count: int) -> list[asyncio.Task[float | None]]:
    """So many questions, one from each call, all of them at the judge by now or refused."""
    tasks = [asyncio.create_task(judges.ask(bytes([call]))) for call in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_each_call_gets_its_own_answer(judges: TurnJudges, bench: Bench, counted: Callable[[], object]) -> None:
    """In the order in which they asked."""
    bench.go.set()
    tasks = await asked(judges, PLACES)
    assert await asyncio.gather(*tasks) == [call / 255 for call in range(PLACES)]
    assert bench.judged == [bytes([call]) for call in range(PLACES)]
    assert counted() == {"in_time": PLACES}


async def test_who_would_be_late_is_told_at_once(
    judges: TurnJudges, bench: Bench, counted: Callable[[], object]
) -> None:
    """While the judge has not even begun, all that do not fit before the deadline have their answer: none."""
    tasks = await asked(judges, PLACES + 2)
    assert [task.done() for task in tasks] == [False] * PLACES + [True] * 2
    assert tasks[-1].result() is None
    assert counted() == {"refused": 2}
    bench.go.set()
    await asyncio.gather(*tasks)
    assert len(bench.judged) == PLACES


async def test_the_event_loop_goes_on_meanwhile(judges: TurnJudges, bench: Bench) -> None:
    """The judge waits for a sign that only the loop can give."""
    (task,) = await asked(judges, 1)
    assert await asyncio.to_thread(bench.began.wait, 10)
    assert not task.done()
    bench.go.set()
    assert await task == 0


async def test_a_caller_who_goes_on_makes_room(judges: TurnJudges, bench: Bench) -> None:
    """A question taken back before its turn costs nothing, and another has its place."""
    tasks = await asked(judges, PLACES)
    assert await asyncio.to_thread(bench.began.wait, 10)
    tasks[1].cancel()
    await asyncio.wait([tasks[1]])
    late = asyncio.create_task(judges.ask(b"\xff"))
    await asyncio.sleep(0)
    assert not late.done()
    bench.go.set()
    assert await late == 1
    assert b"\x01" not in bench.judged


async def test_a_question_taken_back_too_late_still_holds_its_place(judges: TurnJudges, bench: Bench) -> None:
    """The worker can't be stopped in the middle, so it is not free."""
    tasks = await asked(judges, PLACES)
    assert await asyncio.to_thread(bench.began.wait, 10)
    tasks[0].cancel()
    await asyncio.wait([tasks[0]])
    assert await judges.ask(b"\xff") is None


async def test_a_slow_machine_takes_fewer(judges: TurnJudges, bench: Bench) -> None:
    """What is typical is learnt: with judgements of 0.2 s there is no room for a second one."""
    bench.takes = 0.2
    bench.go.set()
    for _ in range(30):
        await judges.ask(b"\x00")
    bench.go.clear()
    tasks = await asked(judges, 2)
    assert [task.done() for task in tasks] == [False, True]


async def test_after_a_hiccup_an_idle_worker_shows_that_it_is_fast_again(judges: TurnJudges, bench: Bench) -> None:
    """However long one judgement took, the next is not refused; soon as many fit as ever."""
    bench.takes = 60
    bench.go.set()
    assert await judges.ask(b"\x00") == 0
    bench.takes = TYPICAL / 2
    for _ in range(60):
        assert await judges.ask(b"\x00") == 0
    bench.go.clear()
    tasks = await asked(judges, PLACES)
    assert not any(task.done() for task in tasks)


async def test_a_late_answer_is_given_and_counted(
    judges: TurnJudges, bench: Bench, counted: Callable[[], object]
) -> None:
    """The caller may still be silent: it is for the call to say whether it is of use."""
    bench.takes = DEADLINE + 0.01
    bench.go.set()
    assert await judges.ask(b"\xff") == 1
    assert counted() == {"late": 1}


async def test_a_judge_that_fails_says_so_and_lives(judges: TurnJudges, bench: Bench) -> None:
    """One failure is one call's; the next question is answered."""
    bench.error = RuntimeError("no model")
    bench.go.set()
    with pytest.raises(RuntimeError, match="no model"):
        await judges.ask(b"\x00")
    bench.error = None
    assert await judges.ask(b"\xff") == 1


async def test_the_end_waits_for_nobody(bench: Bench) -> None:
    """Closing returns at once; what was not begun is cancelled, what was is answered."""
    judges = TurnJudges(bench.judge, bench.clock)
    tasks = await asked(judges, 2)
    assert await asyncio.to_thread(bench.began.wait, 10)
    judges.close()
    await asyncio.wait([tasks[1]])
    assert tasks[1].cancelled()
    bench.go.set()
    assert await tasks[0] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="a thread's own niceness is Linux's")
async def test_the_worker_lets_the_loop_go_first() -> None:
    """It alone is nicer, not the process."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    judges = TurnJudges(lambda mulaw: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert await judges.ask(b"") == min(before + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
    judges.close()


async def test_the_real_model_answers(smart_turn_path: Path, shared_audio: Callable[[str], bytes]) -> None:
    """All of it together: a turn cut in the middle, and one that is over."""
    judges = TurnJudges(TurnModel(smart_turn_path).judge)
    pause = b"\xff" * 1600
    open_turn = await judges.ask(shared_audio("turns/t11_incomplete.flac") + pause)
    closed_turn = await judges.ask(shared_audio("turns/t10_complete.flac") + pause)
    judges.close()
    assert open_turn is not None
    assert closed_turn is not None
    assert open_turn < 0.1 < 0.9 < closed_turn
