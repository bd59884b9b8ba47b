"""Somebody who calls: an ear that hears only sound, and a part to play.

A caller knows nothing of the agent but what came out of the telephone. Its part is a generator: each `next` is 20 ms
of its life and gives what it says in them; when it returns, the caller hangs up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from client_caller.agents.steps import (
    MILLISECONDS_A_WORD,
    Backchannel,
    CallerStep,
    HangUp,
    Interrupt,
    Say,
    Silence,
    WaitForAgent,
)
from client_caller.audio import g711
from client_caller.engines.protocols import CallContext, TextToSpeech
from client_caller.simulator import tones

FRAME_MS = 20
_QUIET_FRAME = g711.SILENCE * g711.FRAME
_AUDIBLE = 10 ** (-45 / 20) * 32768
"""Root mean square of 20 ms above which they are sound: -45 dBFS, well below speech and above a line's noise."""
_STILL_TALKING = 250
"""A pause shorter than this, in milliseconds, lies between words."""
LEAVE_AFTER = 3000
"""At the end of a recording: how long the agent has to be quiet before the caller hangs up, milliseconds."""

Part = Iterator[bytes]
"""160 bytes of mu-law for each 20 ms."""


class Ear:
    """What can be told of the agent from the sound alone; milliseconds."""

    def __init__(self) -> None:
        self.quiet = 0
        """Since the last sound; since the call began if there was none."""
        self.talk = 0
        """How long the agent has been talking, as far as `listen_anew` was not called since."""

    def hear(self, mulaw: bytes) -> None:
        """Take the next 20 ms."""
        if mulaw != _QUIET_FRAME and _loudness(mulaw) > _AUDIBLE:
            self.quiet = 0
            self.talk += FRAME_MS
        else:
            self.quiet += FRAME_MS
            if self.talk > 0 and self.quiet < _STILL_TALKING:
                self.talk += FRAME_MS

    def listen_anew(self) -> None:
        """Forget how long the agent has talked."""
        self.talk = 0


def _loudness(mulaw: bytes) -> float:
    """Root mean square, of 16-bit samples."""
    samples = g711.decode(mulaw).astype(np.float32)
    return float(np.sqrt(np.mean(samples * samples)))


@dataclass(frozen=True, slots=True)
class Spoken:
    """Something that a caller said."""

    at: int
    """When it began: samples of the caller's audio before it."""
    samples: int
    text: str
    """Empty for a recording, whose words nobody told us."""
    interrupts: bool = False


class Caller:
    """A `phone.Party` that plays its part.

    `said` fills as the caller speaks. A `noise` of mu-law audio lies under everything it says, over and over.
    """

    def __init__(self, noise: bytes = b"") -> None:
        self.said: list[Spoken] = []
        self.ear = Ear()
        self._lived = 0
        self._noise = g711.decode(noise).astype(np.int32)
        self._part: Part = iter(())

    def play(self, part: Part) -> "Caller":
        """What to do in the call; begins with its first 20 ms."""
        self._part = part
        return self

    def live(self, heard: bytes) -> bytes | None:
        """Hear 20 ms and say the next, or None to hang up."""
        self.ear.hear(heard)
        frame = next(self._part, None)
        self._lived += g711.FRAME
        return self._with_noise(frame) if frame is not None and len(self._noise) else frame

    # ---- pieces of a part

    def say(self, clip: bytes, text: str = "", *, interrupts: bool = False) -> Part:
        """Speak a clip (mu-law) to its end; silence fills the last frame."""
        self.said.append(Spoken(self._lived, len(clip), text, interrupts))
        for start in range(0, len(clip), g711.FRAME):
            yield clip[start : start + g711.FRAME].ljust(g711.FRAME, g711.SILENCE)

    def silence(self, milliseconds: int) -> Part:
        """Say nothing for so long."""
        for _ in range(0, milliseconds, FRAME_MS):
            yield _QUIET_FRAME

    def until_agent_finished(self, quiet: int) -> Part:
        """Wait until the agent has been audible, and then quiet for so long."""
        while not self.ear.talk or self.ear.quiet < quiet:
            yield _QUIET_FRAME
        self.ear.listen_anew()

    def until_agent_talks(self, milliseconds: int) -> Part:
        """Wait until the agent is in the middle of talking, and for so long since this began."""
        self.ear.listen_anew()
        while self.ear.quiet or self.ear.talk < milliseconds:
            yield _QUIET_FRAME

    def stay(self) -> Part:
        """Say nothing until the other side hangs up."""
        while True:
            yield _QUIET_FRAME

    # ---- parts

    def steps(self, steps: Sequence[CallerStep], clips: Sequence[bytes]) -> Part:
        """The part that a script gives to its caller; `clips` are the voices of its steps (`rehearse`)."""
        for step, clip in zip(steps, clips, strict=True):
            match step:
                case WaitForAgent(quiet=quiet):
                    yield from self.until_agent_finished(quiet)
                case Say(text=text):
                    yield from self.say(clip, text)
                    self.ear.listen_anew()
                case Backchannel(text=text, after_words=words):
                    yield from self.until_agent_talks(words * MILLISECONDS_A_WORD)
                    yield from self.say(clip, text)
                case Interrupt(text=text, after_words=words):
                    yield from self.until_agent_talks(words * MILLISECONDS_A_WORD)
                    yield from self.say(clip, text, interrupts=True)
                    self.ear.listen_anew()
                case Silence(duration=duration):
                    yield from self.silence(duration)
                case HangUp(after=after):
                    yield from self.silence(after)
                    return
        yield from self.stay()

    def recording(self, clip: bytes) -> Part:
        """Hear the greeting out, then a whole recording, then leave when the agent has no more to say."""
        yield from self.until_agent_finished(700)
        yield from self.say(clip)
        self.ear.quiet = 0
        while self.ear.quiet < LEAVE_AFTER:
            yield _QUIET_FRAME

    def _with_noise(self, frame: bytes) -> bytes:
        places = np.arange(self._lived, self._lived + len(frame)) % len(self._noise)
        return g711.encode(np.clip(g711.decode(frame) + self._noise[places], -32768, 32767).astype(np.int16))


async def rehearse(steps: Sequence[CallerStep], voice: TextToSpeech, context: CallContext) -> list[bytes]:
    """The clips of a script's steps, spoken beforehand; empty for steps without words. Raises `EngineError`."""
    clips = []
    for step in steps:
        text = step.text if isinstance(step, Say | Backchannel | Interrupt) else ""
        clips.append(b"".join([speech.mulaw async for speech in voice.speak(context, text)]) if text else b"")
    return clips


def labelled(clip: bytes, text: str) -> bytes:
    """A clip with its words written into it (`tones`), evenly spread over its sound, for `engines.EchoStt`.

    Each takes the place of a few milliseconds of sound. Raises `ValueError` if the clip is too short for its words.
    """
    audio = bytearray(clip)
    words = text.split()
    sound = int(np.flatnonzero(np.abs(g711.decode(clip).astype(np.int32)) > _AUDIBLE).max(initial=-1)) + 1
    written = 0
    for number, word in enumerate(words, start=1):
        label = tones.spell(word)
        end = sound * number // len(words)
        if end - len(label) < written:
            raise ValueError(f"a clip with {sound} samples of sound is too short for {len(words)} words")
        audio[end - len(label) : end] = label
        written = end
    return bytes(audio)
