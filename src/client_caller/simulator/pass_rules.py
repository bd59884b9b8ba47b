"""When a difficult caller was treated well: rules about what was really played and what the history says.

The `passes:` section of a difficult caller. A rule is given the evidence of a whole call and says what speaks against
it, first things first, or nothing. Times are milliseconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, NonNegativeInt, PositiveInt, Tag

from client_caller.agents.matching import words
from client_caller.agents.part import Line, Part
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry
from client_caller.simulator.tones import Spelled
from client_caller.simulator.wire import falls_silent, first_sound
from client_caller.simulator.wiretap import difference

_SAMPLES_A_MS = 8

Purpose = Literal["say", "interrupt", "backchannel", "noise"]


@dataclass(frozen=True, slots=True)
class Uttered:
    """One thing that came from a difficult caller's mouth; samples of the call."""

    purpose: Purpose
    begins: int
    """Its first voiced sample."""
    ends: int
    """Behind its last voiced sample."""
    text: str
    """The words that speech to text can make of it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a finished call, all of it on the caller's clock."""

    uttered: Sequence[Uttered]
    played: bytes
    """What the far end played, mu-law."""
    agents_words: Sequence[Spelled]
    """The whole words in it."""
    proven: Sequence[str]
    """Those of them whose mark came back in time: what the history has to say was heard."""
    history: Sequence[Entry]
    reason: str
    """How the call ended."""
    overlong: bool
    """The caller lost patience: the call would not end."""

    @property
    def turns(self) -> tuple[CallerSaid, ...]:
        return tuple(entry for entry in self._caller if not entry.backchannel)

    @property
    def backchannels(self) -> tuple[CallerSaid, ...]:
        return tuple(entry for entry in self._caller if entry.backchannel)

    @property
    def cuts(self) -> tuple[AgentSaid, ...]:
        """Replies that the caller cut off."""
        return tuple(entry for entry in self.history if isinstance(entry, AgentSaid) and entry.cut)

    @property
    def _caller(self) -> Iterator[CallerSaid]:
        return (entry for entry in self.history if isinstance(entry, CallerSaid))


def broken_law(evidence: Evidence) -> str | None:
    """What every call has to keep, whoever the caller is: it ends, and its history is what was heard."""
    if evidence.overlong:
        return f"the call would not end: the caller gave up after {_seconds(len(evidence.played))}"
    heard = [word for entry in evidence.history if isinstance(entry, AgentSaid) for word in entry.heard.split()]
    return difference(heard, [one.word for one in evidence.agents_words], evidence.proven) or None


class Turns(Part):
    """The caller had the floor exactly so often."""

    number: NonNegativeInt = Field(validation_alias="turns")

    def against(self, evidence: Evidence) -> str | None:
        return _miscounted(self.number, evidence.turns, "turn")


class Backchannels(Part):
    """So many utterances were understood as mere signs of listening."""

    number: NonNegativeInt = Field(validation_alias="backchannels")

    def against(self, evidence: Evidence) -> str | None:
        return _miscounted(self.number, evidence.backchannels, "backchannel")


class Cut(Part):
    """Exactly so many replies were cut off."""

    number: NonNegativeInt = Field(validation_alias="cut")

    def against(self, evidence: Evidence) -> str | None:
        found = evidence.cuts
        if len(found) == self.number:
            return None
        first = f": first at {_ms(found[0].ended)} behind {found[0].heard!r}" if found else ""
        return f"{len(found)} replies were cut{first}"


class NoWordLost(Part):
    """The history has every word of the caller, in order, and no other."""

    wanted: Literal[True] = Field(validation_alias="no_word_lost")

    def against(self, evidence: Evidence) -> str | None:
        said = [word for one in evidence.uttered for word in one.text.split()]
        known = [word for e in evidence.history if isinstance(e, CallerSaid) for word in e.text.split()]
        return _first_difference("the caller said", said, "the history says", known)


class CallerSays(Part):
    """The history has these words of the caller."""

    phrase: Line = Field(validation_alias="caller_says")

    def against(self, evidence: Evidence) -> str | None:
        said = " ".join(entry.text for entry in evidence.turns)
        return None if _count(words(said), words(self.phrase)) else f"the history has of the caller only {said!r}"


class AgentSays(Part):
    """The far end played these words of the agent to their last sample, so often, if that matters."""

    phrase: Line = Field(validation_alias="agent_says")
    times: NonNegativeInt | None = None

    def against(self, evidence: Evidence) -> str | None:
        found = _count(_spoken(evidence), words(self.phrase))
        if found == self.times or (self.times is None and found):
            return None
        return f"{self.phrase!r} was played {found} times, {_last_words(evidence)}"


class LastWords(Part):
    """The last thing that the far end played, to its end, before the line was closed."""

    phrase: Line = Field(validation_alias="last_words")

    def against(self, evidence: Evidence) -> str | None:
        wanted = words(self.phrase)
        return None if _spoken(evidence)[-len(wanted) :] == wanted else _last_words(evidence)


