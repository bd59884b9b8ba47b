"""The laws of hearing many calls at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.audio.silero import CONTEXT, STATE, WINDOW, Silero
from client_caller.audio.voices import BACKLOG, WINDOWS_PER_RUN, Heard, Voice, VoiceBatch

Scores = list[tuple[int, float]]

SPEECH = ("utt/u14_go_forward.flac", "utt/u16_numbers.flac", "utt/u20_not_so_sure.flac", "utt/u26_express.flac")


@pytest.fixture
def batch(silero_path: Path) -> VoiceBatch:
    return VoiceBatch(silero_path)


@pytest.fixture(scope="module")
def calls(shared_audio: Callable[[str], bytes]) -> list[bytes]:
    """Eight different calls of 5 s: speech that starts after different silences, over a little noise."""
    random = np.random.default_rng(3)
    audio = []
    for number in range(8):
        speech = g711.decode_float(shared_audio(SPEECH[number % len(SPEECH)]))
        line = random.normal(0, 0.001, 5 * g711.SAMPLE_RATE).astype(np.float32)
        start = 3000 + 1700 * number
        speech = speech[: len(line) - start]
        line[start : start + len(speech)] += speech
        audio.append(g711.encode_float(line))
    return audio


def frames(mulaw: bytes, size: int = g711.FRAME) -> Iterator[bytes]:
    return (mulaw[start : start + size] for start in range(0, len(mulaw), size))


def drain(batch: VoiceBatch) -> list[Heard]:
    """Run until nothing is waiting."""
    heard: list[Heard] = []
    while more := batch.run():
        heard += more
    return heard


def scores_of(heard: list[Heard], voice: Voice) -> Scores:
    return [(one.samples_through, one.probability) for one in heard if one.voice is voice]


def alone(silero_path: Path, mulaw: bytes) -> Scores:
    """What a call is scored when it is the only one and arrives as on a live line."""
    batch = VoiceBatch(silero_path)
    voice = batch.join()
    heard: list[Heard] = []
    for frame in frames(mulaw):
        voice.feed(frame)
        heard += batch.run()
    return scores_of(heard, voice)


def same(first: Scores, second: Scores) -> bool:
    ends = [end for end, _ in first] == [end for end, _ in second]
    return ends and np.allclose([p for _, p in first], [p for _, p in second], rtol=0, atol=1e-5)


def test_scores_are_the_models_own(silero_path: Path, calls: list[bytes]) -> None:
    """Until the state is first cleared, scores are those of the plain model run window by window with its context."""
    silero = Silero(silero_path)
    samples = np.concatenate([np.zeros(CONTEXT, np.float32), g711.decode_float(calls[0])])
    state = np.zeros((2, 1, STATE), np.float32)
    plain: Scores = []
    for number in range(60):
        window = samples[number * WINDOW : number * WINDOW + CONTEXT + WINDOW]
        probability, state = silero.run(window[None, :], state)
        plain.append(((number + 1) * WINDOW, float(probability[0])))
    assert max(p for _, p in plain) > 0.9 > 0.1 > min(p for _, p in plain)
    assert same(alone(silero_path, calls[0])[:60], plain)


def test_a_voice_is_heard_alike_alone_and_among_others(silero_path: Path, calls: list[bytes]) -> None:
    """A call's scores do not depend on who else is on the line, nor on when they joined and left."""
    batch = VoiceBatch(silero_path)
    voices = [batch.join() for _ in calls]
    passers = [batch.join() for _ in range(30)]
    heard: list[Heard] = []
    for tick, arriving in enumerate(zip(*map(frames, calls), strict=True)):
        for voice, frame in zip(voices, arriving, strict=True):
            voice.feed(frame)
        passers[tick % 30].leave()
        passers[tick % 30] = batch.join()
        passers[tick % 30].feed(arriving[tick % 8] * 2)
        heard += batch.run()
    for voice, mulaw in zip(voices, calls, strict=True):
        assert same(scores_of(heard, voice), alone(silero_path, mulaw))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 4000])
def test_how_audio_is_cut_and_when_runs_come_changes_nothing(silero_path: Path, calls: list[bytes], size: int) -> None:
    """Any pieces, and a run only after every 4,000 samples at the latest, give the scores of a live line."""
    batch = VoiceBatch(silero_path)
    voice = batch.join()
    heard: list[Heard] = []
    since = 0
    for piece in frames(calls[0], size):
        voice.feed(piece)
        since += len(piece)
        if since >= 4000:
            heard += drain(batch)
            since = 0
    assert same(scores_of(heard + drain(batch), voice), alone(silero_path, calls[0]))
    assert batch.dropped == 0


