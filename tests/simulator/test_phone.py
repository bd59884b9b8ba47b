"""The laws of the clockwork between a caller and a connection, with and without sockets."""

import asyncio
from collections.abc import Callable

import pytest

from client_caller.simulator import tones
from client_caller.simulator.impairments import PERFECT, Impairments
from client_caller.simulator.in_process import InProcessLine
from client_caller.simulator.network import Refused, StreamIdentity
from client_caller.simulator.phone import Phone
from client_caller.simulator.virtual_time import run_virtual
from client_caller.telephony.leg import Leg

QUIET = b"\xff" * 160
IDENTITY = StreamIdentity("CA1", "MZ1")


class Recorder:
    """A caller who keeps what it hears, says a numbered frame each time, and hangs up after a while."""

    def __init__(self, frames: int) -> None:
        self.frames = frames
        self.heard = b""

    def live(self, heard: bytes) -> bytes | None:
        self.heard += heard
        beat = len(self.heard) // 160
        return bytes([beat % 256]) * 160 if beat <= self.frames else None


class Parrot:
    """A shell that says one thing on the first audio, keeps a diary, and can do something on a mark."""

    def __init__(self, leg: Leg, said: bytes, on_mark: Callable[[Leg, str], None] = lambda leg, mark: None) -> None:
        self.leg = leg
        self.said = said
        self.on_mark = on_mark
        self.diary: list[tuple[float, str]] = []
        self.heard: list[tuple[int, int]] = []

    def note(self, what: str) -> None:
        self.diary.append((asyncio.get_running_loop().time(), what))

    def begin(self) -> None:
        self.note("begin")

    def hear(self, mulaw: bytes, timestamp: int) -> None:
        if not self.heard:
            self.leg.send_audio(self.said)
            self.leg.send_mark("half")
            self.leg.send_audio(self.said)
            self.leg.send_mark("end")
            self.note("said")
        self.heard.append((timestamp, mulaw[0]))

    def acknowledge(self, mark: str) -> None:
        self.note(mark)
        self.on_mark(self.leg, mark)

    def press(self, digit: str) -> None:
        self.note(digit)

    def lose(self, reason: str) -> None:
        self.note(reason)


def call(
    frames: int,
    said: bytes,
    on_mark: Callable[[Leg, str], None] = lambda leg, mark: None,
    impairments: Impairments = PERFECT,
) -> tuple[str, Recorder, Parrot, InProcessLine]:
    caller = Recorder(frames)
    parrots = []

    async def main() -> tuple[str, InProcessLine]:
        def shell(leg: Leg) -> Parrot:
            parrots.append(Parrot(leg, said, on_mark))
            return parrots[-1]

        line = InProcessLine(caller, IDENTITY, shell, impairments)
        return await line.talk(), line

    how, line = run_virtual(main())
    return how, caller, parrots[0], line


def test_a_call_over_a_perfect_line() -> None:
    """Every frame of the caller arrives each 20 ms; what we say is heard from the next sample on, to the sample."""
    how, caller, parrot, _ = call(50, b"\x11" * 1001)
    assert how == "hung_up"
    assert parrot.heard == [(155 + 20 * k, k + 1) for k in range(50)]
    assert parrot.diary == [
        (0.0, "begin"),
        (0.02, "said"),
        (0.145125, "half"),
        (0.27025, "end"),
        (1.02, "caller_hung_up"),
    ]
    assert caller.heard == b"\xff" * 160 + b"\x11" * 2002 + b"\xff" * (51 * 160 - 160 - 2002)


def test_delay_counts_in_both_directions() -> None:
    """With 100 ms each way a mark comes back 200 ms later than it would, and the audio plays 100 ms later."""
    how, caller, parrot, _ = call(50, b"\x11" * 800, impairments=Impairments(delay=0.1))
    assert how == "hung_up"
    assert [(round(at, 6), what) for at, what in parrot.diary] == [
        (0.1, "begin"),
        (0.12, "said"),
        (0.42, "half"),
        (0.52, "end"),
        (1.12, "caller_hung_up"),
    ]
    assert caller.heard.index(b"\x11") == round((0.12 + 0.1) * 8000)


