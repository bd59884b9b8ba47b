"""The caller's side of the demonstration."""

from pathlib import Path

from client_caller.agents.script import Script
from client_caller.engines.protocols import CallContext, TextToSpeech
from client_caller.simulator.caller import Caller, rehearse
from client_caller.simulator.clips import load
from client_caller.simulator.impairments import Impairments

CALLER_VOICE, CALLER_PACE = "en-us+m3", 180
"""The eSpeak NG voice of scripted callers, and its words a minute.

Of a dozen American variants at 150 to 190 words a minute this one is understood best and most evenly: in ten calls of
the demonstration PocketSphinx got 1 to 3 of 47 words wrong.
"""


def line(seed: int) -> Impairments:
    """An ordinary line: 30 to 50 ms each way."""
    return Impairments(seed=seed, delay=0.03, jitter=0.02)


async def scripted_caller(script: Script, voice: TextToSpeech) -> Caller:
    """Somebody who plays the caller of a script. Raises `EngineError`."""
    clips = await rehearse(script.caller, voice, CallContext("rehearsal", script.language))
    caller = Caller()
    return caller.play(caller.steps(script.caller, clips))


def recorded_caller(path: Path) -> Caller:
    """Somebody who says what a recording says. Raises `clips.UnreadableRecording`."""
    caller = Caller()
    return caller.play(caller.recording(load(path)))
