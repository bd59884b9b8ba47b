"""A difficult caller comes alive: their clips, what lies under them, and their part."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from client_caller.agents.steps import MILLISECONDS_A_WORD, Backchannel, HangUp, Interrupt, Silence, WaitForAgent
from client_caller.audio import g711
from client_caller.engines.protocols import CallContext, Speech, TextToSpeech, WordTime
from client_caller.simulator import tones
from client_caller.simulator.caller import FRAME_MS, Caller, Part
from client_caller.simulator.difficult import Cough, DifficultCaller, Mumble, Press, Say, Step, UntilAgentTalks
from client_caller.simulator.pass_rules import Purpose, Uttered
from client_caller.simulator.readable_speech import readable
from client_caller.simulator.utterances import voiced

LONGEST = 90_000
"""Milliseconds after which a caller loses patience with a call that does not end."""
KEYS_EVERY = 300
"""Milliseconds between two keys."""
COUGH = "huh"
"""What the voice does in a cough; 200 to 250 ms, as voice activity detection hears it."""
BREATH = 250
"""Milliseconds between two coughs."""
_QUIET = g711.SILENCE * g711.FRAME
_FULL_SCALE = 32768
_PURPOSE: Mapping[type, Purpose] = {Say: "say", Interrupt: "interrupt", Backchannel: "backchannel"}

Samples = npt.NDArray[np.float64]


class Clip:
    """What a step sounds like on the line."""

    def __init__(self, mulaw: bytes) -> None:
        self.mulaw = mulaw
        """From its first voiced sample to its last."""
        self.text = " ".join(spelled.word for spelled in tones.read(mulaw))
        """The words that can be read from it."""


async def rehearse(who: DifficultCaller, voice: TextToSpeech) -> tuple[Clip, ...]:
    """The clips of a caller's steps, spoken beforehand; empty for steps without sound. Raises `EngineError`.

    The voice has to know when its words end.
    """
    return tuple([await _clip(step, who, voice) for step in who.steps])


class DifficultParty:
    """A `phone.Party`. It may change telephones in the middle of its part: the provider connects it anew."""

    def __init__(self, who: DifficultCaller, clips: Sequence[Clip], press: Callable[[str], None]) -> None:
        """`press` is told each key that the caller presses."""
        self.uttered: list[Uttered] = []
        self.lived = 0
        """Samples of the caller's life."""
        self._caller = Caller()
        self._caller.play(self._part(who.steps, clips, press))
        self._street = _street(who.noise) if who.noise is not None else None
        self._echo = 10 ** (who.echo.level / 20) if who.echo is not None else 0.0
        frames = who.echo.delay // FRAME_MS if who.echo is not None else 0
        self._air: deque[bytes] = deque([_QUIET] * frames)
        """The agent's voice between the loudspeaker and the microphone."""

    @property
    def overlong(self) -> bool:
        return self.lived >= LONGEST * 8

    def live(self, heard: bytes) -> bytes | None:
        self._air.append(heard)
        returning = self._air.popleft()
        said = self._caller.live(heard)
        place = self.lived
        self.lived += g711.FRAME
        if said is None or self.overlong:
            return None
        if said != _QUIET:
            return said  # a telephone on loudspeaker lets only one side through at a time
        if self._street is not None:
            return _mulaw(np.take(self._street, range(place, place + g711.FRAME), mode="wrap"))
        return _mulaw(g711.decode(returning) * self._echo) if self._echo else said

    def _part(self, steps: Sequence[Step], clips: Sequence[Clip], press: Callable[[str], None]) -> Part:
        caller = self._caller
        for step, clip in zip(steps, clips, strict=True):
            match step:
                case WaitForAgent(quiet=quiet):
                    yield from caller.until_agent_finished(quiet)
                case UntilAgentTalks(duration=duration):
                    yield from caller.until_agent_talks(duration)
                case Interrupt(after_words=words) | Backchannel(after_words=words):
                    yield from caller.until_agent_talks(words * MILLISECONDS_A_WORD)
                    yield from self._utter(_PURPOSE[type(step)], clip)
                case Say() | Mumble() | Cough():
                    yield from self._utter(_PURPOSE.get(type(step), "noise"), clip)
                case Silence(duration=duration):
                    yield from caller.silence(duration)
                case Press(keys=keys):
                    yield from self._type(keys, press)
                case HangUp(after=after):
                    yield from caller.silence(after)
                    return
        yield from caller.stay()

    def _utter(self, purpose: Purpose, clip: Clip) -> Part:
        self.uttered.append(Uttered(purpose, self.lived, self.lived + len(clip.mulaw), clip.text))
        yield from self._caller.say(clip.mulaw, clip.text)
        if purpose != "backchannel":
            self._caller.ear.listen_anew()

    def _type(self, keys: str, press: Callable[[str], None]) -> Iterator[bytes]:
        for key in keys:
            press(key)
            yield from self._caller.silence(KEYS_EVERY)
        self._caller.ear.listen_anew()


