"""From one sample rate to another: at once, or from and to the telephone's while it streams.

A streaming soxr emits in blocks and withholds 33 to 118 ms of audio (research/embedded-and-limits 5.1), which a caller
would hear as latency. So soxr is for what is there as a whole, and a stream goes through a short filter of our own.
"""

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt
import soxr

from client_caller.audio.g711 import SAMPLE_RATE

Floats = npt.NDArray[np.float32]

PASSBAND = 3400
"""Hz: the upper edge of the telephone band, ITU-T G.712."""
STOPBAND = 4600
"""Hz: what lies above would fold into the telephone band; what lies between folds above it, where nobody hears it."""
ATTENUATION = 70
"""dB above `STOPBAND`: well under the 38 dB of noise that mu-law itself leaves."""


def resample(samples: Floats, source: int, target: int) -> Floats:
    """All of a piece of audio, shape (n,), from `source` to `target` samples a second, by soxr's HQ (about 0.1 ms of
    CPU per second of audio). For a piece that is part of a longer sound use `Downsampler`: this one has edges.
    """
    converted: Floats = soxr.resample(samples, source, target, "HQ")
    return converted


class Downsampler:
    """One stream of audio to 8 kHz, withholding under 2 ms; about 20 us of CPU for 20 ms of audio.

    What `feed` and `flush` return, joined, is as long as the input in seconds (rounded up to a sample) and aligned
    with it, however the input was cut.
    """

    def __init__(self, source_rate: int) -> None:
        """`source_rate`: samples a second of what is fed; a `ValueError` below 9,200, where nothing has to be cut."""
        if source_rate < 2 * STOPBAND:
            raise ValueError(f"A Downsampler takes at least {2 * STOPBAND} samples a second, not {source_rate}")
        common = gcd(source_rate, SAMPLE_RATE)
        # Output n lies at input n * step / phases: on an input sample, or one of `phases` places between two.
        self._step, self._phases = source_rate // common, SAMPLE_RATE // common
        self._filters = _filters(source_rate, self._phases)
        self._reach = self._filters.shape[1] // 2
        self._waiting = np.zeros(self._reach - 1, np.float32)
        self._waiting_from = 1 - self._reach
        self._done = 0

    def feed(self, samples: Floats) -> Floats:
        """Take the next samples at the source's rate, shape (n,), and return those at 8 kHz that are now certain."""
        self._waiting = np.concatenate([self._waiting, samples], dtype=np.float32)
        certain = self._waiting_from + len(self._waiting) - self._reach
        until = -(-certain * self._phases // self._step)
        if until <= self._done:
            return np.zeros(0, np.float32)

        before, phase = np.divmod(np.arange(self._done, until) * self._step, self._phases)
        first = before - self._reach + 1 - self._waiting_from
        spans = np.lib.stride_tricks.sliding_window_view(self._waiting, 2 * self._reach)[first]
        result: Floats = np.einsum("nt,nt->n", spans, self._filters[phase])

        self._done = until
        passed = until * self._step // self._phases - self._reach + 1 - self._waiting_from
        self._waiting = self._waiting[passed:]
        self._waiting_from += passed
        return result

    def flush(self) -> Floats:
        """The rest, as if silence followed. The stream is over then; the next one takes a new `Downsampler`."""
        return self.feed(np.zeros(self._reach, np.float32))


class Doubler:
    """One stream of audio from 8 to 16 kHz, withholding 1.25 ms; about 10 us of CPU for 20 ms of audio.

    Every second sample is one of the input, unchanged; the other lies between two of them.
    """

    _REACH = 10
    """Input samples on each side of a new one, by Kaiser's formula for 50 dB between `PASSBAND` and `STOPBAND`."""

    def __init__(self) -> None:
        away = np.arange(1 - self._REACH, self._REACH + 1) - 0.5
        window = np.kaiser(2 * self._REACH + 1, 0.1102 * (50 - 8.7))
        taps = np.sinc(away) * np.interp(away, np.arange(-self._REACH, self._REACH + 1), window)
        self._taps = (taps / taps.sum()).astype(np.float32)
        self._waiting = np.zeros(2 * self._REACH - 1, np.float32)

    def feed(self, samples: Floats) -> Floats:
        """Take the next samples at 8 kHz, shape (n,), and return 2 n at 16 kHz."""
        if not len(samples):
            return np.zeros(0, np.float32)
        known = np.concatenate([self._waiting, samples], dtype=np.float32)
        result = np.empty(2 * len(samples), np.float32)
        result[::2] = known[self._REACH - 1 : self._REACH - 1 + len(samples)]
        result[1::2] = np.convolve(known, self._taps, "valid")
        self._waiting = known[len(samples) :]
        return result


@lru_cache(maxsize=8)
def _filters(source_rate: int, phases: int) -> Floats:
    """One low-pass for each place that an output can have between two inputs: (phases, 2 * reach).

    A windowed sinc; length and shape of the window are Kaiser's formulas for `ATTENUATION` over the transition.
    """
    beta = 0.1102 * (ATTENUATION - 8.7)
    reach = int(np.ceil((ATTENUATION - 7.95) / 14.36 / (STOPBAND - PASSBAND) * source_rate / 2))
    # How far each tap lies from the output's place, in input samples.
    away = np.arange(phases)[:, None] / phases - np.arange(1 - reach, reach + 1)
    window = np.i0(beta * np.sqrt(1 - (away / reach) ** 2))
    filters = np.sinc((PASSBAND + STOPBAND) / source_rate * away) * window
    # Every place has exactly the same gain at 0 Hz; without this a steady level would hum at the places' rhythm.
    filters /= filters.sum(axis=1, keepdims=True)
    return filters.astype(np.float32)
