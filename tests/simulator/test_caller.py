"""The laws of a simulated caller: it acts on sound alone, at exact times."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from pydantic import TypeAdapter

from client_caller.agents.steps import CallerStep
from client_caller.audio import g711
from client_caller.engines.protocols import CallContext
from client_caller.simulator import tones
from client_caller.simulator.caller import Caller, labelled, rehearse
from client_caller.simulator.engines import ToneSpeech
from client_caller.simulator.virtual_time import run_virtual

QUIET = b"\xff" * 160
TALK = g711.encode(np.tile(np.array([3000, -3000], np.int16), 80))
steps_of = TypeAdapter(list[CallerStep]).validate_python


def live(caller: Caller, agent: Callable[[int], bool], frames: int) -> list[bytes]:
    """What the caller says in each 20 ms, while the agent talks in those for which `agent` says so."""
    said: list[bytes] = []
    for beat in range(frames):
        frame = caller.live(TALK if agent(beat) else QUIET)
        if frame is None:
            break
        said.append(frame)
    return said


def spoken(said: list[bytes]) -> list[tuple[int, str]]:
    """Each word the caller said, with the frame in which it began."""
    return [(one.start // 160, one.word) for one in tones.read(b"".join(said))]


def caller_with(*steps: object) -> Caller:
    caller = Caller()
    validated = steps_of(list(steps))
    clips = run_virtual(rehearse(validated, ToneSpeech(), CallContext("call")))
    return caller.play(caller.steps(validated, clips))


def test_it_waits_until_the_agent_has_talked_and_gone_quiet() -> None:
    """Silence before the agent's first sound is no end of it; a short pause between words is none either."""
    caller = caller_with({"wait_for_agent": 400}, {"say": "yes"}, {"hang_up_after": 200})

    def agent(beat: int) -> bool:
        return 50 <= beat < 80 or 90 <= beat < 100

    said = live(caller, agent, 1000)
    assert spoken(said) == [(100 + 400 // 20 - 1, "yes")]
    (yes,) = caller.said
    assert (yes.at // 160, yes.text, yes.interrupts) == (119, "yes", False)
    clip_frames = -(-yes.samples // 160)
    assert len(said) == 119 + clip_frames + 10


def test_it_interrupts_only_while_the_agent_talks() -> None:
    """The first talk is too short to be interrupted; the second is, after so many words of it."""
    caller = caller_with({"interrupt": "stop", "after_words": 2}, {"hang_up_after": 0})

    def agent(beat: int) -> bool:
        return 10 <= beat < 20 or beat >= 100

    said = live(caller, agent, 1000)
    (stop,) = caller.said
    talked_before = 10 + 240 // 20  # its pause counts for as long as it may still be one between words
    assert stop.at // 160 == 100 + (2 * 350 - talked_before * 20) // 20 - 1
    assert spoken(said) == [(stop.at // 160, "stop")]
    assert stop.interrupts


def test_a_backchannel_does_not_make_it_wait_for_new_words() -> None:
    """After "mm hm" the caller waits for the end of what the agent is saying, not for something new."""
    caller = caller_with({"backchannel": "mm", "after_words": 1}, {"wait_for_agent": 300}, {"say": "so"})
    said = live(caller, lambda beat: beat < 30, 200)
    assert [word for _, word in spoken(said)] == ["mm", "so"]
    assert spoken(said)[1][0] < 60


def test_without_a_last_step_it_stays_on_the_line() -> None:
    """A caller who is not told to hang up leaves that to the agent."""
    caller = caller_with({"silence": 100}, {"say": "so"})
    said = live(caller, lambda beat: False, 500)
    assert len(said) == 500
    assert spoken(said)[0] == (5, "so")


def test_a_recording_is_said_whole_and_then_it_leaves() -> None:
    """The greeting is heard out, the recording follows sample for sample, and three quiet seconds end the call."""
    clip = np.random.default_rng(1).integers(0, 255, 4321).astype(np.uint8).tobytes()
    caller = Caller()
    caller.play(caller.recording(clip))

    def agent(beat: int) -> bool:
        return beat < 20 or 100 <= beat < 120

    said = live(caller, agent, 2000)
    (one,) = caller.said
    audio = b"".join(said)
    assert one.at == (20 + 700 // 20 - 1) * 160
    assert audio[one.at : one.at + one.samples] == clip
    assert set(audio[: one.at] + audio[one.at + one.samples :]) == {0xFF}
    assert len(said) == 120 + 3000 // 20 - 1


def test_noise_lies_under_everything() -> None:
    """The bed repeats without a seam, adds to what is said, and never wraps around at full scale."""
    noise = g711.encode(np.linspace(-1000, 1000, 333).astype(np.int16))
    caller = Caller(noise)
    loud = g711.encode(np.full(480, 32_000, np.int16))
    caller.play(caller.say(loud))
    with_speech = g711.decode(b"".join(live(caller, lambda beat: False, 10)))
    assert with_speech.min() > 30_000
    silent = Caller(noise)
    silent.play(silent.stay())
    bed = b"".join(live(silent, lambda beat: False, 30))
    assert all(np.array_equal(a, b) for a, b in pairwise(np.frombuffer(bed[: 333 * 12], np.uint8).reshape(-1, 333)))


def test_labels_tell_the_words_and_leave_the_rest() -> None:
    """A labelled clip is as long as before, holds its words in order, and differs only in their few milliseconds."""
    clip = g711.encode(np.random.default_rng(1).integers(-3000, 3000, 8000).astype(np.int16))
    audio = labelled(clip, "good morning to you")
    assert [one.word for one in tones.read(audio)] == ["good", "morning", "to", "you"]
    assert len(audio) == len(clip)
    changed = sum(a != b for a, b in zip(audio, clip, strict=True))
    assert changed <= sum(len(tones.spell(word)) for word in ("good", "morning", "to", "you"))
    assert tones.read(audio)[-1].end == len(clip)
    with pytest.raises(ValueError, match="too short"):
        labelled(clip[:50], "good morning to you")
