"""The laws of the figures: what was heard, on one clock, and nothing that was not."""

import numpy as np

from client_caller.audio import g711
from client_caller.cli.latency_figures import answers, disturbances
from client_caller.simulator.examiner import Purpose, Said
from client_caller.simulator.network import Cleared, FarEnd, StreamIdentity

MS = 8
SOUND = g711.encode(np.tile(np.array([3000, -3000], np.int16), 4 * 5000))


def heard(*stretches: tuple[int, int]) -> FarEnd:
    """A far end that played sound in these stretches of milliseconds."""
    far_end = FarEnd(StreamIdentity("CA1", "MZ1"), 0.0)
    far_end.played += g711.SILENCE * 10_000 * MS
    for begin, end in stretches:
        far_end.played[begin * MS : end * MS] = SOUND[: (end - begin) * MS]
    return far_end


def said(begins: int, ends: int, until: int, purpose: Purpose = "question", late: float = 0) -> Said:
    return Said(purpose, "x", begins * MS, ends * MS, until * MS, late)


class NoLedger:
    """Of a server that knows nothing but who took the floor."""

    def turn(self, first_sound: int) -> None:
        return None

    def cut(self, begins: int, ends: int) -> bool:
        return begins == 1000


def test_voice_to_voice_is_from_last_sample_to_first() -> None:
    """The agent's sound before the question, and after it was done with, is no answer to it."""
    far_end = heard((0, 500), (2345, 3000), (6000, 6100))
    one, none = answers([said(1000, 2000, 4000), said(4500, 5000, 5900)], far_end, NoLedger())
    assert (one.wire, one.spoke_over, one.punctual) == (345, False, True)
    assert (none.wire, none.spoke_over) == (None, False)


def test_an_agent_that_talks_into_the_question_gave_no_answer() -> None:
    """Such a turn has no latency, and says so; one that our own lateness spoilt says that."""
    (one,) = answers([said(1000, 2000, 4000, late=9)], heard((1500, 2500)), NoLedger())
    assert (one.wire, one.spoke_over, one.punctual) == (None, True, False)


def test_only_a_clear_before_the_next_thing_said_is_a_yield() -> None:
    """Clear and silence are counted from the caller's first sample; a reply that goes on to its end was not cut."""
    far_end = heard((0, 1400), (2000, 6000))
    far_end.clears.append(Cleared(1410 * MS, 0, ()))
    cut, hum = (said(1000, 1900, 1900, "interruption"), said(3000, 3300, 3300, "backchannel"))
    (one,) = disturbances([cut, hum], far_end, NoLedger(), "interruption")
    assert (one.length, one.clear, one.silent, one.cut) == (900, 410, 400, True)
    (other,) = disturbances([cut, hum], far_end, NoLedger(), "backchannel")
    assert (other.clear, other.silent, other.cut) == (None, 3000, False)
