"""The voice of a server."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")

from client_caller.models.csm.engine import CsmEngine  # noqa: E402
from client_caller.models.csm.voice import EXAMPLE, VoiceError, pinned, read_voice  # noqa: E402
from client_caller.models.csm.weights import Weights  # noqa: E402


def test_a_voice_is_the_beginning_of_a_slot(weights: Weights, engine: CsmEngine, voice_file: Path) -> None:
    """Its words, and the codes of its sound, 80 ms each."""
    voice, samples = read_voice(voice_file)
    prefix = pinned(engine, weights, voice, samples)
    assert len(samples) == 4 * 24_000
    assert prefix[0].shape[2] == len(weights.tokens(0, voice.transcript)) + 4 * 12.5
    assert engine.position(0) == 0


def test_a_voice_without_consent_is_refused(voice_file: Path) -> None:
    """And one whose record is not complete."""
    text = voice_file.read_text()
    for missing in ('speaker = "Ada Example"', "given_on = 2026-03-01"):
        voice_file.write_text(text.replace(missing, ""))
        with pytest.raises(VoiceError, match=r"consent(.|\n)*\[consent\]"):
            read_voice(voice_file)
    voice_file.write_text(text.partition("[consent]")[0])
    with pytest.raises(VoiceError, match="no complete record of the speaker's consent"):
        read_voice(voice_file)


def test_the_example_is_a_voice_file(voice_file: Path) -> None:
    """What errors show works."""
    voice_file.write_text(EXAMPLE)
    assert read_voice(voice_file)[0].name == "ada"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda file: file.unlink(), "can't be read"),
        (lambda file: file.write_text("name = "), "is not TOML"),
        (lambda file: file.write_text(file.read_text().replace("transcript", "text")), "transcript: field required"),
        (lambda file: (file.parent / "ada.wav").unlink(), r"ada\.wav can't be read as audio"),
        (lambda file: soundfile.write(file.parent / "ada.wav", np.zeros(8000), 8000), r"is 1\.0 s long"),
    ],
)
def test_what_is_wrong_is_named(voice_file: Path, spoil: object, reason: str) -> None:
    """Each mistake with its file."""
    spoil(voice_file)  # type: ignore[operator]
    with pytest.raises(VoiceError, match=reason):
        read_voice(voice_file)


def test_a_voice_leaves_room_for_the_call(weights: Weights, engine: CsmEngine, voice_file: Path) -> None:
    """One that takes more than a third of a slot is refused."""
    soundfile.write(voice_file.parent / "ada.wav", np.zeros(15 * 8000), 8000)
    voice, samples = read_voice(voice_file)
    with pytest.raises(VoiceError, match="more than a third"):
        pinned(engine, weights, voice, samples)
