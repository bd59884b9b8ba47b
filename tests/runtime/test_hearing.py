"""The laws of the caller's audio on the call's clock."""

import random

from client_caller.audio.g711 import SILENCE
from client_caller.conversation.policy import Policy
from client_caller.runtime.hearing import USUAL_LAG, Hearing

HISS = bytes(random.Random(1).choices(b"\xa8\x28", k=8000))
"""A second of it."""


def test_windows_lie_where_their_audio_was() -> None:
    """The first audio is heard when it comes, whatever the line's clock says; a gap on the line moves what follows."""
    hearing = Hearing(Policy())
    assert hearing.hear(SILENCE * 160, 7000, 100) == 100
    assert hearing.hear(SILENCE * 160, 7020, 120) == 120
    assert hearing.window(256, 0.0, -100, 140)[0].audio_end == 132
    assert hearing.hear(SILENCE * 160, 7100, 200) == 200
    assert hearing.window(480, 0.0, -100, 221)[0].audio_end == 220


def test_a_window_never_ends_in_the_future_and_follows_a_slow_line() -> None:
    """A line whose clock runs ahead is believed at once; one that falls behind by a millisecond a window."""
    hearing = Hearing(Policy())
    hearing.hear(SILENCE * 8000, 0, 0)
    assert hearing.window(256, 0.0, -100, 20)[0].audio_end == 20
    late = 64 + USUAL_LAG + 100
    assert hearing.window(512, 0.0, -100, late)[0].audio_end == 53


def test_only_what_may_be_speech_is_compared_with_what_was_played() -> None:
    """An echo of the agent's is known by its share, and says nothing of how good the caller's line is."""
    hearing = Hearing(Policy())
    hearing.play(HISS, 0)
    hearing.hear(SILENCE * 800 + HISS[:7200], 0, 0)
    speech, line = hearing.window(8000, 0.9, -20, 1000)
    assert speech.echo > 0.9
    assert line is None
    assert hearing.window(8000, 0.3, -20, 1000)[0].echo == 0


def test_the_line_is_judged_by_the_callers_own_windows() -> None:
    """Speech that is hardly there is told of; as the echo of the agent it would not be."""
    for played, bad in ((b"", [True]), (HISS, [])):
        hearing = Hearing(Policy())
        news = []
        for window in range(400):
            start = window * 256
            hearing.play((played * 20)[start : start + 256], start)
            hearing.hear((HISS * 20)[start : start + 256], window * 32, window * 32)
            speaks = window % 100 < 60
            news.append(
                hearing.window(start + 256, 0.9 if speaks else 0.01, -60 if speaks else -70, start // 8 + 32)[1]
            )
        assert [one.bad for one in news if one is not None] == bad
