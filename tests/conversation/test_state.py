"""The laws of the three tables."""

from collections.abc import Mapping
from enum import Enum

import pytest

from client_caller.conversation.state import (
    CALL,
    REPLY,
    TURN,
    CallState,
    ReplyState,
    ReplyTrigger,
    TurnState,
    TurnTrigger,
    View,
    follow,
    view,
)

Table = Mapping[Enum, Mapping[Enum, Enum]]


@pytest.mark.parametrize("table", [CALL, TURN, REPLY])
def test_a_table_knows_every_state_and_reaches_it(table: Table) -> None:
    """No step leads out of the table, and no state is there for nothing."""
    first = next(iter(table))
    assert list(table) == list(type(first))
    reached = {first}
    while more := {then for state in reached for then in table[state].values()} - reached:
        reached |= more
    assert reached == set(table)


def test_what_is_over_stays_over() -> None:
    """An ended call and an ended reply have no way back; a turn always has a next state."""
    assert not CALL[CallState.ENDED]
    over = {ReplyState.HEARD, ReplyState.CUT, ReplyState.WITHDRAWN, ReplyState.FAILED}
    assert {state for state in ReplyState if not REPLY[state]} == over
    assert all(TURN.values())


def test_only_what_was_not_heard_can_be_taken_back() -> None:
    """Before its first sound a reply can be held or withdrawn but not interrupted; after it, only the reverse."""
    for state in (ReplyState.HELD, ReplyState.RELEASED):
        assert ReplyTrigger.WITHDRAW in REPLY[state]
        assert ReplyTrigger.INTERRUPT not in REPLY[state]
    for state in (ReplyState.AUDIBLE, ReplyState.DUCKED, ReplyState.PAUSED):
        assert {ReplyTrigger.HOLD, ReplyTrigger.WITHDRAW}.isdisjoint(REPLY[state])
        assert follow(REPLY, state, ReplyTrigger.INTERRUPT) is ReplyState.CUT


def test_a_reply_that_is_heard_softly_can_end_as_any_that_is_heard() -> None:
    """Ducked, it goes on: it can be heard to its end, silenced, and made loud again. Paused, it has to go on first."""
    assert REPLY[ReplyState.DUCKED].keys() - REPLY[ReplyState.AUDIBLE].keys() == {ReplyTrigger.RESUME}
    assert REPLY[ReplyState.AUDIBLE].keys() - REPLY[ReplyState.DUCKED].keys() == {ReplyTrigger.DUCK}
    assert {ReplyTrigger.DUCK, ReplyTrigger.COMPLETE}.isdisjoint(REPLY[ReplyState.PAUSED])


def test_a_held_reply_makes_no_sound() -> None:
    """It has to be released first."""
    assert ReplyTrigger.SOUND not in REPLY[ReplyState.HELD]


def test_a_step_that_is_not_in_the_table_is_a_mistake_of_ours() -> None:
    """A turn can't be over while the caller speaks."""
    with pytest.raises(KeyError):
        follow(TURN, TurnState.SPEAKING, TurnTrigger.TAKEN)


@pytest.mark.parametrize(
    ("call", "turn", "reply", "interrupted", "expected"),
    [
        (CallState.WAITING, TurnState.QUIET, None, False, "IDLE"),
        (CallState.ENDED, TurnState.SPEAKING, None, True, "IDLE"),
        (CallState.LIVE, TurnState.QUIET, ReplyState.AUDIBLE, False, "SPEAKING"),
        (CallState.LIVE, TurnState.SPEAKING, ReplyState.AUDIBLE, False, "SPEAKING"),
        (CallState.LIVE, TurnState.SPEAKING, ReplyState.DUCKED, False, "SPEAKING"),
        (CallState.LIVE, TurnState.SPEAKING, ReplyState.PAUSED, False, "LISTENING"),
        (CallState.LIVE, TurnState.QUIET, ReplyState.RELEASED, False, "PROCESSING"),
        (CallState.LIVE, TurnState.PAUSING, ReplyState.HELD, False, "LISTENING"),
        (CallState.LIVE, TurnState.SPEAKING, None, True, "INTERRUPTED"),
        (CallState.LIVE, TurnState.QUIET, None, True, "LISTENING"),
        (CallState.CLOSING, TurnState.QUIET, None, False, "LISTENING"),
    ],
)
def test_a_view_is_what_a_person_would_say(
    call: CallState, turn: TurnState, reply: ReplyState | None, interrupted: bool, expected: View
) -> None:
    """What is heard comes first, then what is being worked on, then who has the floor."""
    assert view(call, turn, reply, interrupted=interrupted) == expected
