"""The laws of one direction of a line: in order, nothing lost, never sooner than its delay."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from client_caller.simulator.agenda import Agenda
from client_caller.simulator.one_way import OneWay, Way


def arrivals(way: Way, times: list[int], seed: int = 1) -> list[tuple[int, int]]:
    """When each message arrives that is sent at one of these times; with its number."""
    agenda = Agenda()
    found: list[tuple[int, int]] = []
    line = OneWay[int](agenda, way, Random(seed), lambda number: found.append((agenda.now, number)))
    for number, time in enumerate(times):
        agenda.at(time, line.send, number)
    for _ in range(2 * len(times)):
        agenda.step()
    return found


@given(st.builds(Way, *[st.integers(0, 500)] * 2, st.sampled_from([0, 100, 3000]), st.integers(0, 900)), st.data())
def test_everything_arrives_in_order(way: Way, data: st.DataObject) -> None:
    """After its delay at the least, whatever the jitter and however often the line stands still."""
    times = sorted(data.draw(st.lists(st.integers(0, 5000), max_size=20)))
    found = arrivals(way, times)
    assert [number for _, number in found] == list(range(len(times)))
    assert all(arrived >= time + way.delay for (arrived, _), time in zip(found, times, strict=True))
    assert [arrived for arrived, _ in found] == sorted(arrived for arrived, _ in found)


def test_a_line_without_faults_is_exact() -> None:
    """No jitter, no standstill: every message takes as long."""
    assert arrivals(Way(delay=7), [0, 3, 100]) == [(7, 0), (10, 1), (107, 2)]


def test_a_standstill_ends_for_all_at_once() -> None:
    """What is sent while the line stands still arrives together when it goes on."""
    found = arrivals(Way(stall_every=1000, stall=400), list(range(0, 4000, 10)))
    together = [arrived for arrived, _ in found]
    assert max(together.count(arrived) for arrived in set(together)) >= 40
    assert sum(arrived == time for (arrived, number), time in zip(found, range(0, 4000, 10), strict=True)) > 100
