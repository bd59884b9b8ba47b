"""What a call has to remember, and what follows from it at any moment. Nothing here changes by itself.

Nothing else in the program keeps state of turns, floors or words. It is written by the facts (`facts.py`) and by the
verbs of the agent's reply (`speaking.py`) and of the caller's turn (`listening.py`).
"""

from collections import deque
from dataclasses import dataclass, field

from client_caller.conversation.commands import Command
from client_caller.conversation.endpointing import Evidence, silence_needed
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolCall
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.reply import PROOF, Closing, Ended, Reply
from client_caller.conversation.state import CallState, View, view
from client_caller.conversation.turn import CallerTurn


@dataclass(frozen=True, slots=True)
class Late:
    """Final words that are still to come for a turn that is over."""

    request: int
    """The `FinishTranscript` that they will answer."""
    entry: int | None
    """The turn in the history; None if it was taken for noise."""
    finals: list[str]
    """All final words of the turn so far; once complete they replace its text."""


@dataclass(slots=True)
class Memory:
    """One call's."""

    policy: Policy = field(default_factory=Policy)
    phrases: Phrases = field(default_factory=Phrases)
    now: int = 0
    call: CallState = CallState.WAITING
    turn: CallerTurn = field(default_factory=CallerTurn)
    reply: Reply | None = None
    ended: deque[Ended] = field(default_factory=lambda: deque(maxlen=PROOF))
    """The last replies of which something was heard."""
    entries: list[Entry] = field(default_factory=list)

    connected_at: int = 0
    agent_quiet_since: int = 0
    """When the last reply ended."""
    unanswered: int | None = None
    """The entry of the caller's last turn, until something of its answer was heard."""
    turn_over_at: int = 0
    """Since when the caller waits for that."""
    late: Late | None = None
    echoes: int = 0
    """Windows in which the line brought the agent's own voice back."""
    unexplained: int = 0
    """Windows of speech in a row until now that are not the agent's own."""
    last_out: str = ""
    """What went out of the last reply."""
    interrupted: bool = False
    """The caller took the floor and still has it."""
    speculation_spent: bool = False
    """Speculation failed for this turn; the next try is when it is over."""
    wasted_words: int = 0
    """Words that the model made for replies that nobody heard any of."""

    running: dict[str, ToolCall] = field(default_factory=dict)
    tool_news: bool = False
    """A tool has answered after its reply was over."""

    line_bad: bool = False
    line_told: bool = False
    """The caller has heard that it is."""

    closing: Closing | None = None
    closed_at: int = 0
    silence_prompts: int = 0
    not_understood: int = 0
    """Turns in a row without words that anybody is sure of."""
    clarify: bool = False
    """The turn that waits for an answer is one of them, though it has words."""
    warned: bool = False
    failures: int = 0
    """Replies in a row that failed."""
    deaf: int = 0
    """Failures of speech to text in a row."""
    deaf_since: int = 0
    """When the first of them was."""
    notice_owed: bool = field(init=False)

    replies: int = 0
    """Begun until now; the last one's number. Likewise the `FinishTranscript`s, and the fillers said."""
    requests: int = 0
    fillers: int = 0

    commands: list[Command] = field(default_factory=list)
    """What is to be done, and was not handed over yet."""
    _evidence: Evidence | None = None
    """What `_needed` was worked out from."""
    _needed: int = 0

    def __post_init__(self) -> None:
        self.notice_owed = self.policy.announce_recording

    def ask(self, *commands: Command) -> None:
        """Have something done."""
        self.commands += commands

    # ---------------------------------------------------------------- what follows

    @property
    def view(self) -> View:
        """What a person would say the agent is doing."""
        reply = self.reply.state if self.reply is not None else None
        return view(self.call, self.turn.state, reply, interrupted=self.interrupted)

    @property
    def words(self) -> str:
        """The caller's words that nobody has answered yet."""
        before = self.awaiting.text if self.awaiting is not None else ""
        return " ".join(filter(None, [before, self.turn.text]))

    @property
    def awaiting(self) -> CallerSaid | None:
        """The caller's last turn, if nothing of its answer was heard yet."""
        entry = self.entries[self.unanswered] if self.unanswered is not None else None
        return entry if isinstance(entry, CallerSaid) else None

    @property
    def words_began(self) -> int:
        """When the caller began to say them."""
        return self.awaiting.started if self.awaiting is not None else self.turn.started

    @property
    def agent_said(self) -> str:
        """What the caller heard of the agent's last reply."""
        said = next((entry for entry in reversed(self.entries) if isinstance(entry, AgentSaid)), None)
        return said.heard if said is not None else ""

    @property
    def agent_says(self) -> str:
        """All that the line can bring back of the agent's last words: of this reply and the one before."""
        return f"{self.last_out} {self.reply.playout.out}" if self.reply is not None else self.last_out

    @property
    def silence_needed(self) -> int:
        """The silence, in milliseconds, that ends the caller's turn as things stand."""
        needed = self._by_evidence() if self.turn.text or self.unintelligible else 0
        return needed if self.turn.understood else max(needed, self.policy.transcript_patience)

    @property
    def believes_in_words(self) -> bool:
        """Whether a sound without words may still be somebody who speaks to the agent."""
        return self.not_understood < self.policy.not_understood_in_a_row

    def _by_evidence(self) -> int:
        """Asked for in every window of a pause, and worked out when something about it has changed."""
        evidence = Evidence(self.words, self.agent_said, self.turn.completion, self.turn.voiced - self.turn.breath)
        if evidence != self._evidence:
            self._evidence = evidence
            self._needed = silence_needed(evidence, self.policy, self.phrases)
        return self._needed

    @property
    def unintelligible(self) -> bool:
        """Whether a sound without words is a turn: it was long or took the floor, and nothing else is to be answered.

        Not time after time: then it is the agent's own echo, or a television.
        """
        speech = self.interrupted or self.turn.voiced >= self.policy.unintelligible_speech
        return speech and self.believes_in_words and self.reply is None and self.unanswered is None

    @property
    def doubtful(self) -> bool:
        """Whether the present turn has words, but nobody is sure of them, and the caller may be asked again."""
        unsure = self.turn.confidence < self.policy.clarify_below and bool(self.phrases.unsure)
        return unsure and self.not_understood < self.policy.not_understood_in_a_row

    @property
    def may_guess(self) -> bool:
        """Whether a reply may be begun before it is sure that the turn is over; with its words final, once more."""
        few = self.turn.understood or self.turn.guesses < self.policy.guesses_in_a_turn
        return few and not self.doubtful and not self.speculation_spent and self.wasted_words < self.policy.wasted_words
