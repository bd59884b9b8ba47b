"""The laws of the agenda: time never runs backwards, and ties go by who came first."""

from hypothesis import given
from hypothesis import strategies as st

from client_caller.simulator.agenda import Agenda


@given(st.lists(st.integers(0, 50), max_size=30))
def test_deeds_are_done_in_order(times: list[int]) -> None:
    """By time, and for one time in the order in which they were put down."""
    agenda = Agenda()
    done: list[tuple[int, int]] = []
    for number, time in enumerate(times):
        agenda.at(time, lambda time, number: done.append((time, number)), time, number)
    clock = []
    for _ in times:
        agenda.step()
        clock.append(agenda.now)
    assert done == sorted((time, number) for number, time in enumerate(times))
    assert clock == sorted(times)


def test_what_is_late_is_done_now() -> None:
    """A deed for a time that is past does not turn the clock back."""
    agenda = Agenda()
    agenda.at(10, lambda: agenda.at(3, lambda: None))
    agenda.step()
    agenda.step()
    assert agenda.now == 10
