"""What a scripted caller does, step by step: the `caller:` section of a script.

The caller hears sound, not words. A step begins when the one before is done. Times are milliseconds.

    caller:
      - wait_for_agent
      - say: hello, a table for four please
      - backchannel: right
        after_words: 6
      - interrupt: sorry, is there a garden
        after_words: 12
      - silence: 3000
      - hang_up_after: 500
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, NonNegativeInt, PositiveInt, Tag

from client_caller.agents.part import Line, Part

AGENT_QUIET = 700
"""The agent has finished when it has been quiet for this long: above its pauses between clauses."""
MILLISECONDS_A_WORD = 350
"""How long a word of the agent is to a caller who hears only sound: eSpeak NG's default is 175 words a minute."""


class WaitForAgent(Part):
    """Wait until the agent has been audible, and then quiet for so long."""

    quiet: PositiveInt = Field(default=AGENT_QUIET, validation_alias="wait_for_agent")


class Say(Part):
    """Speak at once, whatever the agent does, and to the end."""

    text: Line = Field(validation_alias="say")


class Backchannel(Part):
    """While the agent speaks: show that one listens, without wanting the floor."""

    text: Line = Field(validation_alias="backchannel")
    after_words: NonNegativeInt = 4
    """Of the agent, counted from when it is first audible in this step (`MILLISECONDS_A_WORD`)."""


class Interrupt(Part):
    """While the agent speaks: take the floor from it."""

    text: Line = Field(validation_alias="interrupt")
    after_words: NonNegativeInt = 4
    """Of the agent, counted from when it is first audible in this step (`MILLISECONDS_A_WORD`)."""


class Silence(Part):
    """Say nothing for so long."""

    duration: PositiveInt = Field(validation_alias="silence")


class HangUp(Part):
    """Hang up after so long. Without this step the caller stays on the line until the agent hangs up."""

    after: NonNegativeInt = Field(validation_alias="hang_up_after")


_KINDS = ("wait_for_agent", "say", "backchannel", "interrupt", "silence", "hang_up_after")


def _tag(step: Any) -> str | None:
    """Unlike any key, so that a tag in the place of an error is not taken for one."""
    return next((f"step {kind}" for kind in _KINDS if isinstance(step, dict) and kind in step), None)


def _spelled_out(step: Any) -> Any:
    """`- wait_for_agent` alone, or with nothing behind the colon, is the usual wait."""
    return {"wait_for_agent": AGENT_QUIET} if step in ("wait_for_agent", {"wait_for_agent": None}) else step


CallerStep = Annotated[
    Annotated[WaitForAgent, Tag("step wait_for_agent")]
    | Annotated[Say, Tag("step say")]
    | Annotated[Backchannel, Tag("step backchannel")]
    | Annotated[Interrupt, Tag("step interrupt")]
    | Annotated[Silence, Tag("step silence")]
    | Annotated[HangUp, Tag("step hang_up_after")],
    Discriminator(
        _tag,
        custom_error_type="unknown_step",
        custom_error_message="not a step of a caller: there is " + ", ".join(_KINDS),
    ),
    BeforeValidator(_spelled_out),
]
"""One step."""
