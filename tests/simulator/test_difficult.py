"""The laws of how difficult callers are written down."""

import pytest
from pydantic import ValidationError

from client_caller.agents.steps import WaitForAgent
from client_caller.simulator.difficult import DifficultCaller, Say, UnknownCaller, load_callers
from client_caller.simulator.pass_rules import Ends, NoWordLost


def test_there_are_at_least_twenty_each_with_rules() -> None:
    """Every file of the package is a caller of its own, in order of names, with at least two rules."""
    callers = load_callers()
    names = [who.name for who in callers]
    assert len(callers) >= 20
    assert names == sorted(set(names))
    assert len({who.about for who in callers}) == len(callers)
    assert all(len(who.passes) >= 2 for who in callers)


def test_one_of_them_can_be_chosen() -> None:
    """By name; a name that nobody has is an error that names the one that was perhaps meant."""
    assert [who.name for who in load_callers("mumbler")] == ["mumbler"]
    with pytest.raises(UnknownCaller, match="did you mean 'mumbler'"):
        load_callers("mumbles")


def test_steps_and_rules_may_be_bare_words() -> None:
    """A step or rule without a value needs no colon."""
    who = DifficultCaller.model_validate(
        {
            "name": "x",
            "about": "y",
            "steps": ["wait_for_agent", {"say": "hello"}],
            "passes": ["no_word_lost", {"ends": "z"}],
        }
    )
    assert who.steps == (WaitForAgent(), Say(text="hello"))
    assert who.passes == (NoWordLost(wanted=True), Ends(reason="z"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"steps": [{"sing": "la"}]}, "not a step of a difficult caller: there is wait_for_agent"),
        ({"passes": [{"likes": "it"}]}, "not a pass rule: there is turns"),
        ({"passes": []}, "at least 1 item"),
        ({"steps": [{"press": "12 34"}]}, "match pattern"),
        ({"voise": "x"}, "did you mean 'voice'"),
    ],
)
def test_a_mistake_says_what_is_allowed(change: dict[str, object], says: str) -> None:
    """An unknown step, rule or key, a call without rules and a key that no telephone has are errors."""
    given = {"name": "x", "about": "y", "steps": [], "passes": ["no_word_lost"], **change}
    with pytest.raises(ValidationError, match=says):
        DifficultCaller.model_validate(given)
