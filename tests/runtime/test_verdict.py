"""From measurements to verdicts."""

import re

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.conversation.policy import Policy
from client_caller.engines.openai_probe import Capability
from client_caller.runtime.proof import Heard, Spoken, Thought
from client_caller.runtime.verdict import (
    expected_latency,
    of_hearing,
    of_thinking,
    of_voice,
    share_understood,
    worst,
)

TEXT = "one two three four five six"
GOOD = Heard(TEXT, 5, -100.0, 50.0)


def spoken(seconds: float = 2.0, loud: float = 0.3, first: float = 100.0, whole: float = 300.0) -> Spoken:
    samples = loud * np.sin(np.arange(round(seconds * 8000)) * 0.3)
    return Spoken(g711.encode_float(samples.astype(np.float32)), first, whole, 0)


@pytest.mark.parametrize(
    ("measured", "level", "said"),
    [
        (spoken(), "right", ""),
        (spoken(loud=0.0), "wrong", "It is silent"),
        (spoken(seconds=0.0), "wrong", "It is silent"),
        (spoken(seconds=6.0, whole=1000.0), "wrong", "too slowly, 1.0 words a second.*higher rate.*Set sample_rate"),
        (spoken(seconds=1.0), "wrong", "too fast, 6.0 words a second.*lower rate"),
        (spoken(whole=1900.0), "slow", "1.1 s of speech in a second"),
        (spoken(first=900.0, whole=1000.0), "slow", "first sound takes 900 ms"),
    ],
)
def test_the_voice(measured: Spoken, level: str, said: str) -> None:
    """Silence, a rate that is another, a voice slower than speech, a late first sound; and a good voice."""
    found = of_voice(measured, TEXT)
    assert worst(found) == level
    assert [finding for finding in found if re.search(said, finding.what)] == found


@pytest.mark.parametrize(
    ("measured", "level", "said"),
    [
        (GOOD, "right", ""),
        (Heard("", 0, None, 20_000.0), "wrong", "heard nothing"),
        (Heard("won too tree for hive six", 3, 10.0, 50.0), "wrong", "other words.*language.*sample_rate"),
        (Heard(TEXT, 0, 300.0, 300.0), "slow", "transcribes in batches"),
        (Heard(TEXT, 4, 900.0, 950.0), "slow", "final words take 950 ms"),
    ],
)
def test_hearing(measured: Heard, level: str, said: str) -> None:
    """Nothing, other words, words only in batches, words too late; and good ears."""
    found = of_hearing(measured, TEXT)
    assert worst(found) == level
    assert [finding for finding in found if re.search(said, finding.what)] == found


def test_thinking() -> None:
    """Tools that are refused are named with the server's words and vLLM's flags; other abilities are no fault."""
    refused = Capability("tools", False, "It answered 400.")
    (finding,) = of_thinking(Thought("Hi.", 100, 200, (refused, Capability("prefill", False))))
    assert finding.level == "wrong"
    assert "It answered 400." in finding.what
    assert "--enable-auto-tool-choice" in finding.what
    assert of_thinking(Thought("Hi.", 100, 200)) == []
    (finding,) = of_thinking(Thought("Hi.", 2000, 2100))
    assert (finding.level, "2000 ms" in finding.what) == ("slow", True)


def test_what_is_waited_for() -> None:
    """Whichever is later: the end of the turn, or the words, the first clause and its first sound."""
    policy = Policy()
    voice, quick, late = spoken(first=100.0), Thought("x", 10, 20), Thought("x", 200, 400)
    assert expected_latency(policy, True, GOOD, quick, voice) == policy.endpoint_sure + 20
    assert expected_latency(policy, False, GOOD, quick, voice) == policy.endpoint_closed + 20
    assert expected_latency(policy, True, GOOD, late, voice) == policy.speculate_after + 400 + 100 + 20
    batch = Heard(TEXT, 0, 700.0, 700.0)
    asked = policy.finish_transcript_after
    assert expected_latency(policy, True, batch, late, voice) == asked + 700 + 400 + 100 + 20
    assert expected_latency(policy, True, Heard(TEXT, 3, -10.0, 900.0), quick, voice) == asked + 900 + 20


@pytest.mark.parametrize(
    ("said", "heard", "share"),
    [
        ("Please, go on!", "please go on", 1.0),
        ("one two three four", "one two four", 0.75),
        ("one two", "one two three four", 0.5),
        ("one two", "", 0.0),
        ("?", "well", 1.0),
    ],
)
def test_share_understood(said: str, heard: str, share: float) -> None:
    """Words in order, whatever their signs; words too many count against it as words too few do."""
    assert share_understood(said, heard) == pytest.approx(share)
