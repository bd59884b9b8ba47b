"""What every part of a script has in common."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator
from pydantic_core import PydanticCustomError


def nearest(name: str, known: Iterable[str]) -> str:
    """For an error about an unknown name: the one that was perhaps meant, or else all there are."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there is: {', '.join(known) or 'none'}"


def _one_line(text: Any) -> Any:
    return " ".join(text.split()) if isinstance(text, str) else text


def _with_words(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise PydanticCustomError("no_words", "there are no words in it")
    return text


Line = Annotated[str, BeforeValidator(_one_line), AfterValidator(_with_words)]
"""Some words to say or hear; white space of any kind is one space."""


class Part(BaseModel):
    """A mapping in a script. A key that it does not know is an error that tells which ones it does."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: Any) -> Any:
        known = {str(field.validation_alias or name) for name, field in cls.model_fields.items()}
        if isinstance(given, dict):
            for key in given:
                if key not in known and key not in cls.model_fields:
                    raise PydanticCustomError(
                        "unknown_key", "unknown key {key}: {hint}", {"key": repr(key), "hint": nearest(str(key), known)}
                    )
        return given
