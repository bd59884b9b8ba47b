"""The laws of waiting, on the labelled recordings: what `bench turns` promises."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from client_caller.audio.turn_model import TurnModel
from client_caller.audio.voices import VoiceBatch
from client_caller.cli import turns_endings
from client_caller.cli.labelled_audio import Recording
from client_caller.cli.turns_endings import (
    LATEST,
    Case,
    EndingsFigures,
    Row,
    Setting,
    measure,
    script,
    tables,
    word_ends,
)
from client_caller.conversation.policy import Phrases, Policy
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.rehearsal import Delays, answer
from client_caller.simulator.tones import spell

QUESTION = "What else can I do?"
SETTINGS = (
    Setting("all", "", Policy(), Phrases(), listens=True),
    Setting("asked", QUESTION, Policy(), Phrases(), listens=True),
)


@pytest.fixture(scope="module")
def figures(audio: Path, silero_path: Path, smart_turn_path: Path) -> EndingsFigures:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns_endings, "settings", lambda: iter(SETTINGS))
        return measure(audio, lambda done, total: None)


def test_nobody_waits_for_long(figures: EndingsFigures) -> None:
    """Whatever the words and the voice: every complete turn is answered within 1.6 s."""
    for row in figures.rows:
        waits = {case.recording: case.answered for case in row.cases if case.complete}
        assert all(wait is not None and wait <= LATEST for wait in waits.values()), waits


def test_real_pauses_are_waited_for(figures: EndingsFigures) -> None:
    """Where nothing was asked, no reply is heard in a pause of up to a second that a speaker really made."""
    (cases,) = (row.cases for row in figures.rows if row.setting == "all")
    real = [case for case in cases if not case.complete and case.real]
    assert len(real) >= 11
    assert [case.recording for case in real if case.cut_off] == []


def test_an_answer_to_a_question_comes_soon(figures: EndingsFigures) -> None:
    """Half of the complete turns are answered in under half a second, numbers that are dictated among them."""
    (cases,) = (row.cases for row in figures.rows if row.setting == "asked")
    waits = sorted(case.answered or 0 for case in cases if case.complete)
    assert waits[len(waits) // 2] < 500


def test_a_voice_that_fades_into_a_hiss_is_answered_soon(
    audio: Path, silero_path: Path, smart_turn_path: Path, tmp_path: Path
) -> None:
    """Wherever in it a window of 32 ms begins: the hiss is heard as speech for up to 350 ms, and swells on its way."""
    samples, rate = soundfile.read(audio / "utt" / "u26_express.flac")
    batch, model = VoiceBatch(silero_path), TurnModel(smart_turn_path)
    waits = []
    for milliseconds in range(0, 32, 4):
        shifted = np.concatenate([np.zeros(rate * milliseconds // 1000), samples])
        soundfile.write(tmp_path / "shifted.wav", shifted, rate)
        whole = {"file": "shifted.wav", "transcript": "express please", "speech": [[0, len(shifted) / rate]]}
        said = script(Recording(tmp_path, whole), batch, model)
        waits.append(answer(said, QUESTION, Delays(), Policy(), Phrases()).after)
    assert all(wait is not None and 0 < wait <= 450 for wait in waits), waits


@pytest.mark.parametrize(
    ("pause", "answered", "cut_off"),
    [
        (300, 299, True),
        (300, 300, False),
        (1880, 999, True),
        (1880, 1000, False),
        (None, 999, True),
        (300, None, False),
    ],
)
def test_a_reply_in_a_pause_cuts_off(pause: int | None, answered: int | None, cut_off: bool) -> None:
    """Until the caller goes on, and for a second at most: longer pauses can't be waited for."""
    assert Case("t", False, False, pause, answered, 1).cut_off is cut_off


def test_words_take_voiced_time_only() -> None:
    """A pause belongs to no word: two words of equal length keep their places around one."""
    word = spell("hello", 3200)
    silence = b"\xff" * 4800
    assert word_ends(word + silence + word, ["one", "two"]) == [(400, "one"), (1400, "two")]


def test_the_curve_is_shown_for_both_halves() -> None:
    """With what fell short by name."""
    cases = (
        Case("good", False, True, None, 300, 1),
        Case("late", True, True, None, 1700, 2),
        Case("cut", True, False, 500, 200, 1),
    )
    console = Console(width=120)
    with console.capture() as shown:
        for table in tables(EndingsFigures((Row("all of it", cases),))):
            console.print(table)
    text = shown.get()
    assert "1 of 1" in text
    assert "late" in text
    assert "cut" in text
    assert "good" not in text
    assert "1.5" in text, "requests a turn, of the complete ones"


def test_a_folder_without_turns_is_refused(tmp_path: Path, silero_path: Path, smart_turn_path: Path) -> None:
    """With the reason."""
    (tmp_path / "manifest.json").write_text('{"files": []}')
    with pytest.raises(UnreadableRecording, match="complete or incomplete"):
        measure(tmp_path, lambda done, total: None)
