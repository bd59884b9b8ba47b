"""Log-mel features: what Smart Turn sees of the last eight seconds.

The features are Whisper's (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", 2.2: 80
mel bands of 25 ms windows every 10 ms), with the audio brought to zero mean and unit variance first, as the feature
extractor of Hugging Face's transformers does when asked to normalise, and as Smart Turn was trained. The mel scale is
that of Slaney's Auditory Toolbox (1998): linear up to 1 kHz, then 27 steps for each factor of 6.4; each band has the
same area.

Everything is single precision, which is within 2e-5 of double. It takes 1 to 5 ms of CPU (experiments/turn_model.py).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
"""Samples a second."""
SAMPLES = 8 * SAMPLE_RATE
"""How much audio Smart Turn takes: 8 s."""
BANDS = 80
FRAMES = 800
"""One every `HOP` samples."""
WINDOW = 400
HOP = 160

_VARIANCE_FLOOR = 1e-7
"""Added to the variance: digital silence has none."""
_POWER_FLOOR = 1e-10
_RANGE = 8
"""Powers of ten below the loudest band at which features are cut off."""


def log_mel(samples: Floats) -> Floats:
    """The features of audio at 16 kHz, shape (n,), as (`BANDS`, `FRAMES`); between -1.5 and 2 for nearly any audio.

    Of more than 8 s the last eight count; less is preceded by silence.
    """
    audio = np.zeros(SAMPLES, np.float32)
    kept = samples[-SAMPLES:]
    audio[SAMPLES - len(kept) :] = kept
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + np.float32(_VARIANCE_FLOOR))

    # Each frame is centred on its moment: half of the first lies before the audio, which is mirrored there.
    padded = np.pad(audio, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:FRAMES]
    spectrum = np.fft.rfft(windows * _HANN)
    power = spectrum.real**2 + spectrum.imag**2

    bands = np.log10(np.maximum(_FILTERS @ power.T, _POWER_FLOOR))
    features: Floats = (np.maximum(bands, bands.max() - _RANGE) + 4) / 4
    return features


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From Slaney's mel scale: 15 mel are 1 kHz."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _filters() -> Floats:
    """The bands as triangles over the frequencies of a window's spectrum: (`BANDS`, `WINDOW` // 2 + 1)."""
    nyquist_mel = 15 + 27 * np.log(SAMPLE_RATE / 2 / 1000) / np.log(6.4)
    corners = _hertz(np.linspace(0, nyquist_mel, BANDS + 2))[:, None]
    low, peak, high = corners[:-2], corners[1:-1], corners[2:]
    frequency = np.fft.rfftfreq(WINDOW, 1 / SAMPLE_RATE)
    rise, fall = (frequency - low) / (peak - low), (high - frequency) / (high - peak)
    return (np.clip(np.minimum(rise, fall), 0, None) * 2 / (high - low)).astype(np.float32)


_FILTERS = _filters()
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
