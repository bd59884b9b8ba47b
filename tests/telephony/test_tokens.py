"""Stream tokens: one connection, one call, one minute."""

import pytest

from client_caller.telephony.tokens import LIFETIME, LIMIT, StreamTokens


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> StreamTokens:
    return StreamTokens(clock)


def test_a_token_opens_its_call_once(tokens: StreamTokens) -> None:
    """The second use of the same token is refused."""
    token = tokens.issue("CA1")
    assert tokens.redeem("CA1", token)
    assert not tokens.redeem("CA1", token)


def test_a_token_opens_no_other_call(tokens: StreamTokens) -> None:
    """It is bound to its CallSid, and a wrong attempt does not spend it."""
    token = tokens.issue("CA1")
    tokens.issue("CA2")
    assert not tokens.redeem("CA2", token)
    assert not tokens.redeem("CA3", token)
    assert tokens.redeem("CA1", token)


@pytest.mark.parametrize("guess", ["", "x", "é", "\ud800", "A" * 43])
def test_a_guess_opens_nothing(tokens: StreamTokens, guess: str) -> None:
    """Neither an empty token, nor any other text, nor a call that was never answered."""
    assert not tokens.redeem("CA1", guess)
    tokens.issue("CA1")
    assert not tokens.redeem("CA1", guess)


def test_a_token_lives_for_a_minute(tokens: StreamTokens, clock: Clock) -> None:
    """Just before its end it holds, at its end no more."""
    early, late = tokens.issue("CA1"), tokens.issue("CA2")
    clock.now += LIFETIME - 0.001
    assert tokens.redeem("CA1", early)
    clock.now += 0.001
    assert not tokens.redeem("CA2", late)
    assert tokens.waiting == 0


def test_a_new_token_replaces_the_old(tokens: StreamTokens) -> None:
    """A webhook that is asked twice leaves one way in."""
    old, new = tokens.issue("CA1"), tokens.issue("CA1")
    assert old != new
    assert not tokens.redeem("CA1", old)
    assert tokens.redeem("CA1", new)


def test_a_withdrawn_token_is_gone(tokens: StreamTokens) -> None:
    """A caller who hung up before the stream opened leaves nothing behind."""
    token = tokens.issue("CA1")
    tokens.withdraw("CA1")
    tokens.withdraw("CA1")
    assert not tokens.redeem("CA1", token)


def test_memory_is_bounded(tokens: StreamTokens) -> None:
    """Beyond the limit the oldest is forgotten, never the newest."""
    first = tokens.issue("first")
    for number in range(LIMIT):
        last = tokens.issue(f"CA{number}")
    assert tokens.waiting == LIMIT
    assert not tokens.redeem("first", first)
    assert tokens.redeem(f"CA{LIMIT - 1}", last)
