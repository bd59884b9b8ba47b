"""What a conversation can ask for.

A command is carried out at once and in order. It says what, never how; the shell in `runtime` knows how. Numbers of
replies rise by one and are never used again, so anything that still arrives for a cancelled reply is recognisably late.

Do not subclass these.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StartReply:
    """Ask the language model for a reply, with `Conversation.messages(reply)` as what was said so far.

    Given again with the same number when the model's tools have answered and it has to go on.
    """

    reply: int


@dataclass(frozen=True, slots=True)
class Speak:
    """Synthesise one clause. Its audio follows that of the reply's clauses before it."""

    reply: int
    clause: int
    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """The reply may now be heard: whatever audio it has, and gets, goes out."""

    reply: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of the reply has gone out yet; nothing of it may, until released again."""

    reply: int


@dataclass(frozen=True, slots=True)
class Duck:
    """Go on softly, from the very sample that the far end has reached: the caller makes a sound."""

    reply: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence the reply at once, and keep what was not proven heard of it: the caller may be taking the floor."""

    reply: int


@dataclass(frozen=True, slots=True)
class Resume:
    """The caller did not take the floor: go on as loud as before.

    After `Duck` from the very sample that the far end has reached, after `Pause` from the first word that was not
    proven heard.
    """

    reply: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Stop all work on the reply, drop its audio, and silence what the far end still holds of it."""

    reply: int


@dataclass(frozen=True, slots=True)
class FinishTranscript:
    """Ask speech to text for the final words of everything heard so far; answered by `TranscriptFinished`."""

    request: int


@dataclass(frozen=True, slots=True)
class JudgeTurn:
    """Ask the turn model, if there is one, whether the caller sounds as if they had finished.

    Answered by `TurnJudged` with the number of the pause's `FinishTranscript`, or not at all: it is not waited for.
    """

    request: int
    since: int
    """When the caller began to say what nobody has answered yet, milliseconds on the call's clock: what went before was
    judged already, and sounds otherwise."""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run one of the agent's tools. Answered by `ToolFinished`, whatever the caller says meanwhile."""

    tool_call: str
    name: str
    arguments: str
    """A JSON object, as the model wrote it: not yet checked."""


@dataclass(frozen=True, slots=True)
class StartRecording:
    """The notice that the call is recorded was heard to its end: log the consent and record from now on."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up."""

    reason: str


Command = (
    StartReply
    | Speak
    | Release
    | Hold
    | Duck
    | Pause
    | Resume
    | CancelReply
    | FinishTranscript
    | JudgeTurn
    | RunTool
    | StartRecording
    | EndCall
)
