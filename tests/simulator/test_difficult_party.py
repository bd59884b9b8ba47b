"""The laws of a difficult caller who has come alive: what is on the line is what the file says."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.engines.protocols import CallContext, Speech, WordTime
from client_caller.simulator import difficult_party, tones
from client_caller.simulator.difficult import DifficultCaller
from client_caller.simulator.difficult_party import Clip, DifficultParty, rehearse
from client_caller.simulator.virtual_time import run_virtual

QUIET = g711.SILENCE * g711.FRAME
WORD = 1600
"""Samples of each word of the voice, and of the silence before the first and behind the last."""


class Beeping:
    """A voice that beeps once a word, between two silences."""

    async def speak(self, context: CallContext, text: str) -> AsyncIterator[Speech]:
        count = len(text.split())
        beep = g711.encode((6000 * np.sign(np.sin(np.arange(WORD * count) * 0.5))).astype(np.int16))
        silence = g711.SILENCE * WORD
        yield Speech(silence + beep + silence, tuple(WordTime(n, WORD * (n + 2)) for n in range(count)))

    async def close(self) -> None: ...


def make(steps: list[Any], **more: Any) -> tuple[DifficultParty, tuple[Clip, ...], list[str]]:
    who = DifficultCaller.model_validate(
        {"name": "x", "about": "y", "steps": steps, "passes": ["no_word_lost"], **more}
    )
    clips = run_virtual(rehearse(who, Beeping()))
    keys: list[str] = []
    return DifficultParty(who, clips, keys.append), clips, keys


def live(party: DifficultParty, frames: int, heard: bytes = QUIET) -> bytes:
    """So many frames of a caller's life; fewer if they hang up."""
    said = b""
    for _ in range(frames):
        frame = party.live(heard)
        if frame is None:
            break
        said += frame
    return said


def level(mulaw: bytes) -> float:
    samples = g711.decode_float(mulaw)
    return 20 * float(np.log10(np.sqrt(np.mean(samples * samples)) + 1e-9))


def test_pauses_are_as_long_as_written() -> None:
    """The silence in which a voice packs its words is not part of a clip; its words can be read from the line."""
    party, _, _ = make([{"say": "one two"}, {"silence": 900}, {"say": "three"}, {"hang_up_after": 0}])
    words = tones.read(live(party, 200))
    assert [one.word for one in words] == ["one", "two", "three"]
    assert words[2].end - WORD - words[1].end == pytest.approx(900 * 8, abs=g711.FRAME)
    assert [(one.purpose, one.text) for one in party.uttered] == [("say", "one two"), ("say", "three")]
    assert party.uttered[0].ends - party.uttered[0].begins == pytest.approx(2 * WORD, abs=2)


def test_who_breaks_off_loses_the_word() -> None:
    """Only the words that came to their end were said."""
    party, (clip, *_), _ = make([{"say": "one two three", "until": 500}, {"hang_up_after": 0}])
    assert clip.text == "one two"
    assert len(live(party, 100)) == 500 * 8


def test_a_mumble_has_sound_and_no_words() -> None:
    """Speech to text gets nothing from it; for voice activity it is as loud as speech."""
    _, (mumble, said, _), _ = make([{"mumble": "one two"}, {"say": "one two"}, {"hang_up_after": 0}])
    assert mumble.text == ""
    assert level(mumble.mulaw) == pytest.approx(level(said.mulaw), abs=1)


def test_coughs_come_one_by_one() -> None:
    """As many as asked for, with a breath between them, and no words."""
    _, (once, thrice), _ = make([{"cough": 1}, {"cough": 3}])
    assert thrice.mulaw == once.mulaw * 3
    assert once.mulaw.endswith(g711.SILENCE * (difficult_party.BREATH * 8))
    assert thrice.text == ""


def test_the_gain_changes_the_voice_and_not_its_words() -> None:
    """A voice from far away is quieter by what was asked for; a shouting one clips."""
    _, (usual,), _ = make([{"mumble": "one two"}])
    _, (far, words), _ = make([{"mumble": "one two"}, {"say": "one two"}], gain=-20)
    _, (shout,), _ = make([{"mumble": "one two"}], gain=30)
    assert level(usual.mulaw) - level(far.mulaw) == pytest.approx(20, abs=1)
    assert words.text == "one two"
    assert level(shout.mulaw) == pytest.approx(0, abs=0.5)


def test_the_street_is_there_all_the_time() -> None:
    """Its level is the one asked for, between the words too, and the words can still be read."""
    party, _, _ = make([{"silence": 10_000}, {"say": "one two"}, {"hang_up_after": 0}], noise=-30)
    said = live(party, 1000)
    assert level(said[: 8 * 10_000]) == pytest.approx(-30, abs=0.5)
    assert [one.word for one in tones.read(said)] == ["one", "two"]


def test_an_echo_is_what_was_heard_later_and_quieter() -> None:
    """And nothing of it while the caller speaks."""
    party, _, _ = make([{"silence": 400}, {"say": "one"}, {"hang_up_after": 0}], echo={"level": -20, "delay": 160})
    heard = g711.encode(np.full(g711.FRAME, 8000, np.int16))
    said = live(party, 30, heard)
    assert said[: 8 * 160] == g711.SILENCE * 8 * 160
    assert level(said[8 * 160 : 8 * 400]) == pytest.approx(level(heard) - 20, abs=0.5)
    assert [one.word for one in tones.read(said)] == ["one"]


def test_keys_are_pressed_one_by_one() -> None:
    """Each at its own time, in the order written."""
    party, _, keys = make([{"press": "12#"}, {"hang_up_after": 0}])
    live(party, 1)
    assert keys == ["1"]
    live(party, difficult_party.KEYS_EVERY // 20)
    assert keys == ["1", "2"]
    live(party, 100)
    assert keys == ["1", "2", "#"]


def test_who_cuts_in_waits_until_the_agent_talks() -> None:
    """An interruption begins only after so many words' time of the agent."""
    party, _, _ = make([{"interrupt": "one", "after_words": 2}, {"hang_up_after": 0}])
    assert live(party, 50) == QUIET * 50
    live(party, 100, g711.encode(np.full(g711.FRAME, 8000, np.int16)))
    assert [(one.purpose, one.text) for one in party.uttered] == [("interrupt", "one")]
    assert party.uttered[0].begins == pytest.approx((50 * 20 + 700) * 8, abs=2 * g711.FRAME)


def test_nobody_stays_for_ever() -> None:
    """A caller whom the agent never lets go hangs up in the end, and the call is known to be overlong."""
    party, _, _ = make([])
    frames = len(live(party, 10_000)) // g711.FRAME
    assert frames * 20 == pytest.approx(difficult_party.LONGEST, abs=20)
    assert party.overlong
