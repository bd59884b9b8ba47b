"""One call full of interruptions, on a clock of samples: a line with random delays, and a caller who cuts in anywhere.

With a key, with a word that stops the agent at once, or with a sound that may be nothing: then the agent goes on, or
words show that it was something.
"""

from dataclasses import dataclass
from random import Random

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.cli.cut_shell import FRAME, MS, Shell
from client_caller.simulator.agenda import Agenda
from client_caller.simulator.network import FarEnd, StreamIdentity
from client_caller.simulator.one_way import OneWay, Way
from client_caller.telephony.twilio_stream import Digit, Mark, Started, TwilioStream

IDENTITY = StreamIdentity("CA1", "MZ1")
LATEST = 2000
"""How long the agent has been audible at most when the caller does something, milliseconds."""
LONGEST = 60 * 1000 * MS
"""For each cut: a call in which the agent can't be interrupted that often has gone wrong."""
SETTLED = 2000 * MS
"""After the last cut, whichever that is: time for everything that was under way."""
SPEECH, QUIET = 0.95, 0.02
"""What voice activity detection makes of the caller."""


class Stuck(Exception):
    """A call never came to its end; says over which line."""


@dataclass(frozen=True, slots=True)
class Line:
    """A kind of line. A call over it draws each way's delay; milliseconds."""

    name: str
    delay: int = 0
    """Up to this much each way."""
    jitter: int = 0
    """Up to this much more for each message."""
    stall_every: int = 0
    """Mean time between standstills; 0: none."""
    stall: int = 0
    lost: float = 0.0
    """The share of the returned marks that never arrive."""

    def way(self, random: Random) -> Way:
        """One direction of one call."""
        return Way(round(random.uniform(0, self.delay) * MS), self.jitter * MS, self.stall_every * MS, self.stall * MS)


class Tap:
    """The sending half of a call's line; notes which marks came back before anything could have dropped their words."""

    def __init__(self, wire: OneWay[str], stream: TwilioStream) -> None:
        self._wire = wire
        self._stream = stream
        self.clears = 0
        self._sent: dict[str, int] = {}
        """For each mark, how many clears had been sent before it."""
        self.in_time: set[str] = set()
        """Marks that came back with no clear since they were sent."""

    def send_audio(self, mulaw: bytes) -> None:
        self._wire.send(self._stream.media(mulaw))

    def send_mark(self, name: str) -> None:
        self._sent[name] = self.clears
        self._wire.send(self._stream.mark(name))

    def clear(self) -> None:
        self.clears += 1
        self._wire.send(self._stream.clear())

    def hang_up(self, reason: str) -> None:
        """Only the caller ends these calls."""
        raise Stuck(f"the agent hung up: {reason}")

    def returned(self, mark: str) -> None:
        """A mark has arrived."""
        if self._sent[mark] == self.clears:
            self.in_time.add(mark)


@dataclass(frozen=True, slots=True)
class Words:
    """What the ear has understood, once the caller's sound has come so far."""

    text: str


class CutCall:
    """The same seed gives the same call."""

    def __init__(self, line: Line, seed: str) -> None:
        self._line = line
        self._random = Random(seed)
        self._agenda = Agenda()
        self._stream = TwilioStream()
        self.far_end = FarEnd(IDENTITY, 0.0)
        out = OneWay[str](self._agenda, line.way(self._random), self._random, self._reach_far_end)
        self._back = OneWay[str | float | Words](self._agenda, line.way(self._random), self._random, self._reach_us)
        self.tap = Tap(out, self._stream)
        self.shell = Shell(self._agenda, self.tap, self._random, self._plan)
        self.lost: set[str] = set()
        """Marks that were returned and never arrived."""
        self._mark_due = -1
        """When the far end is known to return its next mark."""
        self._voice_ends = 0
        """Until when the caller makes a sound."""
        self._plans = 0
        """How many the caller has made: only the newest is carried out."""
        self._done = False
        """The caller does nothing more."""

    def run(self, cuts: int) -> None:
        """Talk until the agent was cut off so often and all of that has settled. Raises `Stuck`."""
        for frame in self.far_end.opening():
            self._back.send(frame)
        self._live()
        self._plan()
        while len(self.shell.cut) < cuts:
            self._agenda.step()
            if self._agenda.now > cuts * LONGEST:
                raise Stuck(f"in a call over the line {self._line.name!r} the agent could not be cut off {cuts} times")
        self._settle()
        self.far_end.advance(self._agenda.now / SAMPLE_RATE)

    def _settle(self) -> None:
        """Let the line bring what is under way. What the caller began before may still cut the agent off."""
        self._done = True
        made, since = len(self.shell.cut), self._agenda.now
        while self._agenda.now < since + SETTLED:
            self._agenda.step()
            if len(self.shell.cut) > made:
                made, since = len(self.shell.cut), self._agenda.now

    # ---------------------------------------------------------------- the line

    def _reach_far_end(self, frame: str) -> None:
        self._return(self.far_end.receive(frame, self._agenda.now / SAMPLE_RATE))

    def _play(self) -> None:
        self._return(self.far_end.advance(self._agenda.now / SAMPLE_RATE))

    def _return(self, frames: tuple[str, ...]) -> None:
        for frame in frames:
            self._back.send(frame)
        due = self.far_end.due
        if due is not None and round(due * SAMPLE_RATE) != self._mark_due:
            self._mark_due = round(due * SAMPLE_RATE)
            self._agenda.at(self._mark_due, self._play)

    def _reach_us(self, message: str | float | Words) -> None:
        match self._stream.receive(message) if isinstance(message, str) else message:
            case float(probability):
                self.shell.hear(probability)
            case Words(text):
                self.shell.hear_words(text)
            case Started():
                self.shell.begin()
            case Mark(name) if self._random.random() < self._line.lost:
                self.lost.add(name)
            case Mark(name):
                self.tap.returned(name)
                self.shell.acknowledge(name)
            case Digit(digit):
                self.shell.press(digit)

    # ---------------------------------------------------------------- the caller

    def _live(self) -> None:
        """The caller's next 20 ms."""
        self._back.send(SPEECH if self._agenda.now < self._voice_ends else QUIET)
        self._agenda.at(self._agenda.now + FRAME, self._live)

    def _plan(self) -> None:
        """Do something at some time from now on, whatever was planned before."""
        self._plans += 1
        self._agenda.at(self._agenda.now + round(self._random.uniform(0, LATEST) * MS), self._act, self._plans)

    def _act(self, plan: int) -> None:
        if plan != self._plans or self._done:
            return
        match self._random.randrange(4):
            case 0:
                self._back.send(self.far_end.key("1"))
            case 1:
                self._sound(self._random.uniform(200, 600))
                self._agenda.at(self._agenda.now + round(self._random.uniform(60, 450) * MS), self._say, "Stop it")
            case 2:
                self._sound(self._random.uniform(500, 1000))
                self._agenda.at(self._voice_ends, self._say, "tell me more")
            case _:
                self._sound(self._random.uniform(200, 1000))
        self._plan()

    def _sound(self, milliseconds: float) -> None:
        self._voice_ends = self._agenda.now + round(milliseconds * MS)

    def _say(self, text: str) -> None:
        self._back.send(Words(text))
