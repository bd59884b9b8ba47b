"""How much of what a caller's line brings is the agent's own voice, coming back from a loudspeaker?

What the far end plays is known to the sample (`runtime.player`), so nothing has to be guessed: the delay at which it
comes back is found by correlation, a short filter (loudspeaker, case, the table under it) is fitted by least squares to
the older part of the last 384 ms, and has to foretell the newer part. A caller's own voice can't be foretold from the
agent's. A filter that has foretold well is tried first on the next window, at a tenth of the cost. Nothing else is
kept, so neither a line whose delay jumps nor a caller who walks about with the telephone leaves anything to unlearn.

Chosen and measured in experiments/echo.py.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711

REACH = 500 * g711.SAMPLE_RATE // 1000
"""Samples: the longest way from the far end's loudspeaker back to us that is looked at. Mobile networks and the
provider's buffers take up to some 300 ms, rooms little."""
FITTED, FORETOLD = 2048, 1024
"""Samples, the older and the newer: 256 and 128 ms. Half as much of the newer takes a caller who speaks over their own
loudspeaker for its echo half as often again."""
SPAN = FITTED + FORETOLD
_TAPS = 96
"""Of the filter, 12 ms: what comes later is the room, which is weaker and costs more to fit."""
_LEAD = 8
"""Taps before the delay that was found: the strongest path need not be the first."""
_RIDGE = 0.01
"""Of the reference's energy, added to its own correlation: voiced sounds have hardly any energy between harmonics."""
_PREEMPHASIS = 0.9
"""Speech falls by some 6 dB an octave; raised like this, all of its band tells the delay."""
_FFT = 8192
"""At least REACH + SPAN."""
_MEMORY = SPAN + g711.SAMPLE_RATE
"""Samples of the line that are kept: windows are judged up to a second after they came."""
_GOOD = 0.5
"""Share from which on a filter is good enough to be tried again."""
_TINY = 1e-9

Samples = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


class Path(NamedTuple):
    """The way of the agent's voice back to us."""

    taps: Samples
    """The newest sample's first."""
    first: int
    """Samples by which the first tap is nearer than `REACH`."""

    def share(self, played: Floats, heard: Floats) -> float:
        """The share of the energy of `heard`'s last `FORETOLD` samples that this path foretells, 0 to 1.

        `heard`: (SPAN,), `played`: (REACH + SPAN,), both between -1 and 1 and ending at the same moment.
        """
        sent = played[self.first + FITTED - len(self.taps) + 1 : self.first + SPAN]
        newest = heard[FITTED:].astype(np.float64)
        left = newest - np.convolve(sent, self.taps, "valid")
        return float(np.clip(1 - left @ left / (newest @ newest + _TINY), 0, 1))


def find(played: Floats, heard: Floats) -> Path:
    """The path that fits best to all but the last `FORETOLD` samples; shapes as for `Path.share`."""
    sent, back = _raised(played)[: REACH + FITTED], _raised(heard)[:FITTED]
    products = np.fft.irfft(np.fft.rfft(sent, _FFT) * np.conj(np.fft.rfft(back, _FFT)), _FFT)[: REACH + 1]
    energy = np.cumsum(np.concatenate(([0.0], sent * sent)))
    energies = energy[FITTED:] - energy[:-FITTED]
    place = int(np.argmax(products * products / (energies + energies.max() / 1000 + _TINY)))
    first = min(REACH, place + _LEAD)
    taps = min(_TAPS, first + 1)
    around = sent[max(0, first - taps) : first + FITTED]
    return Path(_fit(around, products[first - taps + 1 : first + 1][::-1]), first)


class Echo:
    """The recent past of one call, in both directions."""

    def __init__(self) -> None:
        self._played = _Past(SPAN + REACH + g711.SAMPLE_RATE)
        self._heard = _Past(_MEMORY)
        self._path: Path | None = None

    def play(self, mulaw: bytes, at_sample: int) -> None:
        """The far end plays this, by the call's clock."""
        self._played.skip_to(at_sample)
        self._played.add(mulaw)

    def hear(self, mulaw: bytes) -> None:
        """The line brought this: all of it is counted, from the first sample on."""
        self._heard.add(mulaw)

    def share(self, heard_through: int, at_sample: int) -> float:
        """How much of the line's sound around a moment is explained by what the far end played: 0 to 1, by energy.

        `heard_through`: the moment as samples of the line (`hear`); `at_sample`: the same moment on the call's clock,
        true to some 100 ms, since what is off is taken for a part of the delay. 0 where nothing was played of late.
        """
        if at_sample - self._played.through >= REACH + FORETOLD:
            return 0.0
        played = g711.decode_float(self._played.until(at_sample, REACH + SPAN))
        heard = g711.decode_float(self._heard.until(heard_through, SPAN))
        if self._path is not None and (known := self._path.share(played, heard)) >= _GOOD:
            return known
        path = find(played, heard)
        share = path.share(played, heard)
        self._path = path if share >= _GOOD else self._path
        return share


def _fit(sent: Samples, products: Samples) -> Samples:
    """The filter whose output from `sent` is nearest to what came back: the normal equations of least squares.

    `products`: (taps,), what came back times `sent`, for each tap's delay.
    """
    taps = len(products)
    spectrum = np.abs(np.fft.rfft(sent, _FFT))
    own = np.fft.irfft(spectrum * spectrum, _FFT)[:taps]
    lags = np.arange(taps)
    correlation = own[np.abs(lags[:, None] - lags)]
    correlation[lags, lags] += own[0] * _RIDGE + _TINY
    return np.asarray(np.linalg.solve(correlation, products))


def _raised(samples: Floats) -> Samples:
    raised = samples.astype(np.float64)
    raised[1:] -= _PREEMPHASIS * samples[:-1]
    return raised


class _Past:
    """The last samples of a stream, mu-law. What is missing, or was never there, is silence."""

    def __init__(self, length: int) -> None:
        self.through = 0
        self._length = length
        self._audio = bytearray()

    def skip_to(self, at_sample: int) -> None:
        gap = at_sample - self.through
        if gap > 0:
            self._audio += g711.SILENCE * min(gap, self._length)
            self.through = at_sample

    def add(self, mulaw: bytes) -> None:
        self._audio += mulaw
        self.through += len(mulaw)
        if len(self._audio) > 2 * self._length:  # not with every frame
            del self._audio[: -self._length]

    def until(self, end: int, samples: int) -> bytes:
        later = max(0, end - self.through)
        last = len(self._audio) - max(0, self.through - end)
        audio = bytes(self._audio[max(0, last - samples + later) : max(0, last)])
        return (audio + g711.SILENCE * min(later, samples)).rjust(samples, g711.SILENCE)
