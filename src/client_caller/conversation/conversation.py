"""The conversation of one call: facts in, commands out.

`receive` takes one event, writes down what it says (`facts.py`) and then lets the rules (`rules.py`) act until none has
anything left to do. This file holds the state, and how the call ends; it decides nothing about *when*. The verbs of the
agent's reply are in `speaking.py`, those of the caller's turn in `listening.py`.
"""

from collections import deque

from client_caller.conversation import events, facts, listening, rules, speaking
from client_caller.conversation.commands import Command, EndCall
from client_caller.conversation.endpointing import Evidence, silence_needed
from client_caller.conversation.history import (
    STILL_RUNNING,
    AgentSaid,
    Entry,
    Message,
    ToolCall,
    messages,
    with_draft,
)
from client_caller.conversation.policy import Phrases, Policy
from client_caller.conversation.reply import PROOF, Closing, Ended, Reply
from client_caller.conversation.state import CALL, CallState, CallTrigger, View, follow, view
from client_caller.conversation.turn import CallerTurn


class Conversation:
    """Everything that a call has to remember. Nothing else in the program keeps state of turns, floors or words."""

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
        self.late: listening.Late | None = None
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
        self._commands: list[Command] = []
        self._deadline: int | None = None

    def receive(self, event: events.Event) -> tuple[Command, ...]:
        """Take in one fact; returns what is to be done now, in order."""
        self.now = max(self.now, event.at)
        waiting = self.call is CallState.WAITING and not isinstance(event, events.CallStarted | events.CallEnded)
        if waiting or self.call is CallState.ENDED:
            return ()
        if facts.note(self, event) or (self._deadline is not None and self.now >= self._deadline):
            self._deadline = rules.settle(self)
        commands, self._commands = tuple(self._commands), []
        return commands

    def ask(self, *commands: Command) -> None:
        """Have something done."""
        self._commands += commands

    # ---------------------------------------------------------------- what others may know

    @property
    def deadline(self) -> int | None:
        """When the conversation wants to be told that time has passed, on the call's clock."""
        return self._deadline

    @property
    def history(self) -> tuple[Entry, ...]:
        """What was said and heard, up to the last thing that is over."""
        return tuple(self.entries)

    @property
    def view(self) -> View:
        """What a person would say the agent is doing."""
        reply = self.reply.state if self.reply is not None else None
        return view(self.call, self.turn.state, reply, interrupted=self.interrupted)

    @property
    def words(self) -> str:
        """The caller's words that nobody has answered yet."""
        before = listening.unanswered(self)
        return " ".join(filter(None, [before.text if before is not None else "", self.turn.text]))

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

    def said_before(self, reply: int) -> tuple[Entry, ...]:
        """The history as it is for a reply: with the words that it answers, which on a guess may not be the last."""
        entries = list(self.entries)
        if self.reply is not None and self.reply.number == reply and not self.reply.committed:
            listening.write_words(self, entries)
        return tuple(entries)

    def messages(self, reply: int) -> tuple[Message, ...]:
        """What the model has to be told for `StartReply(reply)`."""
        current = self.reply if self.reply is not None and self.reply.number == reply else None
        chat = messages(self.said_before(reply))
        asked = current.asked if current is not None else {}
        elsewhere = [(call, STILL_RUNNING) for id, call in self.running.items() if id not in asked]
        if elsewhere:
            chat = with_draft(chat, "", elsewhere)
        if current is None or not current.used:
            return chat
        used = [(ToolCall(tool.tool_call, tool.name, tool.arguments), tool.result) for tool in current.used]
        return with_draft(chat, current.playout.text, used)

    # ---------------------------------------------------------------- the call

    def ask_whether_there(self) -> None:
        """The caller has been silent for long."""
        self.agent_quiet_since = self.now
        asked, self.silence_prompts = self.silence_prompts, self.silence_prompts + 1
        if asked >= self.policy.silence_prompts:
            speaking.say(self, self.phrases.goodbye_after_silence, Closing("caller_silent"))
        elif self.phrases.still_there:
            speaking.say(self, self.phrases.still_there[asked % len(self.phrases.still_there)])

    def warn_of_time(self) -> None:
        """The longest call is nearly over."""
        self.warned = True
        speaking.say(self, self.phrases.time_warning)

    def end(self, reason: str) -> None:
        """Hang up."""
        self.leave(CallTrigger.HUNG_UP)
        self._commands.append(EndCall(reason))

    def leave(self, trigger: CallTrigger) -> None:
        """The call is over; what was said until now stays, and a backchannel stays one."""
        over_the_agent = self.reply is not None and self.reply.begun
        listening.resolve_late(self)
        if over_the_agent:
            listening.write_backchannel(self)
        speaking.drop_reply(self)
        if not over_the_agent:
            listening.write_words(self, self.entries)
        self.call = follow(CALL, self.call, trigger)
