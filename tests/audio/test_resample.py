"""The laws of changing the sample rate."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.audio.resample import ATTENUATION, PASSBAND, STOPBAND, Doubler, Downsampler, resample

Floats = npt.NDArray[np.float32]

RATES = [16000, 22050, 24000, 44100, 48000]
every_rate = pytest.mark.parametrize("rate", RATES)


def tone(hertz: float, rate: int, seconds: float = 0.25) -> Floats:
    """Amplitude 1; a phase that puts no sample of a tone at half the rate on a zero."""
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate + 0.3).astype(np.float32)


def streamed(samples: Floats, rate: int, sizes: list[int]) -> Floats:
    """The samples through a `Downsampler` in pieces of these sizes, the last of them repeated."""
    downsampler = Downsampler(rate)
    pieces, start = [], 0
    for size in [*sizes, *[sizes[-1]] * (len(samples) // sizes[-1] + 1)]:
        pieces.append(downsampler.feed(samples[start : start + size]))
        start += size
    return np.concatenate([*pieces, downsampler.flush()])


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(ratio))


@every_rate
def test_the_telephone_band_passes_unchanged(rate: int) -> None:
    """Tones up to 3.4 kHz keep level, phase and place: no sample differs by more than -60 dB (a ripple of 0.01 dB).

    The first and last 5 ms, where the tone itself starts and stops, are not judged. Measured: -67 dB.
    """
    for hertz in [50, *range(300, PASSBAND, 310), PASSBAND]:
        error = streamed(tone(hertz, rate), rate, [rate // 50]) - tone(hertz, 8000)
        assert decibels(np.abs(error[40:-40]).max()) < -60, hertz


@every_rate
def test_nothing_folds_into_the_telephone_band(rate: int) -> None:
    """Tones from 4.6 kHz up to the source's half are at least 70 dB down. Measured: 72 dB."""
    for hertz in np.linspace(STOPBAND, min(rate / 2, 20000), 25):
        rest = streamed(tone(hertz, rate), rate, [rate // 50])[40:-40]
        assert decibels(float(np.sqrt(2 * np.mean(rest**2)))) < -ATTENUATION, hertz


@every_rate
def test_a_steady_level_stays_steady(rate: int) -> None:
    """At 0 Hz the gain is exactly 1 at every output, so that no level turns into a hum."""
    level = streamed(np.full(rate // 4, 0.5, np.float32), rate, [rate // 50])[40:-40]
    assert np.abs(level - 0.5).max() < 1e-6


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(RATES), st.lists(st.integers(1, 3000), min_size=1, max_size=12), st.integers(0, 6000))
def test_how_the_stream_is_cut_changes_nothing(rate: int, sizes: list[int], length: int) -> None:
    """Any pieces, single samples and empty streams included, give the same audio as one."""
    samples = np.random.default_rng(length).normal(0, 0.2, length).astype(np.float32)
    whole = streamed(samples, rate, [max(1, length)])
    cut = streamed(samples, rate, sizes)
    assert len(whole) == len(cut) == -(-length * 8000 // rate)
    assert np.allclose(whole, cut, rtol=0, atol=1e-6)


@every_rate
def test_less_than_two_milliseconds_are_withheld(rate: int) -> None:
    """After every piece, all but the last 2 ms of what was fed has come out."""
    downsampler = Downsampler(rate)
    random = np.random.default_rng(5)
    fed = returned = 0
    for size in random.integers(1, rate // 25, 60):
        fed += int(size)
        returned += len(downsampler.feed(np.zeros(size, np.float32)))
        assert 0 <= fed / rate - returned / 8000 <= 0.002


@every_rate
def test_streamed_and_at_once_agree(rate: int) -> None:
    """On sound within the telephone band the stream is soxr's one-shot result to -50 dB, away from the ends."""
    chord = np.zeros(rate, np.float32)
    for hertz in (210, 440, 1333, 2750, 3390):
        chord += tone(hertz, rate, 1.0) / 5
    stream = streamed(chord, rate, [480])
    at_once = resample(chord, rate, 8000)
    assert len(stream) == len(at_once)
    assert decibels(np.abs(stream - at_once)[400:-400].max() / np.abs(at_once).max()) < -50


@pytest.mark.parametrize("rate", [8000, 9199])
def test_a_rate_with_nothing_to_cut_is_refused(rate: int) -> None:
    """Too low a rate is an error at once, that says how low it may be."""
    with pytest.raises(ValueError, match="at least 9200 samples a second"):
        Downsampler(rate)


@pytest.mark.parametrize(("source", "target"), [(8000, 16000), (22050, 8000), (24000, 8000), (8000, 8000)])
def test_at_once_keeps_tone_and_length(source: int, target: int) -> None:
    """One-shot conversion keeps a tone of the telephone band in place, in either direction."""
    result = resample(tone(1000, source, 1.0), source, target)
    assert result.dtype == np.float32
    assert len(result) == target
    assert np.abs(result - tone(1000, target, 1.0))[200:-200].max() < 1e-3


def test_nothing_at_once_is_nothing() -> None:
    """An empty piece gives an empty piece."""
    assert resample(np.zeros(0, np.float32), 24000, 8000).shape == (0,)


@given(st.lists(st.integers(0, 400), max_size=12))
def test_doubling_does_not_depend_on_the_pieces(sizes: list[int]) -> None:
    """However it was cut: twice as many samples, every second one of the input, ten samples late."""
    sound = tone(700, 8000, 1.0)[: sum(sizes)]
    doubler, pieces, start = Doubler(), [], 0
    for size in sizes:
        pieces.append(doubler.feed(sound[start : start + size]))
        start += size
    doubled = np.concatenate([*pieces, np.zeros(0, np.float32)])
    assert np.array_equal(doubled, Doubler().feed(sound))
    assert len(doubled) == 2 * len(sound)
    assert np.array_equal(doubled[20::2], sound[: max(0, len(sound) - 10)])


@pytest.mark.parametrize("hertz", [100, 1000, PASSBAND])
def test_doubling_keeps_a_tone_and_adds_none(hertz: int) -> None:
    """A tone of the telephone band comes out as itself at 16 kHz: what is added lies 45 dB below it."""
    doubled = Doubler().feed(tone(hertz, 8000, 0.5))
    wanted = tone(hertz, 16000, 0.5)
    assert decibels(np.abs(doubled[20:] - wanted[:-20])[100:].max()) < -45