def test_a_clear_stops_what_the_caller_hears() -> None:
    """After a clear the caller hears silence, and the dropped audio's mark comes back at once."""
    how, caller, parrot, line = call(
        50, b"\x11" * 800, on_mark=lambda leg, mark: leg.clear() if mark == "half" else None
    )
    assert how == "hung_up"
    assert caller.heard.count(b"\x11") == 800
    assert [what for _, what in parrot.diary] == ["begin", "said", "half", "end", "caller_hung_up"]
    assert [(one.dropped, one.marks) for one in line.phone.far_end.clears] == [(800, ("end",))]


def test_we_can_hang_up() -> None:
    """When our side closes the connection the call is over for the caller, and nobody is told of a loss."""
    how, caller, parrot, _ = call(50, b"\x11" * 800, on_mark=lambda leg, mark: leg.hang_up("ended_by_agent"))
    assert how == "closed"
    assert [what for _, what in parrot.diary] == ["begin", "said", "half"]
    assert len(caller.heard) < 50 * 160


def test_a_lost_connection_is_noticed_without_a_stop() -> None:
    """A connection that breaks tells nobody why: the shell gets the loss, and it is not the caller's doing."""
    how, _, parrot, _ = call(50, b"", impairments=Impairments(lost_at=0.5))
    assert how == "lost"
    assert parrot.diary[-1] == (0.5, "connection_lost")


def test_nonsense_from_our_side_fails_the_call() -> None:
    """A frame that Twilio would not understand is an error of the test, not a quiet line."""

    async def main() -> None:
        phone = Phone(Recorder(50), IDENTITY, lambda frame: None)
        asyncio.get_running_loop().call_later(0.1, phone.take, "nonsense")
        await phone.talk()

    with pytest.raises(Refused):
        run_virtual(main())


def test_an_error_of_the_caller_fails_the_call() -> None:
    """A broken caller does not look like a quiet one; the shell still learns that the line is gone."""

    class Broken:
        def live(self, heard: bytes) -> bytes:
            raise ZeroDivisionError

    parrots = []

    async def main() -> None:
        def shell(leg: Leg) -> Parrot:
            parrots.append(Parrot(leg, b""))
            return parrots[-1]

        await InProcessLine(Broken(), IDENTITY, shell).talk()

    with pytest.raises(ZeroDivisionError):
        run_virtual(main())
    assert parrots[0].diary[-1] == (0.02, "connection_lost")


def test_keys_arrive_in_their_place() -> None:
    """A key that the caller presses reaches the shell between the frames that it was pressed between."""

    async def main() -> list[tuple[float, str]]:
        parrots: list[Parrot] = []

        def shell(leg: Leg) -> Parrot:
            parrots.append(Parrot(leg, b""))
            return parrots[-1]

        line = InProcessLine(Recorder(50), IDENTITY, shell, Impairments(delay=0.1))
        asyncio.get_running_loop().call_later(0.51, line.phone.press, "#")
        await line.talk()
        line.phone.press("1")
        return parrots[0].diary

    assert (0.61, "#") in run_virtual(main())
    assert not any(what == "1" for _, what in run_virtual(main()))


def test_an_error_of_the_shell_fails_the_call() -> None:
    """What breaks on the side that is called is not taken for a quiet line."""

    async def main() -> None:
        def shell(leg: Leg) -> Parrot:
            parrot = Parrot(leg, b"")
            parrot.heard = None  # type: ignore[assignment]
            return parrot

        await InProcessLine(Recorder(50), IDENTITY, shell).talk()

    with pytest.raises(AttributeError):
        run_virtual(main())


def test_words_arrive_whole_over_a_bad_line() -> None:
    """Jitter and standstills delay audio and never lose it: every word we sent was played, in order."""
    words = [f"word{number}" for number in range(20)]
    said = b"".join(tones.spell(word, 1500) for word in words)
    bad = Impairments(seed=5, delay=0.03, jitter=0.04, stall_every=0.5, stall=0.3)
    _, caller, _, _ = call(600, said, impairments=bad)
    assert [one.word for one in tones.read(caller.heard)] == words * 2
