"""Many calls and one thread."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

torch = pytest.importorskip("torch")

from client_caller.models.csm.engine import CsmEngine  # noqa: E402
from client_caller.models.csm.loop import Full, Line, Loop  # noqa: E402
from client_caller.models.csm.pace import Pace  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402
from client_caller.models.csm.wire import Answer, Cancel, Ended, Failed, Say, Sound  # noqa: E402

TEXTS = ["One.", "Two and three.", "Four, five, six and seven.", "Eight?"]


@pytest.fixture
async def make_loop(weights: Weights) -> AsyncIterator[Callable[..., Loop]]:
    """Loops over three slots, stopped at the end."""
    loops: list[Loop] = []

    def make(pace: Pace | None = None, start: bool = True) -> Loop:
        engine = CsmEngine(weights.model, slots=3, sampling=Sampling(temperature=0))
        engine.prefill(0, engine.text(weights.tokens(0, "My voice.")))
        loops.append(Loop(engine, weights, engine.saved(0), 0, pace or Pace(slowest_step=60.0)))
        if start:
            loops[-1].start()
        return loops[-1]

    yield make
    for loop in loops:
        loop.stop()


async def said(line: Line, text: str, clause: int = 0) -> bytes:
    """Speak one clause to its end."""
    line.ask(Say(clause, text))
    sound = b""
    async for answer in line:
        if isinstance(answer, Ended):
            return sound
        assert isinstance(answer, Sound)
        sound += answer.pcm
    raise AssertionError("the line was closed")


async def alone(loop: Loop, text: str) -> bytes:
    line = loop.open()
    try:
        return await said(line, text)
    finally:
        line.close()


async def test_calls_do_not_disturb_each_other(make_loop: Callable[..., Loop]) -> None:
    """Calls that come and go in one batch sound as each does alone, within what rounding does to a sample."""
    loop = make_loop()
    expected = [await alone(loop, text) for text in TEXTS[:3]]
    together = await asyncio.gather(*(alone(loop, text) for text in TEXTS[:3]))
    for one, other in zip(expected, together, strict=True):
        assert len(one) == len(other) > 0
        both = [torch.frombuffer(bytearray(sound), dtype=torch.int16).int() for sound in (one, other)]
        assert (both[0] - both[1]).abs().max() <= 4  # 1e-4 of full scale


async def test_a_slot_is_given_back(make_loop: Callable[..., Loop]) -> None:
    """As many calls as there are slots; one more is refused until somebody leaves, in the middle of a clause even."""
    loop = make_loop()
    lines = [loop.open() for _ in range(3)]
    with pytest.raises(Full):
        loop.open()
    lines[1].ask(Say(0, TEXTS[2]))
    assert isinstance(await anext(aiter(lines[1])), Sound)
    lines[1].close()
    lines[1].close()
    assert loop.calls == 2
    again = loop.open()
    assert again.slot == 1
    assert await said(again, TEXTS[0])


async def test_a_cancel_is_in_force_with_the_next_frame(make_loop: Callable[..., Loop]) -> None:
    """While another call goes on, a cancelled clause has at most the frame in flight."""
    loop = make_loop(start=False)
    line, other = loop.open(), loop.open()
    line.ask(Say(0, TEXTS[2]))
    other.ask(Say(0, TEXTS[2]))
    steps: list[int] = []
    step = loop._engine.step

    def counted(count: int) -> object:
        if len(steps) == 5:
            line.ask(Cancel(0))  # in the middle of the sixth step
        steps.append(count)
        return step(count)

    loop._engine.step = counted  # type: ignore[assignment, method-assign]
    loop.start()
    answers: list[Answer] = []
    async for answer in line:
        answers.append(answer)
        if isinstance(answer, Ended):
            break
    assert answers[-1] == Ended(0, 6, "cancelled")
    assert await said_on(other) > 6


async def said_on(line: Line) -> int:
    """Frames until the end of what is being spoken."""
    async for answer in line:
        if isinstance(answer, Ended):
            return answer.frames
    raise AssertionError("the line was closed")


async def test_a_slow_engine_takes_no_more_calls(make_loop: Callable[..., Loop]) -> None:
    """Those on the line keep their pace."""
    pace = Pace(slowest_step=0.0)
    loop = make_loop(pace)
    line = loop.open()
    await said(line, TEXTS[2])
    assert pace.frames == pace.steps > 20
    with pytest.raises(Full):
        loop.open()


async def test_a_broken_engine_is_told(make_loop: Callable[..., Loop]) -> None:
    """Every call hears of it, and no new one is taken."""
    loop = make_loop(start=False)

    def broken(count: int) -> object:
        raise RuntimeError("CUDA error")

    loop._engine.step = broken  # type: ignore[assignment, method-assign]
    loop.start()
    line, other = loop.open(), loop.open()
    line.ask(Say(0, TEXTS[0]))
    for each in (line, other):
        answer = await anext(aiter(each))
        assert isinstance(answer, Failed)
        assert answer.clause is None
        assert "started again" in answer.reason
    with pytest.raises(Full):
        loop.open()
