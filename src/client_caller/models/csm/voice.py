"""The voice of a server: a few seconds of a speaker who agreed to it, which every call's slot begins with.

Without them CSM speaks in another voice each time. Its licence of use forbids to speak as somebody without their
consent, so a voice without a record of consent is not loaded.
"""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from client_caller.audio.resample import resample
from client_caller.models.csm.engine import CsmEngine, Frame, Prefix
from client_caller.models.csm.weights import Weights
from client_caller.models.csm.wire import SAMPLE_RATE

SHORTEST, LONGEST = 3.0, 15.0
"""Seconds. CSM takes a voice from five to ten; more of it only leaves less room for the call."""

EXAMPLE = """\
name = "ada"
audio = "ada.wav"             # 5 to 10 s, beside this file
transcript = "What she says in it, word for word."

[consent]
speaker = "Ada Example"       # whose voice it is
given_on = 2026-03-01
record = "contracts/2026-031"  # where the signed consent is kept
"""
"""A whole voice file."""


class VoiceError(Exception):
    """A voice can't be used. `str(error)` says why and what to do."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Consent(_Strict):
    """That the speaker agreed to be spoken as."""

    speaker: str = Field(min_length=1)
    given_on: date
    record: str = Field(min_length=1)


class Voice(_Strict):
    """What a voice file says."""

    name: str = Field(min_length=1)
    """What clients ask for."""
    audio: Path
    """Relative to the file."""
    transcript: str = Field(min_length=1)
    speaker: int = Field(default=0, ge=0, le=9)
    """The number under which CSM knows who speaks."""
    consent: Consent


def read_voice(path: Path) -> tuple[Voice, npt.NDArray[np.float32]]:
    """A voice file, and its audio at 24 kHz, shape (n,). Raises `VoiceError`."""
    try:
        voice = Voice.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise VoiceError(f"{path} can't be read ({error.strerror}). A voice file looks like this:\n{EXAMPLE}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise VoiceError(f"{path} is not TOML ({error}). A voice file looks like this:\n{EXAMPLE}") from None
    except ValidationError as error:
        raise VoiceError(_problem(path, error)) from None
    file = path.parent / voice.audio
    try:
        samples, rate = soundfile.read(file, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError):
        raise VoiceError(f"{file} can't be read as audio. Name a WAV or FLAC file under audio in {path}.") from None
    seconds = len(samples) / rate
    if not SHORTEST <= seconds <= LONGEST:
        raise VoiceError(f"{file} is {seconds:.1f} s long. A voice takes {SHORTEST:.0f} to {LONGEST:.0f} s of speech.")
    return voice, resample(samples.mean(1), rate, SAMPLE_RATE)


def pinned(engine: CsmEngine, weights: Weights, voice: Voice, samples: npt.NDArray[np.float32]) -> Prefix:
    """What every slot begins with: the voice's text and frames, without their end. Uses and empties the first slot.

    Raises `VoiceError` where it leaves too little of a slot.
    """
    frames = _encoded(weights, samples, engine.codebooks)
    tokens = weights.tokens(voice.speaker, voice.transcript)
    if len(tokens) + len(frames) > engine.length // 3:
        raise VoiceError(f"The voice {voice.name} takes more than a third of a call's memory: make it shorter.")
    engine.rewind(0, 0)
    engine.prefill(0, engine.joined([engine.text(tokens), engine.frames(frames)]))
    prefix = engine.saved(0)
    engine.rewind(0, 0)
    return prefix


def _encoded(weights: Weights, samples: npt.NDArray[np.float32], codebooks: int) -> list[Frame]:
    import torch

    codec = weights.model.codec_model
    sound = torch.from_numpy(samples).to(codec.device)[None, None]
    codes = codec.encode(sound, num_quantizers=codebooks).audio_codes[0].T
    return [tuple(frame) for frame in codes.tolist()]


def _problem(path: Path, error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    key = ".".join(map(str, first["loc"]))
    if key.partition(".")[0] == "consent":
        return (
            f"{path} has no complete record of the speaker's consent ({key}: {first['msg'].lower()}). Nobody may be "
            f"spoken as without having agreed to it. A voice file looks like this:\n{EXAMPLE}"
        )
    return f"{path}: {key}: {first['msg'].lower()}. A voice file looks like this:\n{EXAMPLE}"
