"""The laws of Whisper by way of faster-whisper, on a toy that reads what a toy caller says."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client_caller.models.hearing.recogniser import SAMPLE_RATE
from client_caller.models.hearing.words import text_of
from client_caller.models.whisper.backend import Hypothesis, Window

faster = pytest.importorskip("client_caller.models.whisper.faster", exc_type=ImportError)

SAID = [" ".join(words) for words in itertools.permutations(("ah", "ee", "oo", "er", "mm"), 3)][::6]
"""Ten utterances of three words each, none of them twice."""


def heard(hypothesis: Hypothesis) -> str:
    return text_of(hypothesis.words)


@pytest.mark.parametrize("compute_type", ["int8", "float32"])
def test_it_reads_what_was_said(toy: Any, compute_type: str) -> None:
    """Every word of every utterance, in the model's own precision and in full."""
    whisper = faster.FasterWhisper(str(toy.model), compute_type=compute_type, threads=1, offline=True)
    hypotheses = whisper.transcribe([Window(toy.samples(text), "en", final=True) for text in SAID])
    assert [heard(hypothesis) for hypothesis in hypotheses] == SAID
    assert all(hypothesis.mean_logprob > -0.5 for hypothesis in hypotheses)


def test_what_it_can_hear_at_once_and_in_which_languages(whisper: Any) -> None:
    """As its files say."""
    assert (whisper.seconds, whisper.languages) == (4.0, {"en", "de"})


def test_final_words_have_times_and_confidence(toy: Any, whisper: Any) -> None:
    """Within 0.15 s of where the words are, in order; plain numbers, for they go onto the wire."""
    (hypothesis,) = whisper.transcribe([Window(toy.samples("mm ee oo"), "en", final=True)])
    for word, end in zip(hypothesis.words, toy.ends("mm ee oo"), strict=True):
        assert type(word.start) is float
        assert type(word.confidence) is float
        assert word.end == pytest.approx(end, abs=0.15)
        assert word.start < word.end
        assert 0.5 < word.confidence <= 1.0


def test_guesses_have_neither(toy: Any, whisper: Any) -> None:
    """They would cost a second pass of the decoder."""
    (hypothesis,) = whisper.transcribe([Window(toy.samples("ee oo"), "en")])
    assert [(word.text, word.start, word.confidence) for word in hypothesis.words] == [
        ("ee", None, None),
        ("oo", None, None),
    ]


def test_a_batch_is_what_each_would_be_alone(toy: Any, whisper: Any) -> None:
    """Whatever else is in it: other languages, prompts, lengths, guesses and final words."""
    windows = [
        Window(toy.samples("ah ee"), "en", prompt="oo er", final=True),
        Window(toy.samples("eh au eh", "de"), None),
        Window(toy.samples("mm oo er ah"), None, detect=True, final=True),
        Window(toy.samples("au eh", "de"), "en", detect=True, final=True),
        Window(toy.samples("er"), "en"),
        Window(toy.samples("er oo"), "en", prompt="ah"),
        Window(np.zeros(0, np.float32), "en", final=True),
    ]
    together = whisper.transcribe(windows)
    for window, hypothesis in zip(windows, together, strict=True):
        (alone,) = whisper.transcribe([window])
        assert hypothesis.words == alone.words or heard(hypothesis) == heard(alone)
        assert hypothesis.language == alone.language
        assert hypothesis.mean_logprob == pytest.approx(alone.mean_logprob, abs=1e-3)
        assert hypothesis.no_speech == pytest.approx(alone.no_speech, abs=1e-3)
        assert [word.end for word in hypothesis.words] == [word.end for word in alone.words]


def test_the_language_is_found_out(toy: Any, whisper: Any) -> None:
    """Where none is given, and where another than before is spoken; one that is given is kept."""
    german = toy.samples("eh au", "de")
    windows = [Window(german), Window(german, "en", detect=True), Window(german, "en")]
    assert [h.language for h in whisper.transcribe(windows)] == ["de", "de", "en"]
    assert heard(whisper.transcribe(windows)[0]) == "eh au"


def test_silence_behind_the_audio_is_not_worked_out(toy: Any, whisper: Any) -> None:
    """And yet the features are what they are of audio padded with zeros."""
    samples = toy.samples("ah ee")
    padded = np.pad(samples, (0, 4 * SAMPLE_RATE - len(samples)))
    assert np.allclose(whisper._mel(samples, 400), whisper._extractor(padded, padding=0), atol=1e-5)


def test_shorter_windows_for_guesses(toy: Any) -> None:
    """Where they are allowed they grow with the audio, by whole steps, and final words get all of it."""
    whisper = faster.FasterWhisper(str(toy.model), threads=1, offline=True, shortest=1.0)
    second = np.zeros(SAMPLE_RATE, np.float32)
    assert whisper._frames(Window(second)) == 400
    whisper.seconds = 30.0
    lengths = [
        whisper._frames(Window(np.tile(second, n), final=final)) for n, final in [(1, False), (9, False), (1, True)]
    ]
    assert lengths == [500, 1500, 3000]


def test_a_prompt_is_cut_off_and_does_no_harm(toy: Any, whisper: Any) -> None:
    """However many hints an agent has."""
    (hypothesis,) = whisper.transcribe([Window(toy.samples("ah ee"), "en", prompt="oo er " * 20, final=True)])
    assert len(whisper._prompt("oo er " * 200)) == faster.MAX_PROMPT + 1
    assert hypothesis.words


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_a_missing_file_is_named(toy: Any, tmp_path: Path, name: str) -> None:
    """And nothing is fetched in its place."""
    folder = shutil.copytree(toy.model, tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(faster.WhisperUnavailable, match=rf"has no {name}\. Convert"):
        faster.FasterWhisper(str(folder))


def test_a_model_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline nothing is fetched, and that is said; a folder that does not exist is one too."""
    with pytest.raises(faster.WhisperUnavailable, match="There is no directory"):
        faster.FasterWhisper(str(tmp_path / "model"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(faster.WhisperUnavailable, match=r"base\.en is not on this machine, and --offline forbids"):
        faster.FasterWhisper("base.en", offline=True)


def test_what_the_machine_cannot_do(toy: Any) -> None:
    """A device or a precision that is not there is said with the option that names it."""
    with pytest.raises(faster.WhisperUnavailable, match="Check --device warp"):
        faster.FasterWhisper(str(toy.model), device="warp")
    with pytest.raises(faster.WhisperUnavailable, match="--compute-type int3"):
        faster.FasterWhisper(str(toy.model), compute_type="int3")
