"""The laws of the loaded turn model, on recorded voices through G.711."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from client_caller.audio import g711
from client_caller.audio.turn_model import SAMPLES, TurnModel

Load = Callable[[str], bytes]
PAUSE = g711.SILENCE * 1600
"""200 ms."""


@pytest.fixture(scope="module")
def model(smart_turn_path: Path) -> TurnModel:
    return TurnModel(smart_turn_path)


@pytest.mark.parametrize(
    "clip",
    [
        "t10_complete",
        "t20_complete",
        "t21_complete",
        "t22_complete",
        "t33_complete",
        "t38_complete",
        "t39_complete",
        "t52_call_shift",
        "t66_call_shift",
    ],
)
def test_a_finished_turn_is_heard_as_such(model: TurnModel, shared_audio: Load, clip: str) -> None:
    """These sound finished to the reference too; measured 0.94 to 0.99."""
    assert model.judge(shared_audio(f"turns/{clip}.flac") + PAUSE) > 0.85


@pytest.mark.parametrize(
    "clip",
    [
        "t09_incomplete",
        "t11_incomplete",
        "t12_incomplete",
        "t13_incomplete",
        "t40_call_hold",
        "t41_call_hold",
        "t44_call_hold",
        "t58_call_hold",
    ],
)
def test_a_turn_cut_in_the_middle_is_heard_as_such(model: TurnModel, shared_audio: Load, clip: str) -> None:
    """A voice that is held up at a pause; measured 0.005 to 0.1."""
    assert model.judge(shared_audio(f"turns/{clip}.flac") + PAUSE) < 0.15


def test_the_last_eight_seconds_count(model: TurnModel, shared_audio: Load) -> None:
    """A call of any length is judged by its end."""
    call = shared_audio("calls/call40_caller.flac")[: 3 * SAMPLES]
    assert model.judge(call) == model.judge(call[-SAMPLES:])
    assert model.judge(call) != model.judge(call[:SAMPLES])


def test_any_amount_of_audio_has_an_answer(model: TurnModel) -> None:
    """A caller who is silent from the first moment breaks nothing."""
    for audio in (b"", g711.SILENCE, g711.SILENCE * SAMPLES):
        assert 0 <= model.judge(audio) <= 1


def test_judgements_at_the_same_time_do_not_touch(model: TurnModel, shared_audio: Load) -> None:
    """Two threads get what one gets alone."""
    clips = [shared_audio(f"turns/{name}.flac") + PAUSE for name in ("t10_complete", "t11_incomplete")] * 4
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(model.judge, clips))
    assert together == pytest.approx([model.judge(clip) for clip in clips], abs=1e-6)
    assert max(together) - min(together) > 0.9
