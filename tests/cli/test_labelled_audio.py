"""The laws of labelled recordings: both halves have everything, and nobody speaks in both."""

import json
from pathlib import Path

import pytest

from client_caller.cli.labelled_audio import Recording, recordings
from client_caller.simulator.clips import UnreadableRecording


def test_nobody_is_in_both_halves(audio: Path) -> None:
    """The two ends of the real call are two people, the digits of one speaker are one, a mix goes with its speech."""
    everything = {one.name: one for one in recordings(audio)}
    assert len({one.source for one in everything.values()}) > 40
    assert everything["call40_agent"].source != everything["call40_caller"].source
    assert everything["m01_coffee_15db"].source == everything["call40_caller"].source
    assert everything["u27_digits_jackson"].source == everything["t26_incomplete"].source
    assert everything["u27_digits_jackson"].source != everything["u29_digits_george"].source
    assert everything["u09_card1"].source == everything["u13_card5"].source
    for one in everything.values():
        assert all(one.held_back is other.held_back for other in everything.values() if other.source == one.source)


def test_both_halves_have_some_of_everything(audio: Path) -> None:
    """Each set, and each kind of label that thresholds are chosen by, is in both."""
    everything = recordings(audio)
    for kind in {one.entry["set"] for one in everything} | {"incomplete", "complete", "call_hold", "call_shift"}:
        halves = {one.held_back for one in everything if kind in (one.entry["set"], one.label)}
        assert halves == {False, True}, kind


def test_labels_that_are_absent_are_empty() -> None:
    """Noise has no speech; a null means the same as nothing."""
    one = Recording(Path("folder"), {"file": "noise/n1.flac", "speech": None, "source": {"synth": "hum"}})
    assert (one.name, one.speech, one.ignored) == ("n1", [], [])
    assert one.source == "noise/n1.flac"


@pytest.mark.parametrize("manifest", [None, "no json", "[]", json.dumps({"files": [{"file": "a", "set": "b"}]})])
def test_a_folder_without_labels_is_said_to_be_one(tmp_path: Path, manifest: str | None) -> None:
    """What a manifest has to hold is named where it does not."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(UnreadableRecording, match=r"no manifest.json that lists its recordings \(files: file, set"):
        recordings(tmp_path)
