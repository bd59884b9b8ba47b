"""Which calls are on the line: names that stay, room that is counted, memory that is bounded."""

import asyncio

import pytest

from client_caller.calls.call import Call
from client_caller.conversation.history import CallerSaid
from client_caller.server import switchboard
from client_caller.server.switchboard import Earlier, Refused, Switchboard
from client_caller.telephony.tokens import StreamTokens


@pytest.fixture
def board() -> Switchboard:
    names = iter(range(1, 100_000))
    return Switchboard(max_calls=2, tokens=StreamTokens(lambda: 0.0), new_id=lambda: f"call-{next(names)}")


def answer(board: Switchboard, provider_id: str, earlier: Earlier | None = None) -> str:
    return board.expect(provider_id, caller="+1", callee="+2", earlier=earlier)


def test_a_call_keeps_its_name(board: Switchboard) -> None:
    """Through a webhook asked twice, a connection, its loss, and the next connection."""
    answer(board, "CA1")
    first = board.connect("CA1", answer(board, "CA1"), open_to_all=False)
    board.ended(first, "connection_lost")
    second = board.connect("CA1", answer(board, "CA1"), open_to_all=False)
    assert first.call == second.call == Call("call-1", "CA1", caller="+1", callee="+2")


def test_the_past_is_handed_over_with_the_next_connection(board: Switchboard) -> None:
    """Its call and its history, for that connection."""
    said = (CallerSaid(0, 1, "hello"),)
    call = Call("from-before", "CA1")
    token = answer(board, "CA1", Earlier(call, over=False, history=said))
    connection = board.connect("CA1", token, open_to_all=False)
    assert (connection.call, connection.earlier) == (call, said)


def test_room_is_counted_from_the_webhook_to_the_end(board: Switchboard) -> None:
    """An answered call takes room before its stream comes; its end gives it back."""
    first, second = answer(board, "CA1"), answer(board, "CA2")
    assert board.why_not() == "busy"
    connection = board.connect("CA1", first, open_to_all=False)
    board.connect("CA2", second, open_to_all=False)
    assert (board.why_not(), board.live) == ("busy", 2)
    board.ended(connection, "ended_by_agent")
    assert (board.why_not(), board.live) == (None, 1)
    board.draining = True
    assert board.why_not() == "draining"


def test_what_is_owed_is_settled(board: Switchboard) -> None:
    """A promised stream, then the webhook after a hang-up; a caller who hung up is owed nothing."""
    token = answer(board, "CA1")
    assert board.owed == 1
    connection = board.connect("CA1", token, open_to_all=False)
    assert board.owed == 0
    board.ended(connection, "ended_by_agent")
    assert board.owed == 1
    board.forget("CA1")
    assert board.owed == 0
    board.ended(board.connect("CA2", answer(board, "CA2"), open_to_all=False), "caller_hung_up")
    assert board.owed == 0


def test_a_stream_needs_its_token_unless_the_server_is_open(board: Switchboard) -> None:
    """And a false one is refused even then."""
    for token in ("", "guess"):
        with pytest.raises(Refused, match="token"):
            board.connect("CA1", token, open_to_all=False)
    with pytest.raises(Refused, match="token"):
        board.connect("CA1", "guess", open_to_all=True)
    board.connect("CA1", "", open_to_all=True)
    with pytest.raises(Refused, match="already_connected"):
        board.connect("CA1", "", open_to_all=True)


async def test_the_outcome_is_waited_for(board: Switchboard) -> None:
    """The provider may ask before the connection has noticed its end."""
    connection = board.connect("CA1", answer(board, "CA1"), open_to_all=False)
    asking = asyncio.create_task(board.outcome("CA1"))
    await asyncio.sleep(0)
    assert not asking.done()
    board.ended(connection, "ended_by_agent")
    assert await asking == "ended_by_agent"
    assert await board.outcome("CA-unknown") is None


def test_memory_is_bounded_and_spares_the_living(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest call that is not on the line is forgotten first."""
    monkeypatch.setattr(switchboard, "REMEMBERED", 3)
    live = board.connect("live", answer(board, "live"), open_to_all=False)
    for number in range(5):
        answer(board, f"CA{number}")
    with pytest.raises(Refused, match="already_connected"):
        board.connect("live", answer(board, "live"), open_to_all=False)
    kept = board.connect("CA4", answer(board, "CA4"), open_to_all=False)
    forgotten = board.connect("CA0", answer(board, "CA0"), open_to_all=False)
    assert [connection.call.id for connection in (live, kept, forgotten)] == ["call-1", "call-6", "call-7"]
