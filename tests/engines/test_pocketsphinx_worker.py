"""The laws of what happens inside the PocketSphinx worker: resampling, and one call's ear."""

from pathlib import Path

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.engines import pocketsphinx_worker
from client_caller.engines.pocketsphinx_messages import Answer, Close, Finish, Hear, Open
from client_caller.engines.pocketsphinx_worker import Doubler, Ears, Unusable

SILENCE = g711.SILENCE * g711.SAMPLE_RATE


def tone(hertz: float, samples: int, rate: int) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate, dtype=np.float32)


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 3000.0])
def test_doubling_keeps_the_telephone_band(hertz: float) -> None:
    """A tone comes out as the same tone at twice the rate, 1 ms later, with an error at least 40 dB below it."""
    doubled = Doubler().feed(tone(hertz, 800, 8000))
    expected = tone(hertz, 1600, 16000)
    error = doubled[116:] - expected[100 : 100 + len(doubled) - 116]
    assert 10 * np.log10(np.mean(error**2) / np.mean(expected**2)) < -40


def test_doubling_does_not_depend_on_the_pieces() -> None:
    """A stream cut anywhere gives the same samples."""
    samples = tone(700, 800, 8000)
    pieces = Doubler()
    together = np.concatenate([pieces.feed(piece) for piece in np.split(samples, [1, 2, 100, 333])])
    assert np.allclose(together, Doubler().feed(samples), atol=1e-6)


@pytest.fixture
def ears(tmp_path: Path) -> Ears:
    ears = Ears(["yes please", "no thank you"], tmp_path)
    ears.answer(Open(1))
    return ears


def test_silence_has_no_words(ears: Ears) -> None:
    """Neither partial nor final, and `finish` is answered all the same."""
    assert ears.answer(Hear(1, SILENCE)) == Answer(1)
    assert ears.answer(Finish(1, 5)) == Answer(1, finished=5)


def test_an_utterance_without_end_is_ended(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold music does not fill the memory: after a time its "words" are final without a `finish`, again and again."""
    monkeypatch.setattr(pocketsphinx_worker, "LONGEST", 100)
    music = g711.encode_float(0.2 * np.random.default_rng(1).standard_normal(16_000).astype(np.float32))
    answers = [ears.answer(Hear(1, music)) for _ in range(3)]
    assert all(isinstance(answer, Answer) and answer.final for answer in answers)


def test_a_closed_call_is_forgotten(ears: Ears) -> None:
    """Its decoder is gone, and so is its number."""
    assert ears.answer(Close(1)) is None
    with pytest.raises(KeyError):
        ears.answer(Hear(1, SILENCE))


def test_words_that_cannot_be_heard_are_named(tmp_path: Path) -> None:
    """All at once, so that a script is mended in one go."""
    with pytest.raises(Unusable, match=r"does not have: 42, zyxgrumpf\. Write numbers as words"):
        Ears(["please zyxgrumpf me", "at 42 please"], tmp_path)


@pytest.mark.parametrize("sentences", [[], ["…"]])
def test_nothing_to_hear_is_refused(tmp_path: Path, sentences: list[str]) -> None:
    """A recogniser that can hear nothing is a mistake."""
    with pytest.raises(Unusable, match="at least one sentence"):
        Ears(sentences, tmp_path)
