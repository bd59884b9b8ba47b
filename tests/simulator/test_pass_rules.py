"""The laws of the pass rules: each holds for the call it describes, and names the first evidence against it."""

from dataclasses import replace
from typing import Any

import pytest

from client_caller.audio.g711 import SILENCE
from client_caller.conversation.history import AgentSaid, CallerSaid
from client_caller.simulator import tones
from client_caller.simulator.difficult import DifficultCaller
from client_caller.simulator.pass_rules import Evidence, PassRule, Uttered, broken_law, title


def rule(given: Any) -> PassRule:
    """A rule as a caller's file has it."""
    return DifficultCaller.model_validate({"name": "x", "about": "y", "steps": [], "passes": [given]}).passes[0]


def played(*spoken: tuple[int, str], seconds: float = 10.0) -> bytes:
    """A far end's audio: words of 200 ms each, from the given milliseconds on."""
    audio = bytearray(SILENCE * int(seconds * 8000))
    for at, text in spoken:
        for number, word in enumerate(text.split()):
            place = (at + number * 250) * 8
            audio[place : place + 1600] = tones.spell(word, 1600)
    return bytes(audio)


SOUND = played((0, "Good morning"), (3000, "Yes, we are"), (5500, "Good bye!"))
CALL = Evidence(
    uttered=(
        Uttered("say", 8 * 1000, 8 * 2000, "is it open"),
        Uttered("backchannel", 8 * 3200, 8 * 3300, "okay"),
        Uttered("interrupt", 8 * 3500, 8 * 5000, "stop now"),
    ),
    played=SOUND,
    agents_words=tones.read(SOUND),
    proven=("Good", "morning", "Yes,", "we", "Good", "bye!"),
    history=(
        AgentSaid(0, 450, "Good morning", "", cut=False),
        CallerSaid(1000, 2000, "is it open"),
        CallerSaid(3200, 3300, "okay", backchannel=True),
        AgentSaid(3000, 3700, "Yes, we", "are", cut=True),
        CallerSaid(3500, 5000, "stop now"),
        AgentSaid(5500, 5950, "Good bye!", "", cut=False),
    ),
    reason="agent_hung_up",
    overlong=False,
)


@pytest.mark.parametrize(
    ("holds", "broken", "against"),
    [
        ({"turns": 2}, {"turns": 1}, "2 turns: 1.00 s 'is it open'; 3.50 s 'stop now'"),
        ({"turns": 2}, {"turns": 3}, "2 turns"),
        ({"backchannels": 1}, {"backchannels": 0}, "1 backchannel: 3.20 s 'okay'"),
        ({"cut": 1}, {"cut": 0}, "1 replies were cut: first at 3.70 s behind 'Yes, we'"),
        ({"caller_says": "Is it open?"}, {"caller_says": "okay"}, "only 'is it open stop now'"),
        ({"agent_says": "we are"}, {"agent_says": "we are not"}, "played 0 times"),
        ({"agent_says": "good", "times": 2}, {"agent_says": "good", "times": 1}, "'good' was played 2 times"),
        ({"agent_says": "no", "times": 0}, {"agent_says": "good", "times": 0}, "played 2 times"),
        ({"last_words": "good bye"}, {"last_words": "we are"}, "words were 'morning Yes, we are Good bye!'"),
        ({"answered_within": 1000}, {"answered_within": 900}, "'is it open' ended at 2.00 s, answer within 1000 ms"),
        ({"silent_within": 200}, {"silent_within": 150}, "cut in at 3.50 s, silent after 200 ms"),
        ({"ends": "agent_hung_up"}, {"ends": "caller_silent"}, "it ended: agent_hung_up"),
    ],
)  # fmt: skip
def test_a_rule_holds_or_names_what_speaks_against_it(holds: Any, broken: Any, against: str) -> None:
    """The same call keeps a rule and breaks a stricter one, and what is said of it is what was measured."""
    assert rule(holds).against(CALL) is None
    assert against in (rule(broken).against(CALL) or "")


def test_a_lost_word_is_shown_where_it_is_missing() -> None:
    """No word of the caller may be missing, changed, added or in another place."""
    assert rule("no_word_lost").against(CALL) is None
    shorter = replace(CALL, history=CALL.history[:-2])
    assert rule("no_word_lost").against(shorter) == (
        "from word 5 the caller said 'stop now', the history says 'nothing more'"
    )


def test_a_last_question_without_an_answer_is_not_overlooked() -> None:
    """Nothing but silence behind the caller's last words breaks the rule, however the call ended."""
    sound = played((0, "Good morning"), (3000, "Yes, we are"))
    unanswered = replace(CALL, played=sound, agents_words=tones.read(sound))
    assert rule({"answered_within": 1000}).against(unanswered) == (
        "'stop now' ended at 5.00 s, no answer within 5000 ms"
    )


def test_a_caller_who_goes_on_waits_for_no_answer() -> None:
    """A pause of the caller's own making is not the agent's."""
    paused = replace(CALL, uttered=(Uttered("say", 8 * 600, 8 * 800, "is it"), *CALL.uttered))
    assert rule({"answered_within": 1000}).against(paused) is None


def test_every_call_keeps_the_laws() -> None:
    """A history that claims a word too much or too few breaks the law, and so does a call that does not end."""
    assert broken_law(CALL) is None
    assert broken_law(replace(CALL, agents_words=CALL.agents_words[:-1])) == (
        "'bye!': the history has it, the far end did not play it"
    )
    assert broken_law(replace(CALL, proven=(*CALL.proven, "sir"))) == (
        "'sir': the far end provably played it, the history does not have it"
    )
    assert "gave up after 10.00 s" in (broken_law(replace(CALL, overlong=True)) or "")


def test_a_rule_is_named_as_it_was_written() -> None:
    """So that it is found in the caller's file."""
    assert title(rule({"agent_says": "one moment", "times": 2})) == "agent_says: one moment, times: 2"
    assert title(rule({"agent_says": "one moment"})) == "agent_says: one moment"
    assert title(rule("no_word_lost")) == "no_word_lost"
    assert title(rule({"cut": 0})) == "cut: 0"
