"""The laws of recordings on a telephone."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from client_caller.audio import g711
from client_caller.simulator.clips import UnreadableRecording, load


def test_a_telephone_recording_is_only_companded(tmp_path: Path) -> None:
    """8 kHz mono goes through unchanged but for G.711."""
    samples = np.random.default_rng(1).integers(-20_000, 20_000, 4000).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", samples, 8000)
    assert load(tmp_path / "a.flac") == g711.encode(samples)


def test_any_rate_and_any_channels_come_out_right(tmp_path: Path) -> None:
    """A second of stereo at 44.1 kHz is a second of mono at 8 kHz, with the same tone at the mean level."""
    time = np.arange(44_100) / 44_100
    tone = 0.4 * np.sin(2 * np.pi * 1000 * time)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, np.zeros_like(tone)], axis=1), 44_100)
    heard = g711.decode_float(load(tmp_path / "a.wav"))
    assert len(heard) == 8000
    spectrum = np.abs(np.fft.rfft(heard))
    assert int(spectrum.argmax()) == 1000
    assert abs(float(np.sqrt(np.mean(heard[100:-100] ** 2))) - 0.2 / np.sqrt(2)) < 0.01


@pytest.mark.parametrize(("content", "says"), [(None, "no file"), (b"text", "convert it"), (b"", "convert it")])
def test_what_cannot_be_read_says_so(tmp_path: Path, content: bytes | None, says: str) -> None:
    """A missing or strange file is named, with what to do."""
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableRecording, match=says):
        load(path)


def test_a_recording_without_audio_says_so(tmp_path: Path) -> None:
    """A well-formed file of no length can't be said by anybody."""
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.int16), 8000)
    with pytest.raises(UnreadableRecording, match="no audio"):
        load(tmp_path / "a.wav")
