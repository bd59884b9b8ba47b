"""One reply of the agent, from the first thought of it to its end."""

from dataclasses import dataclass, field

from client_caller.conversation.clauses import ClauseSplitter
from client_caller.conversation.history import AgentSaid, ToolCall, ToolUsed
from client_caller.conversation.playout import Playout
from client_caller.conversation.state import ReplyState


@dataclass(frozen=True, slots=True)
class Closing:
    """The reply that carries this is the last one: the agent hangs up once it was heard."""

    reason: str
    final: bool = False
    """Whatever the caller says: the call's time is over, or there is no voice left to answer with."""


@dataclass(slots=True)
class Reply:
    """All times are milliseconds on the call's clock."""

    number: int
    answers: str
    """The caller's words that it answers; empty where the agent speaks on its own account."""
    splitter: ClauseSplitter
    made_by_model: bool
    generating: bool
    """More text may come."""
    committed: bool
    """The turn it answers is over: it may be heard as soon as the caller is not speaking."""
    progress_at: int
    """When something last moved: text, audio, a word sent or heard."""
    thought_at: int
    """When the model was last asked, or last gave anything."""
    quiet_since: int
    """Since when the caller hears nothing of it."""
    closing: Closing | None = None
    state: ReplyState = ReplyState.HELD
    started: int | None = None
    """When its first sound went out."""
    playout: Playout = field(default_factory=Playout)
    asked: dict[str, ToolCall] = field(default_factory=dict)
    """The tools it asked for and has no result of yet."""
    unspoken: list[str] = field(default_factory=list)
    """Clauses that wait until the caller pauses: while they speak on, most guesses are wrong."""
    waiting: list[ToolCall] = field(default_factory=list)
    """Those of them that are not started: no tool runs on a guess that the turn is over."""
    used: list[ToolUsed] = field(default_factory=list)
    to_go_on: bool = False
    """Tools have answered since the model last spoke: it has to be asked to go on."""
    hang_up: ToolCall | None = None
    """The model has asked to end the call."""
    broken: bool = False
    """The model failed; what it had said before is still being spoken."""
    filler: str = ""
    """What the agent wants said while its tool is slow."""
    wait_announced: bool = False
    """The last that was said of it is a filler."""
    paused_at: int = 0
    """When it was paused last."""
    notice: int | None = None
    """The clause with the notice of recording."""
    remarks: bool = False
    """It begins with the remark that the line is bad."""

    @property
    def final(self) -> bool:
        return self.closing is not None and self.closing.final

    @property
    def begun(self) -> bool:
        """Its first sound went out, and it is not over: it has the floor, or is being asked for it."""
        return self.audible or self.state is ReplyState.PAUSED

    @property
    def audible(self) -> bool:
        """The caller hears it, at full loudness or softly."""
        return self.state in (ReplyState.AUDIBLE, ReplyState.DUCKED)

    @property
    def done_thinking(self) -> bool:
        return not (self.generating or self.asked or self.to_go_on)

    @property
    def said_anything(self) -> bool:
        return bool(self.playout.clauses or self.unspoken)

    @property
    def text(self) -> str:
        """All that it says so far."""
        return " ".join([*self.playout.clauses, *self.unspoken])

    def said(self, now: int) -> AgentSaid | None:
        """What goes into the history if it ends now; None if it never made a sound."""
        if self.started is None:
            return None
        playout = self.playout
        complete = self.done_thinking and playout.all_heard
        return AgentSaid(self.started, now, playout.heard, playout.unheard, cut=not complete)


PROOF = 4
"""Replies that may be waiting for proof: a line that stands still brings it after the next one was cut as well."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A reply of which something was heard, once it is over: proof of more of its words may still come."""

    reply: Reply
    at: int
    entry: int
    """Where it stands in the history."""
