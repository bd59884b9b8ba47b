"""What can happen to a call.

Each event is a fact with the time at which it became known: `at`, whole milliseconds on the call's own clock, which
starts at zero with the call. Times never run backwards. An event refers to a reply, clause or word by its number, so
that a fact about something already given up can be told from one about the present.

Do not subclass these, and add nothing to them that is not a fact.
"""

from dataclasses import dataclass

from client_caller.conversation.history import Entry


@dataclass(frozen=True, slots=True)
class CallStarted:
    """Both sides are connected: audio can flow."""

    at: int
    earlier: tuple[Entry, ...] = ()
    """What was said before a lost connection, when this is the same call resumed."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The far end is gone."""

    at: int
    reason: str
    """One of the reasons in docs/reference: `caller_hung_up`, `connection_lost`, `ended_by_agent`, …"""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened but time. Sent when `Conversation.deadline` is reached."""

    at: int


@dataclass(frozen=True, slots=True)
class SpeechProbability:
    """How likely one window of the caller's audio is speech."""

    at: int
    audio_end: int
    """Where the window ends on the call's clock, milliseconds. Never later than `at`."""
    probability: float
    """0 to 1."""
    level: float | None = None
    """How loud the window is: its root mean square, dBFS. None where nobody measured it."""
    echo: float = 0.0
    """How much of it the agent's own voice explains, come back from the caller's loudspeaker: 0 to 1."""


@dataclass(frozen=True, slots=True)
class LineQuality:
    """The caller's line has turned bad, or good again (`audio.line_quality`)."""

    at: int
    bad: bool
    speech: float
    """How loud the caller's voice is, without the noise under it: dBFS."""
    noise: float
    """How loud it is between their words: dBFS."""
    clipped: float
    """The share of samples of their speech that are as loud as the line can be: 0 to 1."""


@dataclass(frozen=True, slots=True)
class PartialTranscript:
    """The engine's present guess of the caller's words since its last final; each replaces the one before."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class FinalTranscript:
    """Words the engine will not change again; they follow those of the finals before."""

    at: int
    text: str
    confidence: float | None = None
    """0 to 1, or None where the engine gives none."""


@dataclass(frozen=True, slots=True)
class TranscriptFinished:
    """The engine has answered `FinishTranscript(request)`: all audio up to then is in the finals."""

    at: int
    request: int


@dataclass(frozen=True, slots=True)
class TurnJudged:
    """The turn model has listened to the pause of `FinishTranscript(request)`."""

    at: int
    request: int
    completion: float
    """How likely the caller has finished, by the sound of their voice: 0 to 1."""


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The language model produced some more text of a reply."""

    at: int
    reply: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The language model has nothing more to say in this reply, until a tool it asked for answers."""

    at: int
    reply: int


@dataclass(frozen=True, slots=True)
class ToolRequested:
    """The language model wants a tool to be run."""

    at: int
    reply: int
    tool_call: str
    """The model's own id of this request, unique in the call."""
    name: str
    arguments: str
    """A JSON object, as the model wrote it."""
    filler: str = ""
    """What the agent wants said if this tool is slow; empty: one of the usual phrases."""


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool came back, with its result or with the reason why not."""

    at: int
    tool_call: str
    result: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ClauseAudioStarted:
    """The first audio of a clause has come from text to speech."""

    at: int
    reply: int
    clause: int


@dataclass(frozen=True, slots=True)
class ClauseAudioFinished:
    """All audio of a clause has come."""

    at: int
    reply: int
    clause: int
    samples: int
    """At 8 kHz."""


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The first audio of a reply went out on the wire: the agent is audible."""

    at: int
    reply: int


@dataclass(frozen=True, slots=True)
class WordSent:
    """The last sample of a word went out, and a mark behind it."""

    at: int
    reply: int
    clause: int
    word: int
    """The word's place in its clause, from 0 (`clauses.words_of`)."""


@dataclass(frozen=True, slots=True)
class WordAcknowledged:
    """The far end returned a word's mark. Only before a `CancelReply` does this prove that the word was played."""

    at: int
    reply: int
    clause: int
    word: int


@dataclass(frozen=True, slots=True)
class WordProven:
    """A word's mark came back after a `Pause` or `CancelReply`, and from when it came it is clear that it was played.

    Holds for all words before it. How that is known: `runtime.late_proof`.
    """

    at: int
    reply: int
    clause: int
    word: int


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key."""

    at: int
    digit: str
    """One of 0-9, *, #, A-D."""


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """An engine gave up on a piece of work."""

    at: int
    stage: str
    """`stt`, `llm` or `tts`."""
    reason: str
    """For people and journals; holds no words of the caller."""
    reply: int | None = None
    """The reply that was being worked on; None for `stt`."""


Event = (
    CallStarted
    | CallEnded
    | TimePassed
    | SpeechProbability
    | LineQuality
    | PartialTranscript
    | FinalTranscript
    | TranscriptFinished
    | TurnJudged
    | ReplyText
    | ReplyFinished
    | ToolRequested
    | ToolFinished
    | ClauseAudioStarted
    | ClauseAudioFinished
    | PlaybackStarted
    | WordSent
    | WordAcknowledged
    | WordProven
    | DigitPressed
    | EngineFailed
)

ReplyEvent = (
    ReplyText
    | ReplyFinished
    | ToolRequested
    | ClauseAudioStarted
    | ClauseAudioFinished
    | PlaybackStarted
    | WordSent
    | WordAcknowledged
    | WordProven
    | EngineFailed
)
"""Those that speak of one reply."""
