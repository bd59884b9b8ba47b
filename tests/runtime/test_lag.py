"""The laws of the lag: how far the far end may be behind, learned from the marks that come back."""

from client_caller.runtime.lag import CAUTION, KNOWN, Lag


def learned(*late: int) -> Lag:
    """A line whose marks came back so late, in one stretch."""
    lag = Lag()
    lag.begin(0)
    for number, samples in enumerate(late, start=1):
        lag.note(number * 1000, number * 1000 + samples)
    return lag


def test_of_a_line_of_which_little_is_known_caution_is_expected() -> None:
    """Until enough marks have come back."""
    assert Lag().behind(0) == CAUTION
    assert learned(*[800] * (KNOWN - 1)).behind(-5) == CAUTION


def test_a_steady_line_has_no_lag_however_slow_it_is() -> None:
    """What takes equally long each time can be counted on."""
    assert learned(*[800] * KNOWN).behind(-5) == 0


def test_a_line_that_varies_lags_by_as_much() -> None:
    """What takes up to so much longer may have done so now."""
    assert learned(*[800, 850] * KNOWN).behind(0) == 50


def test_nobody_can_tell_of_a_line_that_has_stood_still() -> None:
    """Once is enough: while it did, the far end may have run dry, and it may again."""
    assert learned(800, 800 + CAUTION).behind(0) == CAUTION
    assert learned(800, 801 + CAUTION, *[800] * KNOWN).behind(0) is None


def test_a_stretch_that_began_late_is_behind() -> None:
    """Its first audio was held up: all of it is played later than the copy has it."""
    lag = learned(*[800] * KNOWN)
    lag.begin(20_000)
    assert lag.behind(0) == 0
    for number in range(KNOWN):
        lag.note(21_000 + number, 21_000 + number + 1200)
    assert lag.behind(0) == 400
    lag.begin(40_000)
    assert lag.behind(0) == 400, "so much is feared of a stretch of which nothing is known"


def test_a_mark_of_the_stretch_before_says_nothing_about_this_one() -> None:
    """It may come back after the next stretch has begun."""
    lag = learned(*[800] * KNOWN)
    lag.begin(20_000)
    lag.note(19_000, 20_000)
    assert lag.behind(0) == 200


def test_a_word_whose_mark_is_awaited_is_not_taken_for_played() -> None:
    """The far end may have run dry before its end, so that is said again."""
    assert learned(*[800] * KNOWN).behind(300) == 300
