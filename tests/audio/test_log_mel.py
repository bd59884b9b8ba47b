"""The features are those that Smart Turn was trained on."""

import numpy as np
import pytest

from client_caller.audio.log_mel import BANDS, FRAMES, HOP, SAMPLE_RATE, SAMPLES, Floats, log_mel

GOLDEN_BANDS = slice(4, BANDS, 15)
GOLDEN_FRAMES = [0, 150, 199, 200, 201, 230, 333, 444, 555, 666, 777, 799]
GOLDEN = (
    (-0.22331, -0.22331, 0.53289, 1.08347, 0.58051, 0.83205, 0.58660, 1.69084, 1.60729, 0.40316, 0.39768, 0.27723),
    (-0.22331, -0.22331, 0.26770, 0.76901, 0.27730, 0.64426, 0.38125, 0.57948, 1.30323, 0.34146, 0.45391, 0.15192),
    (-0.22331, -0.22331, 0.12147, 0.62446, 0.11886, 0.51200, 0.43467, 0.85057, 0.36227, 0.48801, 0.41905, 0.32394),
    (-0.22331, -0.22331, 0.01586, 0.50935, 0.10886, 0.35280, 0.51760, 0.56769, 0.46478, 0.45890, 0.34642, 0.53170),
    (-0.22331, -0.22331, -0.07194, 0.46624, 0.38023, 0.50307, 0.37585, 0.35091, 0.43297, 0.40964, 0.44428, 0.51946),
    (-0.22331, -0.22331, -0.11247, 0.41612, 0.38545, 0.44970, 0.47608, 0.48666, 0.46298, 0.40757, 0.34264, 0.44254),
)
"""What the feature extractor in the wheel of pipecat-ai 1.14.0 makes of `voice_in_hiss`, rounded: the code that feeds
the same model there, in double precision."""


@pytest.fixture
def voice_in_hiss() -> Floats:
    """Six seconds with a voice's harmonics, a hiss out of whole numbers, and a level that is not zero."""
    count = np.arange(6 * SAMPLE_RATE)
    time = count / SAMPLE_RATE
    voice = np.tanh(4 * np.sin(2 * np.pi * (90 + 20 * time) * time)) * np.sin(2 * np.pi * 1.5 * time) ** 2
    hiss = count * count * 7919 % 65537 / 65537 - 0.5
    signal: Floats = (0.1 + 0.3 * voice + 0.02 * hiss).astype(np.float32)
    return signal


def tone(hertz: float, seconds: float) -> Floats:
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def test_features_are_those_of_the_reference(voice_in_hiss: Floats) -> None:
    """Within 1e-4, at the edges of the audio as in its middle, for low bands and high ones."""
    features = log_mel(voice_in_hiss)
    assert features.dtype == np.float32
    assert features.shape == (BANDS, FRAMES)
    assert np.abs(features[GOLDEN_BANDS][:, GOLDEN_FRAMES] - GOLDEN).max() <= 1e-4


def test_the_last_eight_seconds_count(voice_in_hiss: Floats) -> None:
    """Whatever came before them leaves no trace."""
    longer = np.concatenate([tone(3000, 5), voice_in_hiss, voice_in_hiss])
    assert np.array_equal(log_mel(longer), log_mel(longer[-SAMPLES:]))
    assert not np.allclose(log_mel(longer), log_mel(longer[:SAMPLES]))


def test_short_audio_is_preceded_by_silence(voice_in_hiss: Floats) -> None:
    """It lies at the end, where the model looks for the end of the turn."""
    before = np.zeros(SAMPLES - len(voice_in_hiss), np.float32)
    assert np.array_equal(log_mel(voice_in_hiss), log_mel(np.concatenate([before, voice_in_hiss])))


def test_loudness_and_offset_do_not_matter() -> None:
    """A quiet line or a level that is not zero gives what a loud and clean one does."""
    sound = tone(440, 8)
    assert np.allclose(log_mel(sound), log_mel(0.05 * sound + np.float32(0.3)), atol=1e-3)


@pytest.mark.parametrize(("hertz", "band"), [(200, 4), (1000, 26), (3400, 58), (6600, 75)])
def test_a_tone_is_strongest_in_its_band(hertz: float, band: int) -> None:
    """On Slaney's scale 80 bands up to 8 kHz lie 0.558 mel apart; 15 mel are 1 kHz, 27 more are 6.4 times as much."""
    assert np.argmax(log_mel(tone(hertz, 8))[:, FRAMES // 2]) == band


def test_a_frame_is_ten_milliseconds() -> None:
    """A sound that starts at a moment is seen from that moment on, give or take half a window."""
    sound = np.zeros(SAMPLES, np.float32)
    sound[500 * HOP :] = tone(1000, 8)[500 * HOP :]
    heard = log_mel(sound)[26]
    assert heard[498] == heard.min()
    assert heard[502] > heard.min() + 1


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(SAMPLES, np.float32)])
def test_silence_has_features_too(samples: Floats) -> None:
    """No division by zero, no logarithm of nothing: the floor of the power, everywhere."""
    assert np.allclose(log_mel(samples), -1.5)
