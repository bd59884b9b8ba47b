"""When the agent would speak, worked out without a line."""

from dataclasses import replace

import pytest

from client_caller.conversation.policy import Phrases, Policy
from client_caller.simulator.rehearsal import Delays, Script, answer

SPEECH, BREATH, HUSH = (0.9, -20.0), (0.9, -60.0), (0.02, -80.0)
POLICY = Policy()
EAGER = replace(POLICY, stable_partial=0, guesses_in_a_turn=12)
"""Begins a reply on every partial."""


def script(text: str, judge: float | None = None) -> Script:
    """Words of 320 ms each, 128 ms of breath that still sounds like speech, then four seconds of silence."""
    words = text.split()
    ends = [(320 * number, word) for number, word in enumerate(words, start=1)]
    verdict = None if judge is None else (lambda _: judge)
    return Script([SPEECH] * 10 * len(words) + [BREATH] * 4 + [HUSH] * 125, ends, 320 * len(words), verdict)


def heard(said: Script, asked: str = "", delays: Delays | None = None, policy: Policy = POLICY) -> int | None:
    return answer(said, asked, delays or Delays(), policy, Phrases()).after


@pytest.mark.parametrize(
    ("text", "judge", "asked", "silence"),
    [
        ("what does it cost", 0.99, "What else?", POLICY.endpoint_sure),
        ("what does it cost", 0.99, "", POLICY.endpoint_likely),
        ("what does it cost", None, "", POLICY.endpoint_closed),
        ("what does it cost", 0.01, "", POLICY.endpoint_open),
        ("what does it cost and", 0.99, "", POLICY.endpoint_open),
        ("two people", 0.01, "How many are you?", POLICY.endpoint_sure),
    ],
)
def test_the_agent_is_heard_when_the_turn_is_over(text: str, judge: float | None, asked: str, silence: int) -> None:
    """If its reply is there by then; here the engines take no time at all."""
    at_once = Delays(window=0, interim=0, final=0, judgement=0, first_token=0, token=0, first_audio=0)
    assert heard(script(text, judge), asked, at_once) == silence


def test_the_agent_is_heard_when_its_reply_is_there() -> None:
    """Begun at the last word's partial, or once the voice has stopped; the first clause has three words."""
    delays = Delays(interim=40)
    said = script("what does it cost", 0.99)
    needed = delays.interim + delays.first_token + 2 * delays.token + delays.first_audio
    assert heard(said, "What else?", delays, EAGER) == needed
    noticed = delays.window + POLICY.speculate_after
    assert heard(said, "What else?", delays) == needed - delays.interim + noticed


def test_nobody_who_says_nothing_is_answered() -> None:
    """Silence is no turn."""
    assert heard(Script([HUSH] * 100, [], 0, None)) is None


def test_a_long_pause_is_talked_into() -> None:
    """Then the answer comes before the end."""
    pause = [SPEECH] * 40 + [HUSH] * 60 + [SPEECH] * 40 + [HUSH] * 100
    said = Script(pause, [(1280, "yes"), (4480, "please")], 4480, None)
    assert (heard(said, "How are you?") or 0) < 0


def test_what_is_begun_is_counted() -> None:
    """One request where the last word is known when the voice stops; more, begun on partials that were not the last."""
    said = script("what does it cost today", 0.99)
    quick = Delays(interim=40)
    assert answer(said, "What else?", quick, POLICY, Phrases()).requests == 1
    assert answer(said, "What else?", quick, EAGER, Phrases()).requests == 5
