"""The laws of the transcript."""

import json

import pytest

from client_caller.calls.call import Call
from client_caller.calls.transcript import as_json, as_text, clock, joined, shifted
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolUsed

ENTRIES: tuple[Entry, ...] = (
    AgentSaid(0, 1400, "Hello, how can I help you?", "", False),
    CallerSaid(2000, 3000, "What does it cost?"),
    ToolUsed(3300, "t1", "price", '{"of":"it"}', "40", False),
    ToolUsed(3400, "t2", "stock", "{}", "timeout", True),
    AgentSaid(3600, 5200, "It costs forty", "euros, plus tax.", True),
    CallerSaid(4000, 4300, "uh-huh", True),
    CallerSaid(5000, 5900, ""),
    AgentSaid(6000, 6100, "", "I said", True),
    AgentSaid(6600, 6900, "Bye.", "", True),
    CallerSaid(61_000, 61_300, "", True),
)


def test_the_text_tells_heard_from_unheard() -> None:
    """Every kind of entry has its line, with its time; what was not heard is in brackets."""
    assert as_text(ENTRIES).splitlines() == [
        "00:00.0  Agent   Hello, how can I help you?",
        "00:02.0  Caller  What does it cost?",
        '00:03.3  Tool    price({"of":"it"}) gave: 40',
        "00:03.4  Tool    stock({}) failed: timeout",
        "00:03.6  Agent   It costs forty [not heard: euros, plus tax.]",
        "00:04.0  Caller  (uh-huh)",
        "00:05.0  Caller  (not understood)",
        "00:06.0  Agent   [not heard: I said]",
        "00:06.6  Agent   Bye. [cut off]",
        "01:01.0  Caller  (a sound)",
    ]


def test_entries_stand_in_the_order_in_which_they_began() -> None:
    """A backchannel is over before the reply it belongs to, and yet comes after its beginning."""
    assert as_text([ENTRIES[5], ENTRIES[4]]) == as_text(ENTRIES[4:6])
    assert as_json(Call("c1", "CA1"), [ENTRIES[5], ENTRIES[4]]) == as_json(Call("c1", "CA1"), ENTRIES[4:6])


def test_no_text_can_break_a_line_or_steer_a_terminal() -> None:
    """Line breaks, escape sequences and direction marks in anybody's words become spaces."""
    assert as_text([CallerSaid(0, 1, "a\nb\x1b[2Jc\u202ed é")]) == "00:00.0  Caller  a b [2Jc d é\n"


def test_the_json_holds_everything() -> None:
    """Each entry says who and has all its fields; the call is named."""
    document = json.loads(as_json(Call("c1", "CA1", caller="+1"), ENTRIES))
    assert document["call"]["provider_id"] == "CA1"
    assert document["entries"][1] == {
        "who": "caller",
        "started": 2000,
        "ended": 3000,
        "text": "What does it cost?",
        "backchannel": False,
    }
    assert [entry["who"] for entry in document["entries"]].count("agent") == 4
    assert document["entries"][3]["failed"] is True


def test_shifting_moves_every_time_and_nothing_else() -> None:
    """Shifting forth and back is no change; shifted entries are later by just that much."""
    later = shifted(ENTRIES, 1500)
    assert shifted(later, -1500) == ENTRIES
    assert as_text(later).splitlines()[2] == '00:04.8  Tool    price({"of":"it"}) gave: 40'
    assert later[1] == CallerSaid(3500, 4500, "What does it cost?")


def test_a_resumed_call_is_joined_on_one_clock() -> None:
    """New entries move by the offset, earlier ones stay; a turn that went on ends on the new clock."""
    earlier = (AgentSaid(0, 900, "Hello?", "", False), CallerSaid(1000, 1500, "I want"))
    history = (earlier[0], CallerSaid(1000, 700, "I want to know"), AgentSaid(900, 1200, "Yes.", "", False))
    assert joined(earlier, history, 10_000) == (
        earlier[0],
        CallerSaid(1000, 10_700, "I want to know"),
        AgentSaid(10_900, 11_200, "Yes.", "", False),
    )
    assert joined((), ENTRIES, 0) == ENTRIES


@pytest.mark.parametrize(("at", "shown"), [(0, "00:00.0"), (59_999, "00:59.9"), (754_321, "12:34.3"), (-5, "00:00.0")])
def test_times_read_as_minutes_seconds_and_tenths(at: int, shown: str) -> None:
    """Cut, never rounded, so that no minute has sixty seconds."""
    assert clock(at) == shown
