"""Difficult callers, written down: one YAML file each, in the folder `callers`.

    about: pauses for almost a second inside a sentence
    steps:                       # those of a script's caller (`agents.steps`), and a few that only make trouble
      - wait_for_agent
      - say: i would like to
      - silence: 900
      - say: book a table
      - wait_for_agent
      - hang_up_after: 300
    passes:                      # all of these have to hold (`pass_rules`)
      - turns: 1
      - no_word_lost

Times are milliseconds, levels decibels.
"""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Discriminator, Field, PositiveInt, Tag

from client_caller.agents.part import Line, Part, nearest
from client_caller.agents.steps import AGENT_QUIET, Backchannel, HangUp, Interrupt, Silence, WaitForAgent
from client_caller.simulator.impairments import Impairments
from client_caller.simulator.pass_rules import PassRule

FOLDER = Path(__file__).with_name("callers")
ORDINARY_LINE = Impairments(seed=1, delay=0.03, jitter=0.02)
"""30 to 50 ms each way."""


class Say(Part):
    """Speak at once, whatever the agent does."""

    text: Line = Field(validation_alias="say")
    language: str = "en"
    """BCP 47."""
    until: PositiveInt | None = None
    """Fall silent after so long, be it in the middle of a word; left out: at the end."""


class Mumble(Part):
    """Speak so that speech to text makes no words of it."""

    text: Line = Field(validation_alias="mumble")


class Cough(Part):
    """Cough so many times in a row."""

    times: PositiveInt = Field(validation_alias="cough")


class UntilAgentTalks(Part):
    """Wait until the agent is in the middle of talking, and for so long since this began."""

    duration: PositiveInt = Field(validation_alias="until_agent_talks")


class Press(Part):
    """Press keys, one every 300 ms."""

    keys: str = Field(validation_alias="press", pattern=r"^[0-9*#A-D]+$")


class Echo(Part):
    """The agent's own voice comes back from the caller's loudspeaker whenever the caller is silent."""

    level: float
    """Below the voice that was heard."""
    delay: PositiveInt


_KINDS: dict[str, type[Part]] = {
    "wait_for_agent": WaitForAgent,
    "say": Say,
    "backchannel": Backchannel,
    "interrupt": Interrupt,
    "silence": Silence,
    "hang_up_after": HangUp,
    "mumble": Mumble,
    "cough": Cough,
    "until_agent_talks": UntilAgentTalks,
    "press": Press,
}


def _tag(step: Any) -> str | None:
    return next((kind for kind in _KINDS if isinstance(step, dict) and kind in step), None)


def _spelled_out(step: Any) -> Any:
    return {"wait_for_agent": AGENT_QUIET} if step == "wait_for_agent" else step


Step = Annotated[
    Annotated[WaitForAgent, Tag("wait_for_agent")]
    | Annotated[Say, Tag("say")]
    | Annotated[Backchannel, Tag("backchannel")]
    | Annotated[Interrupt, Tag("interrupt")]
    | Annotated[Silence, Tag("silence")]
    | Annotated[HangUp, Tag("hang_up_after")]
    | Annotated[Mumble, Tag("mumble")]
    | Annotated[Cough, Tag("cough")]
    | Annotated[UntilAgentTalks, Tag("until_agent_talks")]
    | Annotated[Press, Tag("press")],
    Discriminator(
        _tag,
        custom_error_type="unknown_step",
        custom_error_message="not a step of a difficult caller: there is " + ", ".join(_KINDS),
    ),
    BeforeValidator(_spelled_out),
]
"""One step."""


class DifficultCaller(Part):
    """One of them."""

    name: str
    about: Line
    """What makes them difficult, in a few words."""
    voice: str = "en-us+m3"
    """An eSpeak NG voice."""
    pace: PositiveInt = 175
    """Words a minute."""
    gain: float = 0.0
    """Of the voice: negative for one who is far from the telephone."""
    noise: float | None = None
    """Level of the street behind them, below full scale; None: a quiet room."""
    echo: Echo | None = None
    confidence: float = Field(default=1.0, ge=0, le=1)
    """How sure speech to text is of their words."""
    line: Impairments = ORDINARY_LINE
    calls_back: bool = False
    """After a lost connection the provider connects the call anew."""
    steps: tuple[Step, ...]
    passes: tuple[PassRule, ...] = Field(min_length=1)


class UnknownCaller(Exception):
    """There is no such caller; says which there are."""


def load_callers(only: str | None = None) -> tuple[DifficultCaller, ...]:
    """All difficult callers by their names, or the one of that name. Raises `UnknownCaller`."""
    files = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
    if only is not None and only not in files:
        raise UnknownCaller(f"There is no difficult caller {only!r}: {nearest(only, files)}")
    chosen = files if only is None else {only: files[only]}
    return tuple(
        DifficultCaller.model_validate({"name": name, **yaml.safe_load(path.read_text(encoding="utf-8"))})
        for name, path in chosen.items()
    )
