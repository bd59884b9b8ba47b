"""A script as a file: what is read, and what an error says."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_caller.agents.script import Script
from client_caller.agents.script_file import ScriptError, load_script, parse_script


def reason(text: str) -> str:
    with pytest.raises(ScriptError) as caught:
        parse_script(text, "s.yaml")
    return str(caught.value)


def test_a_file_is_read(in_bakery: Path, bakery: Script) -> None:
    """As UTF-8, whatever the machine's own encoding."""
    assert load_script(in_bakery / "bakery.yaml") == bakery


def test_plain_words_stay_words(bakery: Script) -> None:
    """`yes` is a state and `7:30` a time of day; only true, false, numbers and nothing are not text."""
    rule = bakery.states["kind"][0]
    assert rule.then == "yes"
    assert rule.tool is not None
    assert rule.tool.arguments == {"kind": "brown", "at": "7:30"}
    text = "greeting: on\nstart: a\notherwise: [no]\nstates: {a: [{hears: off, says: x, tool: {name: t, arguments: "
    script = parse_script(text + "{a: 1, b: -2.5, c: true, d: null, e: ~, f: 1e3, g: 2026-01-01}}}]}\n", "s.yaml")
    tool = script.states["a"][0].tool
    assert (script.greeting, script.otherwise, script.states["a"][0].hears) == ("on", ("no",), ("off",))
    assert tool is not None
    assert tool.arguments == {"a": 1, "b": -2.5, "c": True, "d": None, "e": None, "f": "1e3", "g": "2026-01-01"}


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    """With its name."""
    with pytest.raises(ScriptError, match=r"none\.yaml: can't be read as text"):
        load_script(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"greeting: gr\xfc\xdfe")
    with pytest.raises(ScriptError, match=r"latin\.yaml: can't be read as text"):
        load_script(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "then: kind",
            "then: kinds",
            "s.yaml:2: states.order[0].then: there is no state 'kinds': did you mean 'kind'?",
        ),
        ("start: order", "start: shop", "s.yaml:2: `start`: there is no state 'shop': there is: kind, order, yes"),
        ("says: We have none.", "say: We have none.", "s.yaml:10: states.order[1]: unknown key 'say': did you mean"),
        ("      says: We have none.\n", "", "s.yaml:10: states.order[1]: 'says' is missing"),
        ("end: true", "end: maybe", "s.yaml:22: anywhere[0].end: Input should be a valid boolean"),
        ("hears: water", "hears: []", "s.yaml:10: states.order[1].hears: Value should have at least 1 item"),
        ("hears: water", "hears: [water, 3]", "s.yaml:10: states.order[1].hears[1]: Input should be a valid string"),
        ("hears: water", "hears: '…'", "s.yaml:10: states.order[1].hears: there are no words in it"),
        ("hears: water\n      says: We", "We", "s.yaml:10: states.order[1]: Input should be a valid dictionary"),
        ("We have none.", "For {price}.", "s.yaml:10: states.order[1]: `says` names {price}, but there is no `tool`"),
        ("wait_for_agent", "wait", "s.yaml:26: caller[0]: not a step of a caller: there is wait_for_agent, say,"),
        ("after_words: 6", "after_words: -6", "s.yaml:29: caller[2].after_words: Input should be greater"),
        ("after_words: 6", "after_word: 6", "s.yaml:28: caller[2]: unknown key 'after_word': did you mean"),
        ("greeting:", "greetings:", "s.yaml:2: unknown key 'greetings': did you mean 'greeting'?"),
        ("  kind:\n", "  order:\n", "s.yaml:12: 'order' is here for the second time."),
        ("end: true", "end: true\n    end: true", "s.yaml:23: 'end' is here for the second time."),
        ("name: bakery", "name: [bakery", "s.yaml:3: not YAML: expected ',' or ']'"),
        ("bakery\n", "\x00\n", "s.yaml: not YAML: "),
        ("name: bakery", "name: &name [*name]", "s.yaml:2: not YAML for a script: &, * and ! can't be used."),
        ("name: bakery", "name: !!int bakery", "s.yaml:2: not YAML for a script: &, * and ! can't be used."),
        ("name: bakery", "name: " + "[" * 600 + "]" * 600, "s.yaml: not YAML: "),
    ],
)
def test_an_error_names_the_line_the_part_and_what_is_allowed(bakery_text: str, old: str, new: str, said: str) -> None:
    """Whatever is wrong: one line of text that leads to it."""
    assert old in bakery_text
    assert reason(bakery_text.replace(old, new, 1)).startswith(said)


def test_all_errors_are_told_at_once() -> None:
    """One line for each."""
    assert reason("greeting: Hello\nstart: a\nstates: {a: [{hears: b}]}\n").splitlines() == [
        "s.yaml:3: states.a[0]: 'says' is missing",
        "s.yaml:1: 'otherwise' is missing",
    ]


@pytest.mark.parametrize("text", ["", "just words", "- a list"])
def test_a_script_is_a_mapping(text: str) -> None:
    """The error says how one begins."""
    assert reason(text) == "s.yaml: a script is a mapping that begins with `greeting: …`."


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("a1:-[]{}\"'#&*!|>%@ \n\tgreeting"), max_size=60))
def test_no_file_whatever_does_more_than_be_refused(text: str) -> None:
    """Any text gives a script or a `ScriptError` that begins with the file's name."""
    assert reason(text).startswith("s.yaml:")
