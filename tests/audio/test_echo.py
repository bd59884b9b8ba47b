"""The laws of telling the agent's own voice from the caller's, on recordings through G.711."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from client_caller.audio import g711
from client_caller.audio.echo import REACH, SPAN, Echo
from client_caller.conversation.policy import Policy

SECOND = g711.SAMPLE_RATE
WINDOW = 256

Samples = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def agent(shared_audio: Callable[[str], bytes]) -> Samples:
    """Six seconds of speech."""
    return g711.decode_float(shared_audio("long/l05_prompt_congrats.flac")[: 6 * SECOND]).astype(np.float64)


@pytest.fixture(scope="module")
def stranger(shared_audio: Callable[[str], bytes]) -> Samples:
    """As long, and as loud, by somebody else."""
    return g711.decode_float(shared_audio("long/l02_sense_and_sensibility.flac")[: 6 * SECOND]).astype(np.float64)


def back(agent: Samples, delay: int, loss: float) -> Samples:
    """The agent through a small loudspeaker and a room that rings for 0.2 s."""
    ringing = np.random.default_rng(5).standard_normal(1600) * 10 ** (-3 * np.arange(1600) / 1600)
    path = np.concatenate([[1.0, -0.5, 0.2], ringing * 0.02])
    return np.convolve(np.concatenate([np.zeros(delay), agent]), path)[: len(agent)] * 10 ** (-loss / 20)


def shares(agent: Samples, line: Samples) -> npt.NDArray[np.float64]:
    """Of each window whose second half is well above the line's noise, once there was something to hear."""
    past, found = Echo(), []
    played, heard = (g711.encode_float(samples.astype(np.float32)) for samples in (agent, line))
    for end in range(WINDOW, len(line), WINDOW):
        past.play(played[end - WINDOW : end], end - WINDOW)
        past.hear(heard[end - WINDOW : end])
        if end > SECOND and np.sqrt(np.mean(line[end - WINDOW : end] ** 2)) > 0.003:
            found.append(past.share(end, end))
    assert len(found) > 50
    return np.array(found)


@pytest.mark.parametrize(("delay", "loss"), [(0, 0), (160, 6), (1333, 12), (3900, 12)])
def test_an_echo_is_explained(agent: Samples, delay: int, loss: float) -> None:
    """Whatever its delay, up to half a second, and however loud the loudspeaker is set."""
    assert np.mean(shares(agent, back(agent, delay, loss)) >= Policy().echo_share) > 0.95


def test_a_delay_that_jumps_leaves_nothing_to_unlearn(agent: Samples) -> None:
    """A quarter of a second after it, what had foretold well until then does not hinder what does now."""
    line = np.concatenate([back(agent, 1333, 6)[: 3 * SECOND], back(agent, 160, 6)[3 * SECOND :]])
    found = shares(agent, line) >= Policy().echo_share
    assert np.count_nonzero(~found) <= np.count_nonzero(shares(agent, back(agent, 160, 6)) < Policy().echo_share) + 8


def test_a_caller_is_not_explained(agent: Samples, stranger: Samples) -> None:
    """Somebody else's speech can't be foretold from the agent's, however often one tries."""
    assert np.mean(shares(agent, stranger) >= Policy().echo_share) < 0.005


def test_a_caller_who_speaks_over_an_echo_is_not_explained(agent: Samples, stranger: Samples) -> None:
    """Where their own voice is the louder one."""
    assert np.mean(shares(agent, stranger + back(agent, 800, 12)) >= Policy().echo_share) < 0.15


def test_an_echo_later_than_any_line_is_is_not_explained(agent: Samples) -> None:
    """Half a second is the limit: beyond it lies what a caller repeats."""
    assert np.mean(shares(agent, back(agent, REACH + 800, 0)) >= Policy().echo_share) < 0.05


def test_nothing_is_explained_by_silence(agent: Samples) -> None:
    """Neither before the agent has spoken, nor once its last sound is longer ago than any echo."""
    mulaw = g711.encode_float(agent.astype(np.float32))
    past = Echo()
    past.hear(mulaw)
    assert past.share(len(mulaw), len(mulaw)) == 0
    past.play(mulaw[:SECOND], 0)
    past.hear(mulaw)
    assert past.share(2 * len(mulaw), 2 * len(mulaw)) == 0


def test_a_window_judged_late_is_judged_alike(agent: Samples) -> None:
    """Detection may lag by a second, and the agent pause in between: what is asked about is the window's own past."""
    line = back(agent, 800, 6)
    played, heard = (g711.encode_float(samples.astype(np.float32)) for samples in (agent, line))
    end = 2 * SECOND
    prompt, late = Echo(), Echo()
    for past, through in ((prompt, end), (late, end + SECOND)):
        past.play(played[: SECOND // 2], 0)
        past.play(played[SECOND:through], SECOND)
        past.hear(heard[:through])
    assert late.share(end, end) == prompt.share(end, end) > 0.5


def test_the_beginning_of_a_call_is_silence_before_it(agent: Samples) -> None:
    """A call may be asked about its first window."""
    past = Echo()
    mulaw = g711.encode_float(agent.astype(np.float32))[:WINDOW]
    past.play(mulaw, 0)
    past.hear(mulaw)
    assert len(mulaw) < SPAN
    assert 0 <= past.share(WINDOW, WINDOW) <= 1
    assert 0 <= past.share(0, WINDOW + REACH) <= 1


def test_what_is_long_past_is_forgotten(agent: Samples) -> None:
    """After a minute of silence an echo is explained as in a call that has only begun."""
    played, heard = (g711.encode_float(one.astype(np.float32)) for one in (agent, back(agent, 800, 6)))
    found = []
    for before in (0, 60 * SECOND):
        past = Echo()
        for _ in range(0, before, 160):
            past.hear(g711.SILENCE * 160)
        past.play(played[:SECOND], before)
        for start in range(0, SECOND, 160):
            past.hear(heard[start : start + 160])
        found.append(past.share(before + SECOND, before + SECOND))
    assert found[0] == found[1] > 0.5
