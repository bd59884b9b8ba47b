"""A recording as a telephone would carry it."""

from pathlib import Path

import numpy as np
import soundfile

from client_caller.audio import g711
from client_caller.audio.resample import resample


class UnreadableRecording(Exception):
    """A file can't be put into a caller's mouth; says why and what can."""


def load(path: Path) -> bytes:
    """A file of any rate and number of channels that soundfile reads (WAV, FLAC, OGG, MP3), as mono mu-law at 8 kHz.

    Audio that is 8 kHz and mono already is only companded. Raises `UnreadableRecording`.
    """
    if not path.is_file():
        raise UnreadableRecording(f"There is no file {path}: give a recording of what the caller says.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise UnreadableRecording(
            f"{path} is no recording that can be read ({error.error_string}): convert it to WAV or FLAC."
        ) from error
    if not len(samples):
        raise UnreadableRecording(f"{path} holds no audio: give a recording of what the caller says.")
    mono = samples.mean(axis=1, dtype=np.float32)
    return g711.encode_float(mono if rate == g711.SAMPLE_RATE else resample(mono, rate, g711.SAMPLE_RATE))
