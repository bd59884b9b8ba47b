"""A tool's signature: the JSON schema that a language model sees, and the check of what it sends.

A function is read once, when it becomes a tool. Whatever could go wrong with its signature goes wrong there, with an
error that says what to write, and not in the middle of a call.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails, SchemaError

from client_caller.agents import docstring
from client_caller.engines.protocols import CallContext

MAX_ERRORS = 5
"""A model that gets more wrong than this will not do better for hearing all of it."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What OpenAI's chat completions accept as the name of a function."""
_PREFIX = "argument_"
"""Keeps a parameter called `json` or `model_config` apart from pydantic's own attributes."""


class ArgumentsWrong(Exception):
    """A language model's arguments do not fit. `str(error)` tells it what to send instead."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What is known of a tool from its function."""

    name: str
    description: str
    """The first paragraph of the docstring."""
    model: type[BaseModel]
    """The arguments that the language model gives; one field for each, known by its alias."""
    schema: Mapping[str, Any]
    """JSON schema of the arguments."""
    context: tuple[str, ...]
    """Parameters that take the call's `CallContext`; the language model does not know of them."""

    def parse(self, arguments: str) -> dict[str, Any]:
        """From the JSON object that a model wrote to the function's keyword arguments. Raises `ArgumentsWrong`."""
        try:
            # For a tool without arguments, some models write nothing at all instead of an empty object.
            values = self.model.model_validate_json(arguments.strip() or "{}")
        except ValidationError as error:
            raise ArgumentsWrong(self._explained(error)) from None
        return {name.removeprefix(_PREFIX): getattr(values, name) for name in self.model.model_fields}

    def _explained(self, error: ValidationError) -> str:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        said = [_explained(detail) for detail in details[:MAX_ERRORS]]
        known = ", ".join(str(field.alias) for field in self.model.model_fields.values())
        return "; ".join(said) + f". The arguments of {self.name!r}: {known or 'none'}."


def read(function: Callable[..., Any]) -> Signature:
    """Read a function that is to become a tool.

    Raises `TypeError` when a language model could not be told how to use it; the message says what to write.
    """
    if not (inspect.isfunction(function) or inspect.ismethod(function)):
        raise TypeError(f"{function!r} is not a function: write `def` or `async def` and decorate that.")
    name = function.__name__
    if not _NAME.fullmatch(name):
        raise TypeError(f"{name!r} can't be the name of a tool: use letters, digits and _ only, at most 64.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"Tool {name!r} uses `yield`: a tool returns one result.")
    doc = inspect.getdoc(function) or ""
    description = docstring.summary(doc)
    if not description:
        raise TypeError(f"Tool {name!r} has no docstring: say in its first line what it does and when to use it.")
    hints = _hints(name, function)
    context = tuple(parameter for parameter, hint in hints.items() if hint is CallContext)
    described = docstring.parameters(doc)
    fields = {
        _PREFIX + parameter.name: _field(name, parameter, hints, described)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in context
    }
    model = _model(name, fields)
    return Signature(name, description, model, _schema(name, model), context)


def _hints(name: str, function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(
            f"Tool {name!r}: its annotations name something unknown ({error}). Import it, or define it at the top "
            "level of the module, before the tool."
        ) from error
    hints.pop("return", None)
    for parameter, hint in hints.items():
        if CallContext in get_args(hint):
            raise TypeError(f"Tool {name!r}: write `{parameter}: CallContext` and nothing around it.")
    return hints


def _field(
    tool: str, parameter: inspect.Parameter, hints: Mapping[str, Any], described: Mapping[str, str]
) -> tuple[Any, Any]:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise TypeError(f"Tool {tool!r} has `{parameter}`: name each argument, so that the model knows them.")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"Tool {tool!r}: `{name}` is positional-only: take the `/` out of the signature.")
    if name not in hints:
        raise TypeError(f"Tool {tool!r}: `{name}` has no type: write for instance `{name}: str`.")
    if isinstance(parameter.default, FieldInfo):
        raise TypeError(f"Tool {tool!r}: write `{name}: Annotated[<type>, Field(...)]`, and a plain default after it.")
    default = ... if parameter.default is parameter.empty else parameter.default
    description = _annotated(hints[name]) or described.get(name)
    return hints[name], Field(default, alias=name, description=description)


def _annotated(hint: Any) -> str | None:
    """The description inside `Annotated[..., "text"]` or `Annotated[..., Field(description="text")]`."""
    if get_origin(hint) is not Annotated:
        return None
    extras = get_args(hint)[1:]
    fields = [extra.description for extra in extras if isinstance(extra, FieldInfo) and extra.description]
    return next(iter([*fields, *(extra for extra in extras if isinstance(extra, str))]), None)


def _model(tool: str, fields: Mapping[str, tuple[Any, Any]]) -> type[BaseModel]:
    try:
        model: type[BaseModel] = create_model(  # type: ignore[call-overload]
            tool, __config__=ConfigDict(extra="forbid"), **fields
        )
    except (PydanticUserError, SchemaError, TypeError) as error:
        raise TypeError(f"Tool {tool!r}: an argument can't be checked: {error}") from error
    return model


def _schema(tool: str, model: type[BaseModel]) -> Mapping[str, Any]:
    try:
        schema = model.model_json_schema(schema_generator=_Untitled)
    except PydanticUserError as error:
        raise TypeError(f"Tool {tool!r}: an argument's type has no JSON schema: {error.message}") from error
    del schema["title"]
    return schema


class _Untitled(GenerateJsonSchema):
    """Pydantic repeats each field's name as its title: words that a model would read for nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _explained(detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    message = detail["msg"][:1].lower() + detail["msg"][1:]
    match detail["type"]:
        case "json_invalid":
            return f"the arguments are not valid JSON ({message})"
        case "missing":
            return f"argument {place!r} is missing"
        case "extra_forbidden":
            return f"there is no argument {place!r}"
        case _ if not place:
            return "the arguments have to be one JSON object"
        case _:
            return f"argument {place!r}: {message}"
