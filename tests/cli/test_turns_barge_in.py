"""The laws of measuring barge-in: known sounds give known figures."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from client_caller.audio.g711 import SILENCE
from client_caller.cli.barge_in_call import Disturbance, Sound, disturb
from client_caller.cli.turns_barge_in import BargeInFigures, Trial, tables


def test_silence_disturbs_nobody(silero_path: Path) -> None:
    """The agent speaks on: not softer, without a pause, and every word is heard."""
    (found,) = disturb(silero_path, [(Sound(SILENCE * 8000, 0, ()), Random(1))])
    assert found == Disturbance(yielded=False, ducked=None, silent=None, pause=found.pause, lost=0, to_stop=None)
    assert found.pause < 1


def test_a_word_that_stops_is_timed_from_its_partial(silero_path: Path, shared_audio: Callable[[str], bytes]) -> None:
    """The agent is silent at once, measured at the far end's ear."""
    speech = shared_audio("utt/u14_go_forward.flac")
    (found,) = disturb(silero_path, [(Sound(speech, 4080, ((8000, "stop"),)), Random(1))])
    assert found.yielded
    assert found.to_stop is not None
    assert found.to_stop < 100
    assert found.ducked is not None
    assert found.silent is not None
    assert found.ducked < found.silent


@pytest.mark.parametrize(
    ("found", "selective"),
    [
        (Disturbance(False, None, None, 150.0, 0, None), True),
        (Disturbance(False, None, None, 150.5, 0, None), False),
        (Disturbance(False, None, None, 0.0, 1, None), False),
        (Disturbance(True, 80.0, 300.0, 0.0, 0, None), False),
    ],
)
def test_selective_is_to_go_on_with_every_word_and_hardly_a_pause(found: Disturbance, selective: bool) -> None:
    """One of the three missing is enough to fail, and to be listed."""
    trial = Trial("a", "cough", False, found)
    assert trial.selective is selective
    assert len(tables(BargeInFigures((trial,)))) == (1 if selective else 2)