class AnsweredWithin(Part):
    """Whatever the caller said, unless they went on themselves: the agent was audible again so soon behind it."""

    limit: PositiveInt = Field(validation_alias="answered_within")

    def against(self, evidence: Evidence) -> str | None:
        said = [one for one in evidence.uttered if one.purpose in ("say", "interrupt")]
        ends = [one.begins for one in said[1:]] + [len(evidence.played)]
        for one, until in zip(said, ends, strict=True):
            answer = first_sound(evidence.played, one.ends, until)
            last = one is said[-1]
            waited = (answer if answer is not None else until) - one.ends
            if waited > self.limit * _SAMPLES_A_MS and (answer is not None or last):
                after = f"{one.text!r} ended at {_seconds(one.ends)}"
                return f"{after}, {'no ' if answer is None else ''}answer within {waited // _SAMPLES_A_MS} ms"
        return None


class SilentWithin(Part):
    """Every time the caller cut in, the agent fell silent so soon after the first sound, at the caller's ear."""

    limit: PositiveInt = Field(validation_alias="silent_within")

    def against(self, evidence: Evidence) -> str | None:
        for one in evidence.uttered:
            took = falls_silent(evidence.played, one.begins) - one.begins
            if one.purpose == "interrupt" and took > self.limit * _SAMPLES_A_MS:
                return f"cut in at {_seconds(one.begins)}, silent after {took // _SAMPLES_A_MS} ms"
        return None


class Ends(Part):
    """How the call ended."""

    reason: str = Field(validation_alias="ends")

    def against(self, evidence: Evidence) -> str | None:
        return None if evidence.reason == self.reason else f"it ended: {evidence.reason}, {_last_words(evidence)}"


_KINDS = (
    "turns", "backchannels", "cut", "no_word_lost", "caller_says", "agent_says", "last_words", "answered_within",
    "silent_within", "ends",
)  # fmt: skip


def _tag(rule: Any) -> str | None:
    return next((kind for kind in _KINDS if isinstance(rule, dict) and kind in rule), None)


def _spelled_out(rule: Any) -> Any:
    return {"no_word_lost": True} if rule == "no_word_lost" else rule


PassRule = Annotated[
    Annotated[Turns, Tag("turns")]
    | Annotated[Backchannels, Tag("backchannels")]
    | Annotated[Cut, Tag("cut")]
    | Annotated[NoWordLost, Tag("no_word_lost")]
    | Annotated[CallerSays, Tag("caller_says")]
    | Annotated[AgentSays, Tag("agent_says")]
    | Annotated[LastWords, Tag("last_words")]
    | Annotated[AnsweredWithin, Tag("answered_within")]
    | Annotated[SilentWithin, Tag("silent_within")]
    | Annotated[Ends, Tag("ends")],
    Discriminator(
        _tag,
        custom_error_type="unknown_rule",
        custom_error_message="not a pass rule: there is " + ", ".join(_KINDS),
    ),
    BeforeValidator(_spelled_out),
]
"""One rule. `against(evidence)` says what speaks against it; None if it holds."""


def title(rule: PassRule) -> str:
    """A rule as it stands in the file."""
    given = {
        str(field.validation_alias or name): getattr(rule, name) for name, field in type(rule).model_fields.items()
    }
    return ", ".join(key if value is True else f"{key}: {value}" for key, value in given.items() if value is not None)


def _spoken(evidence: Evidence) -> tuple[str, ...]:
    return words(" ".join(one.word for one in evidence.agents_words))


def _last_words(evidence: Evidence) -> str:
    last = " ".join(one.word for one in evidence.agents_words[-6:])
    return f"the agent's last words were {last!r}" if last else "the agent said nothing"


def _count(spoken: Sequence[str], phrase: Sequence[str]) -> int:
    return sum(tuple(spoken[place : place + len(phrase)]) == tuple(phrase) for place in range(len(spoken)))


def _miscounted(number: int, found: Sequence[CallerSaid], noun: str) -> str | None:
    if len(found) == number:
        return None
    listed = "; ".join(f"{_ms(entry.started)} {entry.text!r}" for entry in found)
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}{': ' if found else ''}{listed}"


def _first_difference(here: str, ones: Sequence[str], there: str, others: Sequence[str]) -> str | None:
    if list(ones) == list(others):
        return None
    place = next((n for n, (a, b) in enumerate(zip(ones, others, strict=False)) if a != b), min(len(ones), len(others)))
    one, other = (" ".join(text[place : place + 4]) or "nothing more" for text in (ones, others))
    return f"from word {place + 1} {here} {one!r}, {there} {other!r}"


def _seconds(samples: int) -> str:
    return _ms(samples // _SAMPLES_A_MS)


def _ms(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.2f} s"
