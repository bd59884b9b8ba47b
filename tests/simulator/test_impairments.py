"""The laws of a bad connection."""

import asyncio

from client_caller.simulator.impairments import Impairments, Path
from client_caller.simulator.virtual_time import run_virtual


def journey(impairments: Impairments, messages: int = 400, every: float = 0.02) -> list[tuple[float, float]]:
    """When each message was sent and when it arrived; asserts that they came in order."""

    async def send() -> list[tuple[float, float]]:
        loop = asyncio.get_running_loop()
        arrived: list[tuple[int, float]] = []
        path = Path[int](impairments, "there", lambda number: arrived.append((number, loop.time())))
        sent = []
        for number in range(messages):
            sent.append(loop.time())
            path.send(number)
            assert len(arrived) <= number, "nothing arrives before send has returned"
            await asyncio.sleep(every)
        await asyncio.sleep(10)
        assert [number for number, _ in arrived] == list(range(messages))
        return [(gone, come) for gone, (_, come) in zip(sent, arrived, strict=True)]

    return run_virtual(send())


def test_a_perfect_path_takes_no_time() -> None:
    """Without impairments a message arrives at the very time at which it was sent."""
    assert all(gone == come for gone, come in journey(Impairments()))


def test_delay_and_jitter_stay_within_their_bounds() -> None:
    """Each message takes the delay and at most the jitter more, and none overtakes another."""
    trips = [come - gone for gone, come in journey(Impairments(delay=0.05, jitter=0.03))]
    assert min(trips) >= 0.05 - 1e-8
    assert max(trips) <= 0.08 + 1e-8
    assert len({round(trip, 4) for trip in trips}) > 100


def test_a_standstill_holds_everything_and_then_lets_it_arrive_together() -> None:
    """Messages sent into a standstill arrive at once at its end, none later than its length."""
    trips = journey(Impairments(seed=3, stall_every=2.0, stall=0.3))
    together: dict[float, int] = {}
    for gone, come in trips:
        assert -1e-8 <= come - gone <= 0.3 + 1e-8
        together[come] = together.get(come, 0) + 1
    assert max(together.values()) >= 10


def test_the_seed_decides() -> None:
    """The same seed gives the same journey, another seed another."""
    bad = [Impairments(seed=seed, delay=0.01, jitter=0.05, stall_every=1.0) for seed in (1, 1, 2)]
    first, again, other = (journey(one) for one in bad)
    assert first == again
    assert first != other


def test_a_closed_path_delivers_nothing() -> None:
    """What was under way when the connection ended never arrives."""

    async def main() -> list[str]:
        arrived: list[str] = []
        path = Path[str](Impairments(delay=1.0), "there", arrived.append)
        path.send("lost")
        await asyncio.sleep(0.5)
        path.close()
        await asyncio.sleep(5)
        return arrived

    assert run_virtual(main()) == []
