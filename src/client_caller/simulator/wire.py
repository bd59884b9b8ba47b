"""What can be measured of a call at the wire alone; the side under test is asked nothing.

Both sides' audio is on one clock, that of the far end: sample n of the caller is spoken n / 8000 s after the stream was
opened, since a telephone sends a frame when it is full; sample n of `FarEnd.played` is heard then.
"""

from collections.abc import Sequence

from client_caller.simulator.network import Cleared
from client_caller.simulator.utterances import voiced

_PAUSE = 300 * 8
"""Samples of silence that are no gap between words."""


def first_sound(played: bytes, begin: int, end: int) -> int | None:
    """The first voiced sample in a stretch of what the far end played; None if all of it is silent."""
    places = voiced(played[begin:end])
    return begin + int(places[0]) if len(places) else None


def falls_silent(played: bytes, begin: int) -> int:
    """Where the agent, heard at `begin` or shortly after, has fallen silent: behind its last voiced sample."""
    last = begin
    for place in voiced(played[begin:]):
        if begin + int(place) - last > _PAUSE:
            break
        last = begin + int(place) + 1
    return last


def first_clear(clears: Sequence[Cleared], begin: int, end: int) -> int | None:
    """When the first `clear` came in a stretch of the call, in samples; None if none came."""
    return next((clear.at for clear in clears if begin <= clear.at < end), None)
