"""A docstring's first paragraph and its parameters, in both common styles."""

import pytest

from client_caller.agents.docstring import parameters, summary


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Find a slot.", "Find a slot."),
        ("Find a slot\n  for one person.\n\nMore.", "Find a slot for one person."),
        ("Find.\nArgs:\n    day: x", "Find."),
        ("Find.\n:param day: x", "Find."),
        ("", ""),
        ("Args:\n    day: x", ""),
    ],
)
def test_the_summary_is_the_first_paragraph_on_one_line(text: str, expected: str) -> None:
    """What follows the first blank line, or the first line about a parameter, is not part of it."""
    assert summary(text) == expected


def test_a_section_of_arguments_describes_each_until_it_ends() -> None:
    """Deeper lines go on with a description, blank lines do not end the section, text at the edge does."""
    text = "Do.\n\nArgs:\n    day: The day,\n        ISO.\n\n    people (int): How many.\n\nReturns:\n    text: no.\n"
    assert parameters(text) == {"day": "The day, ISO.", "people": "How many."}


@pytest.mark.parametrize("heading", ["Args", "Arguments", "Parameters"])
def test_a_section_may_have_any_of_its_usual_headings(heading: str) -> None:
    """Each of the three names opens the section."""
    assert parameters(f"Do.\n\n{heading}:\n  day: The day.") == {"day": "The day."}


def test_a_deeper_line_with_a_colon_goes_on_with_the_description_before() -> None:
    """Only the indentation of the first name makes a new name."""
    text = "Do.\n\nArgs:\n    day: One of\n        today: this day\n    people: How many."
    assert parameters(text) == {"day": "One of today: this day", "people": "How many."}


def test_param_lines_describe_with_or_without_a_type() -> None:
    """Sphinx's style: a continuation is indented, other text ends it."""
    text = "Do.\n\n:param day: The day,\n    as ISO.\n:param int people: How many.\n:returns: nothing\n    of use"
    assert parameters(text) == {"day": "The day, as ISO.", "people": "How many."}


def test_text_without_parameters_has_none() -> None:
    """Indented text outside a section is not taken for a description."""
    assert parameters("Do.\n\n    day: not a section") == {}