async def _clip(step: Step, who: DifficultCaller, voice: TextToSpeech) -> Clip:
    if not isinstance(step, Say | Mumble | Interrupt | Backchannel | Cough):
        return Clip(b"")
    context = CallContext("rehearsal", step.language if isinstance(step, Say) else "en")
    text = COUGH if isinstance(step, Cough) else step.text
    pieces = [piece async for piece in voice.speak(context, text)]
    spoken = b"".join(piece.mulaw for piece in pieces)
    # Without the silence around it: a pause is then as long as the caller's script has it.
    places = voiced(spoken)
    first, last = int(places[0]), int(places[-1]) + 1
    line = _on_the_line(spoken[first:last], who)
    if isinstance(step, Cough):
        return Clip(_coughs(line, step.times))
    if not isinstance(step, Mumble):
        times = [WordTime(one.word, min(one.end, last) - first) for piece in pieces for one in piece.words]
        line = readable(Speech(line, tuple(times)), step.text).mulaw
    if isinstance(step, Say) and step.until is not None:
        line = line[: step.until * 8]
    return Clip(line)


def _on_the_line(spoken: bytes, who: DifficultCaller) -> bytes:
    samples = g711.decode(spoken) * 10 ** (who.gain / 20)
    if who.noise is not None:
        samples = samples + np.take(_street(who.noise), range(len(spoken)), mode="wrap")
    return _mulaw(samples)


def _street(level: float) -> Samples:
    """Ten seconds of traffic: a rumble that swells and fades."""
    random = np.random.default_rng(7)
    seconds = np.arange(10 * g711.SAMPLE_RATE) / g711.SAMPLE_RATE
    rumble = np.convolve(random.standard_normal(len(seconds)), np.hanning(24), mode="same")
    swell = 1 + 0.5 * np.sin(2 * np.pi * 0.3 * seconds) * np.sin(2 * np.pi * 0.7 * seconds)
    traffic: Samples = rumble * swell
    loudness = float(np.sqrt(np.mean(traffic * traffic)))
    return traffic * (10 ** (level / 20) * _FULL_SCALE / loudness)


def _coughs(voice: bytes, times: int) -> bytes:
    """Each a burst of air over a short sound of the voice, and a breath after it."""
    random = np.random.default_rng(11)
    seconds = np.arange(len(voice)) / g711.SAMPLE_RATE
    burst = random.standard_normal(len(voice)) * np.exp(-seconds / 0.06) * np.minimum(seconds / 0.005, 1)
    cough = _mulaw(g711.decode(voice) + burst * 0.1 * _FULL_SCALE)
    return (cough + g711.SILENCE * (BREATH * 8)) * times


def _mulaw(samples: npt.NDArray[np.floating]) -> bytes:
    return g711.encode(np.clip(samples, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16))
