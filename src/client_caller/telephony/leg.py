"""What the runtime needs of a telephone line, whoever provides it."""

from typing import Protocol


class Leg(Protocol):
    """The sending half of one call's line. None of these blocks; an unwritable line is reported by the reading half.

    What arrives on the line is handed to the call's shell (`runtime.session.CallSession`): audio to `hear`, returned
    marks to `acknowledge`, keys to `press`, and the end to `lose`.
    """

    def send_audio(self, mulaw: bytes) -> None:
        """Queue mu-law audio at 8 kHz for playback at the far end, after all sent before."""
        ...

    def send_mark(self, name: str) -> None:
        """Ask the far end to return `name` once everything sent before has been played."""
        ...

    def clear(self) -> None:
        """Silence the far end at once: drop what it has not played. It returns the marks of what was dropped."""
        ...

    def hang_up(self, reason: str) -> None:
        """End the call from our side."""
        ...
