"""A tool's signature: what the model is told, what it may send, and what its author may write."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from client_caller.agents.signature import MAX_ERRORS, ArgumentsWrong, Signature, read
from client_caller.engines.protocols import CallContext


class Guest(BaseModel):
    title: str
    children: int = 0


def book(
    day: date,
    people: Annotated[int, Field(ge=1, le=20, description="How many come.")],
    guest: Guest,
    context: CallContext,
    room: Annotated[Literal["inside", "garden"], "Where to sit."] = "inside",
    json: str = "",
    note: str | None = None,
) -> str:
    """Book a table.

    Only when the caller has agreed.

    Args:
        day: The day.
        people: Not used: the annotation is nearer.
        note: For the kitchen.
    """
    return f"{day} {people} {guest} {context} {room} {json} {note}"


BOOK = read(book)


@pytest.fixture
def signature() -> Signature:
    return BOOK


def test_the_schema_comes_from_annotations_and_docstring(signature: Signature) -> None:
    """Types, bounds, choices, defaults and descriptions all reach the model; the call's context does not."""
    assert (signature.name, signature.description, signature.context) == ("book", "Book a table.", ("context",))
    properties = signature.schema["properties"]
    assert list(properties) == ["day", "people", "guest", "room", "json", "note"]
    assert properties["day"] == {"type": "string", "format": "date", "description": "The day."}
    assert properties["people"] == {"type": "integer", "minimum": 1, "maximum": 20, "description": "How many come."}
    assert properties["room"] == {
        "type": "string", "enum": ["inside", "garden"], "default": "inside", "description": "Where to sit.",
    }  # fmt: skip
    assert properties["note"]["description"] == "For the kitchen."
    assert signature.schema["required"] == ["day", "people", "guest"]
    assert signature.schema["additionalProperties"] is False


def test_no_field_says_its_name_twice(signature: Signature) -> None:
    """Titles are left out, but a property that is called `title` is a property like any other."""
    guest = signature.schema["$defs"]["Guest"]["properties"]
    assert guest["title"] == {"type": "string"}
    assert "title" not in signature.schema


def test_arguments_become_what_the_annotations_say(signature: Signature) -> None:
    """Values have the annotated types, and what the model left out has its default."""
    values = signature.parse('{"day": "2026-03-01", "people": "4", "guest": {"title": "Dr"}, "json": "x"}')
    assert values == {
        "day": date(2026, 3, 1), "people": 4, "guest": Guest(title="Dr"), "room": "inside", "json": "x", "note": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("{", "not valid JSON"),
        ("[1]", "one JSON object"),
        ("null", "one JSON object"),
        ("", "argument 'day' is missing"),
        ('{"day": "soon", "people": 2, "guest": {"title": "Dr"}}', "argument 'day': input should be a valid date"),
        ('{"day": "2026-03-01", "people": 0, "guest": {"title": "Dr"}}', "argument 'people': input should be greater"),
        ('{"day": "2026-03-01", "people": 2, "guest": {}}', "argument 'guest.title' is missing"),
        ('{"when": 1}', "there is no argument 'when'"),
    ],
)
def test_wrong_arguments_are_told_in_words_a_model_can_use(signature: Signature, arguments: str, said: str) -> None:
    """The error names the argument, what is wrong with it, and all the arguments there are."""
    with pytest.raises(ArgumentsWrong) as caught:
        signature.parse(arguments)
    assert said in str(caught.value)
    assert str(caught.value).endswith("The arguments of 'book': day, people, guest, room, json, note.")


def test_an_explanation_stays_short(signature: Signature) -> None:
    """However much is wrong, no more than the first few are told."""
    with pytest.raises(ArgumentsWrong) as caught:
        signature.parse(json.dumps({f"wrong{number}": 1 for number in range(100)}))
    assert str(caught.value).count(";") == MAX_ERRORS - 1