@pytest.mark.parametrize("late", [0, 1])
def test_a_backlog_is_worked_off_in_turns(batch: VoiceBatch, calls: list[bytes], late: int) -> None:
    """A run takes at most two windows of a call, in order, so another call's single window is not kept waiting."""
    voices = [batch.join(), batch.join()]
    voices[late].feed(calls[0][: 5 * WINDOW])
    voices[1 - late].feed(calls[1][:WINDOW])
    runs = []
    for _ in range(4):
        heard = batch.run()
        ends = [[one.samples_through // WINDOW for one in heard if one.voice is voice] for voice in voices]
        runs.append((ends[late], ends[1 - late]))
    assert WINDOWS_PER_RUN == 2
    assert runs == [([1, 2], [1]), ([3, 4], []), ([5], []), ([], [])]


def test_too_much_waiting_drops_the_oldest_and_counts_it(silero_path: Path, calls: list[bytes]) -> None:
    """Beyond the backlog whole windows go, oldest first; what is left is still placed where it was in the call."""
    batch = VoiceBatch(silero_path)
    voice, other = batch.join(), batch.join()
    for frame in frames(calls[0][: BACKLOG + 2 * WINDOW + 100]):
        voice.feed(frame)
    other.feed(calls[1][:WINDOW])
    assert batch.dropped == 3 * WINDOW, "2 windows and 100 samples too many: three windows go"
    ends = [end for end, _ in scores_of(drain(batch), voice)]
    assert ends == list(range(4 * WINDOW, BACKLOG + 2 * WINDOW + 1, WINDOW))
    voice.feed(calls[0])
    assert [end for end, _ in scores_of(drain(batch), voice)][-1] == (BACKLOG + 2 * WINDOW + 100 + 40000) // 256 * 256


def test_a_window_after_a_drop_keeps_its_true_context(silero_path: Path, calls: list[bytes]) -> None:
    """The 32 samples before the first window left are those that came before it, dropped or not."""
    batch = VoiceBatch(silero_path)
    voice = batch.join()
    voice.feed(calls[0][: BACKLOG + 20 * WINDOW])
    window = g711.decode_float(calls[0])[None, 20 * WINDOW - CONTEXT : 21 * WINDOW]
    expected, _ = Silero(silero_path).run(window, np.zeros((2, 1, STATE), np.float32))
    assert batch.run()[0].probability == pytest.approx(float(expected[0]), abs=1e-6)


def test_a_place_is_used_again_and_starts_afresh(batch: VoiceBatch, silero_path: Path, calls: list[bytes]) -> None:
    """Calls that come and go take no more room than the most at once, and inherit nothing from those before."""
    for number in range(50):
        voices = [batch.join() for _ in range(3)]
        for voice in voices:
            voice.feed(calls[number % 8][4000 : 4000 + BACKLOG])
        heard = drain(batch)
        if number % 10 == 0:
            expected = alone(silero_path, calls[number % 8][4000 : 4000 + BACKLOG])
            assert all(same(scores_of(heard, voice), expected) for voice in voices)
        for voice in voices:
            voice.leave()
            voice.leave()
    assert len(batch) == 0
    assert batch._state.shape == (2, 16, STATE)


def test_calls_move_freely_while_a_batch_is_under_way(silero_path: Path, calls: list[bytes]) -> None:
    """Leaving, joining and feeding between the parts of a run neither loses nor mixes up anything."""
    batch = VoiceBatch(silero_path)
    stays, leaves = batch.join(), batch.join()
    heard: list[Heard] = []
    newcomers: list[Voice] = []
    with ThreadPoolExecutor(1) as worker:
        for number, frame in enumerate(frames(calls[0], 400)):
            stays.feed(frame)
            leaves.feed(frame)
            work = batch.gather()
            if work is None:
                continue
            scores = worker.submit(batch.infer, work)
            leaves.leave()
            leaves.feed(frame)
            newcomers.append(leaves := batch.join())
            leaves.feed(calls[number % 8][:100])
            heard += batch.scatter(work, scores.result())
    assert same(scores_of(heard, stays), alone(silero_path, calls[0][: len(calls[0]) // 400 * 400]))
    for voice in newcomers[:-1]:
        assert scores_of(heard, voice) == [], "each left while its only window was under way"
    assert batch.dropped == 0


def test_a_call_that_has_left_takes_nothing_more(batch: VoiceBatch, calls: list[bytes]) -> None:
    """Audio that still comes for it is neither kept nor counted as dropped."""
    voice = batch.join()
    voice.leave()
    for _ in range(3):
        voice.feed(calls[0][:BACKLOG])
    assert batch.run() == []
    assert batch.dropped == 0


def test_a_batch_from_which_all_have_left_gives_nothing(batch: VoiceBatch, calls: list[bytes]) -> None:
    """Scores for nobody are dropped."""
    voice = batch.join()
    voice.feed(calls[0][:WINDOW])
    work = batch.gather()
    assert work is not None
    voice.leave()
    assert batch.scatter(work, batch.infer(work)) == []
    assert batch.gather() is None
    assert batch.run() == []


def test_only_the_latest_batch_can_be_scattered(batch: VoiceBatch, calls: list[bytes]) -> None:
    """An abandoned batch, or one already given out, is refused rather than written over newer states."""
    voice = batch.join()
    voice.feed(calls[0][: 4 * WINDOW])
    abandoned, latest = batch.gather(), batch.gather()
    assert abandoned is not None
    assert latest is not None
    with pytest.raises(ValueError, match="last gather"):
        batch.scatter(abandoned, batch.infer(abandoned))
    assert len(batch.scatter(latest, batch.infer(latest))) == 2
    with pytest.raises(ValueError, match="last gather"):
        batch.scatter(latest, batch.infer(latest))


def test_the_level_is_that_of_the_window_alone(batch: VoiceBatch) -> None:
    """Root mean square in dBFS of the window's own 256 samples, for each call, whoever else is in the run."""
    quiet, loud = batch.join(), batch.join()
    quiet.feed(g711.SILENCE * WINDOW)
    loud.feed(g711.encode_float(np.full(WINDOW, 0.5, np.float32)) + g711.SILENCE * WINDOW)
    levels = [(one.voice, one.level) for one in drain(batch)]
    assert [level for voice, level in levels if voice is quiet] == [pytest.approx(-100)]
    assert [level for voice, level in levels if voice is loud] == [pytest.approx(-6, abs=0.3), pytest.approx(-100)]
