"""What a call has to remember, and what follows from it at any moment. Nothing here changes by itself.

Nothing else in the program keeps state of turns, floors or words. It is written by the facts (`facts.py`) and by the
verbs of the agent's reply (`speaking.py`) and of the caller's turn (`listening.py`).
"""

from collections import deque
from dataclasses import dataclass

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


class Memory:
    """One call's."""

    def __init__(self, policy: Policy | None = None, phrases: Phrases | None = None) -> None:
        self.policy: Policy = policy or Policy()
        self.phrases: Phrases = phrases or Phrases()
        self.now = 0
        self.call = CallState.WAITING
        self.turn: CallerTurn = CallerTurn()
        self.reply: Reply | None = None
        self.ended: deque[Ended] = deque(maxlen=PROOF)
        """The last replies of which something was heard."""
        self.entries: list[Entry] = []

        self.connected_at = 0
        self.agent_quiet_since = 0
        """When the last reply ended."""
        self.unanswered: int | None = None
        """The entry of the caller's last turn, until something of its answer was heard."""
        self.turn_over_at = 0
        """Since when the caller waits for that."""
        self.late: Late | None = None
        self.echoes = 0
        """Windows in which the line brought the agent's own voice back."""
        self.unexplained = 0
        """Windows of speech in a row until now that are not the agent's own."""
        self.last_out = ""
        """What went out of the last reply."""
        self.interrupted = False
        """The caller took the floor and still has it."""
        self.speculation_spent = False
        """Speculation failed for this turn; the next try is when it is over."""
        self.wasted_words = 0
        """Words that the model made for replies that nobody heard any of."""

        self.running: dict[str, ToolCall] = {}
        self.tool_news = False
        """A tool has answered after its reply was over."""

        self.line_bad = False
        self.line_told = False
        """The caller has heard that it is."""

        self.closing: Closing | None = None
        self.closed_at = 0
        self.silence_prompts = 0
        self.not_understood = 0
        """Turns in a row without words that anybody is sure of."""
        self.clarify = False
        """The turn that waits for an answer is one of them, though it has words."""
        self.warned = False
        self.failures = 0
        """Replies in a row that failed."""
        self.deaf = 0
        """Failures of speech to text in a row."""
        self.deaf_since = 0
        """When the first of them was."""
        self.notice_owed = self.policy.announce_recording

        self.replies = 0
        """Begun until now; the last one's number. Likewise the `FinishTranscript`s, and the fillers said."""
        self.requests = 0
        self.fillers = 0

        self._evidence: Evidence | None = None
        """What `_needed` was worked out from."""
        self._needed = 0
        self.commands: list[Command] = []
        """What is to be done, and was not handed over yet."""

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
