"""The laws of what a caller of a measurement may say: where it begins and ends is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.engines.espeak import Espeak
from client_caller.simulator.clips import UnreadableRecording
from client_caller.simulator.utterances import BACKCHANNELS, SENTENCES, Utterance, recorded, spoken, voiced


def test_words_end_within_their_speech_and_the_last_at_its_end() -> None:
    """Evenly spread: what matters is that none comes before speech, and the last with its end."""
    utterance = Utterance("x", b"", "one two three", begins=1000, ends=4000)
    assert list(utterance.word_ends()) == [(2000, "one"), (3000, "two"), (4000, "three")]


def test_recordings_are_used_only_where_two_witnesses_agree(audio: Path) -> None:
    """Label and level agree on begin and end of every sentence, and nobody pauses for long inside one."""
    repertoire = recorded(audio)
    names = {one.name for one in repertoire.sentences}
    assert {"u04_two_thirty_pm", "u25_black_one"} <= names
    assert "u23_storm_pause" not in names, "it has a pause of 0.9 s"
    assert "u18_yes" not in names, "its label marks an uncertain stretch at its end"
    assert all(np.diff(voiced(one.clip)).max() <= 400 * 8 for one in repertoire.sentences)
    assert {one.text for one in repertoire.backchannels} == {"yeah"}
    assert all(one.ends - one.begins < 450 * 8 for one in repertoire.backchannels)


def test_ends_are_those_of_the_audio(audio: Path, shared_audio: Callable[[str], bytes]) -> None:
    """From the first voiced sample to behind the last, in the very bytes that go over the line."""
    for one in recorded(audio).sentences:
        places = voiced(shared_audio(f"utt/{one.name}.flac"))
        assert (one.begins, one.ends) == (places[0], places[-1] + 1)


async def test_a_synthetic_caller_says_every_line() -> None:
    """All sentences and backchannels have sound, and no backchannel is as long as a sentence."""
    espeak = Espeak()
    try:
        repertoire = await spoken(espeak)
    finally:
        await espeak.close()
    assert [one.text for one in repertoire.sentences] == list(SENTENCES)
    assert [one.text for one in repertoire.backchannels] == list(BACKCHANNELS)
    longest = max(one.ends - one.begins for one in repertoire.backchannels)
    assert longest < min(one.ends - one.begins for one in repertoire.sentences)


@pytest.mark.parametrize(
    ("manifest", "says"),
    [(None, "manifest.json"), ("not JSON", "manifest.json"), ('{"files": []}', "no labelled utterance")],
)
def test_a_folder_that_will_not_do_says_why(tmp_path: Path, manifest: str | None, says: str) -> None:
    """Nothing is measured on less than was asked for."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UnreadableRecording, match=says):
        recorded(tmp_path)


def test_a_silent_recording_is_refused(tmp_path: Path) -> None:
    """There is nothing whose end could be measured."""
    import soundfile

    soundfile.write(tmp_path / "quiet.flac", np.zeros(8000, np.int16), g711.SAMPLE_RATE)
    (tmp_path / "manifest.json").write_text(
        '{"files": [{"file": "quiet.flac", "set": "utterance", "label": "complete", "transcript": "x",'
        ' "speech": [[0, 1]]}]}'
    )
    with pytest.raises(UnreadableRecording, match="no sound"):
        recorded(tmp_path)
