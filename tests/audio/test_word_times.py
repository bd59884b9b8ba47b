"""Guessed word times: never past the sound, at most one word wrong, and then rather 'not heard'."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_caller.audio import g711
from client_caller.audio.word_times import MARGIN, estimate
from client_caller.conversation.clauses import words_of

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "word_times.py"

MS = g711.SAMPLE_RATE // 1000
FRAME = 10 * MS


def load_experiment() -> ModuleType:
    spec = importlib.util.spec_from_file_location("experiment_word_times", EXPERIMENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tone(milliseconds: int) -> bytes:
    time = np.arange(milliseconds * MS) / g711.SAMPLE_RATE
    return g711.encode_float((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32))


def silence(milliseconds: int) -> bytes:
    return g711.SILENCE * (milliseconds * MS)


def noise(milliseconds: int, level: float) -> bytes:
    samples = np.random.default_rng(1).normal(0, level, milliseconds * MS)
    return g711.encode_float(samples.astype(np.float32))


@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["Well,", "$5", "a.m.", "go", "-", "0123", "fox."])).map(" ".join),
    parts=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=5),
    odd=st.integers(0, 79),
)
def test_one_end_for_each_word_rising_and_within_the_audio(text: str, parts: list[tuple[int, int]], odd: int) -> None:
    """Whatever the text and the audio are: one end for each word, in order, none after the audio."""
    mulaw = b"".join(tone(sound) + silence(pause) for sound, pause in parts) + g711.SILENCE * odd
    ends = estimate(text, mulaw)
    assert len(ends) == len(words_of(text))
    assert list(ends) == sorted(ends)
    assert all(0 <= end <= len(mulaw) for end in ends)


def test_the_last_word_ends_with_the_sound() -> None:
    """What follows the last sound is no part of the last word."""
    ends = estimate("all of it", silence(100) + tone(600) + silence(500))
    assert abs(ends[-1] - 700 * MS) <= FRAME


def test_silent_audio_proves_nothing_before_its_end() -> None:
    """Where nothing sounds, no word is heard before the audio is over."""
    assert estimate("not a sound", silence(300)) == (300 * MS,) * 3
    assert estimate("not a sound", b"") == (0, 0, 0)


def test_no_words_have_no_ends() -> None:
    assert estimate(" ", tone(100)) == ()


def test_a_pause_belongs_to_punctuation() -> None:
    """The word with the comma ends where the pause begins, though by its length it would end elsewhere."""
    ends = estimate("I said so, several times", tone(500) + silence(300) + tone(800))
    assert abs(ends[2] - 500 * MS) <= FRAME


def test_a_pause_without_punctuation_still_parts_words() -> None:
    """A voice may pause anywhere: the gap that fits the lengths on both sides is taken."""
    ends = estimate("one two three four six", tone(800) + silence(300) + tone(530))
    assert abs(ends[2] - 800 * MS) <= FRAME


def test_more_pauses_than_gaps_stay_inside_words() -> None:
    """A word may be said in several stretches; then it ends with the last of them."""
    mulaw = tone(200) + silence(150) + tone(200) + silence(150) + tone(200)
    assert estimate("Internationalization", mulaw) == (900 * MS,)


def test_a_pause_is_seen_above_the_noise_of_a_recording() -> None:
    """A voice with a noise floor 30 dB below its speech has pauses too."""
    ends = estimate("Sure, fine", tone(400) + noise(300, 0.006) + tone(400) + noise(100, 0.006))
    assert abs(ends[0] - 400 * MS) <= FRAME
    assert abs(ends[1] - 1100 * MS) <= FRAME


def test_the_margin_errs_towards_not_heard() -> None:
    """Between words of equal length without a pause, the end is late by the margin and no more."""
    first, last = estimate("banana banana", tone(1000))
    assert first == pytest.approx(500 * MS + MARGIN, abs=FRAME)
    assert last == 1000 * MS


def test_the_margin_is_less_than_the_next_word() -> None:
    """A short word is not swallowed: it still ends after the one before."""
    ends = estimate("banana a banana", tone(1000))
    assert ends[0] < ends[1] < ends[2]


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("strengths", "to"),
        ("banana", "ban"),
        ("555", "5"),
        ("0123", "23"),
        ("$5", "5"),
        ("16", "1"),
        ("U.S.A", "U"),
        ("made,", "made"),
        ("naïveté", "nave"),
        ("25", "15"),
    ],
)
def test_spelling_tells_how_long_a_word_takes(longer: str, shorter: str) -> None:
    """Of two words in one stretch of sound, the one that takes longer to say has more of it."""
    assert estimate(f"{longer} {shorter}", tone(1000))[0] > estimate(f"{shorter} {longer}", tone(1000))[0]


def test_against_the_exact_word_times_of_a_real_voice() -> None:
    """Sentences that were not used to fit the constants, and every millisecond at which a caller could cut in: never
    more than one word too many is counted as heard, seldom that one, and very seldom two too few."""
    experiment = load_experiment()
    found = [experiment.errors(clause) for clause in experiment.spoken() if clause.text in experiment.HELD_OUT]
    words = np.concatenate([one.words for one in found])
    ledger = np.concatenate([one.ledger for one in found])
    assert len(found) >= 40
    assert np.abs(words).mean() < 75
    assert np.quantile(np.abs(words), 0.95) < 180
    assert ledger.max() <= 1
    assert np.mean(ledger == 1) < 0.025
    assert ledger.min() >= -2
    assert np.mean(ledger < -1) < 0.005