def test_a_tool_without_arguments_takes_nothing_or_an_empty_object() -> None:
    """Both are seen from real models; anything else is an error that says so."""

    def now() -> str:
        """Tell the time."""
        return ""

    signature = read(now)
    assert signature.schema == {"type": "object", "properties": {}, "additionalProperties": False}
    assert signature.parse("") == signature.parse(" {} ") == {}
    with pytest.raises(ArgumentsWrong, match="The arguments of 'now': none"):
        signature.parse('{"zone": "UTC"}')


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.text(max_size=60) | JSON_VALUES.map(json.dumps))
def test_no_arguments_whatever_do_more_than_be_refused(arguments: str) -> None:
    """Parsing either gives every parameter or raises `ArgumentsWrong`: nothing else comes out of it."""
    try:
        values = BOOK.parse(arguments)
    except ArgumentsWrong:
        return
    assert set(values) == {"day", "people", "guest", "room", "json", "note"}


@settings(deadline=None)
@given(
    day=st.dates(),
    people=st.integers(1, 20),
    title=st.text(st.characters(exclude_categories=["Cs"])),
    room=st.sampled_from(["inside", "garden"]),
)
def test_arguments_that_fit_arrive_unchanged(day: date, people: int, title: str, room: Any) -> None:
    """What a model sends in the terms of the schema is what the function is given."""
    sent = {"day": day.isoformat(), "people": people, "guest": {"title": title}, "room": room}
    values = BOOK.parse(json.dumps(sent))
    assert (values["day"], values["people"], values["guest"].title, values["room"]) == (day, people, title, room)


@settings(deadline=None)
@given(people=st.integers().filter(lambda people: not 1 <= people <= 20))
def test_bounds_hold_for_every_number(people: int) -> None:
    """No value outside the annotated bounds reaches the function."""
    with pytest.raises(ArgumentsWrong, match="argument 'people'"):
        BOOK.parse(json.dumps({"day": "2026-03-01", "people": people, "guest": {"title": ""}}))


def any_number(*numbers: int) -> None:
    """Add."""


def any_name(**names: int) -> None:
    """Add."""


def positional(number: int, /) -> None:
    """Add."""


def untyped(number) -> None:  # type: ignore[no-untyped-def]
    """Add."""


def undocumented(number: int) -> None: ...


def only_arguments(number: int) -> None:
    """
    Args:
        number: A number.
    """


def generator() -> Iterator[int]:
    """Count."""
    yield 1


def unknown(day: "Dya") -> None:  # type: ignore[name-defined] # noqa: F821
    """Find."""


def optional_context(call: CallContext | None = None) -> None:
    """Find."""


def field_as_default(day: str = Field(description="The day.")) -> None:
    """Find."""


def no_schema(day: Callable[[], int]) -> None:
    """Find."""


class Opaque:
    """A type that pydantic does not know."""


def opaque(thing: Opaque) -> None:
    """Find."""


def impossible(day: Annotated[str, Field(pattern="(")]) -> None:
    """Find."""


def grüße() -> None:
    """Greet."""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (any_number, r"`\*numbers: int`: name each argument"),
        (any_name, r"`\*\*names: int`: name each argument"),
        (positional, "take the `/` out"),
        (untyped, "write for instance `number: str`"),
        (undocumented, "has no docstring: say in its first line"),
        (only_arguments, "has no docstring"),
        (generator, "a tool returns one result"),
        (unknown, r"'Dya' is not defined.*Import it"),
        (optional_context, "write `call: CallContext` and nothing around it"),
        (field_as_default, r"write `day: Annotated\[<type>, Field\(...\)\]`"),
        (no_schema, "has no JSON schema"),
        (opaque, "can't be checked"),
        (impossible, "can't be checked"),
        (grüße, "letters, digits and _ only"),
        (lambda: None, "letters, digits and _ only"),
        (partial(book, people=1), "is not a function"),
        (Opaque, "is not a function"),
        (len, "is not a function"),
    ],
)
def test_a_signature_that_a_model_could_not_be_told_is_refused_at_once(function: Callable[..., Any], said: str) -> None:
    """The error comes when the function becomes a tool, and says what to write."""
    with pytest.raises(TypeError, match=said):
        read(function)


def test_a_method_is_a_tool_without_its_self() -> None:
    """A bound method is as good as a function."""

    class Diary:
        def add(self, line: str) -> str:
            """Write a line."""
            return line

    assert list(read(Diary().add).schema["properties"]) == ["line"]
