"""The conversation of one call: facts in, commands out.

`receive` takes one event, writes down what it says (`facts.py`) and then lets the rules (`rules.py`) act until none has
anything left to do. This file holds the state, and the verbs with which it changes; it decides nothing about *when*.
"""

from collections import deque
from collections.abc import Sequence

from client_caller.conversation import events, facts, listening, rules
from client_caller.conversation.clauses import ClauseSplitter, clauses_of
from client_caller.conversation.commands import (
    CancelReply,
    Command,
    Duck,
    EndCall,
    Hold,
    Pause,
    Release,
    Resume,
    RunTool,
    Speak,
    StartRecording,
    StartReply,
)
from client_caller.conversation.endpointing import Evidence, is_farewell, silence_needed
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
from client_caller.conversation.state import (
    CALL,
    REPLY,
    CallState,
    CallTrigger,
    ReplyTrigger,
    View,
    follow,
    view,
)
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
        self._said_before = ""
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

        self._evidence: Evidence | None = None
        """What `_needed` was worked out from."""
        self._needed = 0
        self._commands: list[Command] = []
        self._deadline: int | None = None
        self._replies = 0
        self.requests = 0
        self._fillers = 0

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
        return f"{self._said_before} {self.reply.playout.out}" if self.reply is not None else self._said_before

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

    # ---------------------------------------------------------------- the reply: begin, speak, go on

    def begin_reply(self, *, committed: bool) -> None:
        """Ask the model for an answer to the caller's words; on a guess, while the turn is not yet over."""
        self.tool_news = False
        reply = self._new_reply(self.words, by_model=True, committed=committed)
        self._commands.append(StartReply(reply.number))
        self._speak_notice(reply)
        self._remark_on_line(reply)

    def guess_reply(self) -> None:
        """Ask the model for an answer to words that may not be the caller's last."""
        self.turn.guesses += 1
        self.begin_reply(committed=False)

    def say(self, text: str, closing: Closing | None = None) -> None:
        """Say something that needs no model. An empty phrase is not said; if it was to end the call, that ends now."""
        clauses = clauses_of(text, self.policy)
        if clauses:
            reply = self._new_reply("", by_model=False, committed=True)
            reply.closing = closing
            self._speak_notice(reply)
            if closing is None:
                self._remark_on_line(reply)
            self.speak(reply, clauses)
        elif closing is not None:
            self.end(closing.reason)

    def say_last_words(self, text: str, reason: str) -> None:
        """Say goodbye whatever the caller does, and hang up."""
        self.drop_reply()
        self.say(text, Closing(reason, final=True))

    def say_filler(self) -> None:
        """Let the caller know that the agent is still at it."""
        reply = self._present()
        text = reply.filler or self.phrases.fillers[self._fillers % len(self.phrases.fillers)]
        reply.filler = ""
        reply.quiet_since = self.now
        self._fillers += 1
        self.speak(reply, clauses_of(text, self.policy))
        reply.wait_announced = True

    def speak(self, reply: Reply, clauses: Sequence[str]) -> None:
        """Have clauses synthesised."""
        for text in clauses:
            self._commands.append(Speak(reply.number, reply.playout.queue(text), text))
            reply.wait_announced = False

    def speak_up(self) -> None:
        """Have what the model said until now synthesised."""
        reply = self._present()
        clauses, reply.unspoken = reply.unspoken, []
        self.speak(reply, clauses)

    def go_on(self) -> None:
        """Ask the model to go on, now that its tools have answered."""
        reply = self._present()
        reply.to_go_on = False
        reply.generating = True
        reply.thought_at = self.now
        self._commands.append(StartReply(reply.number))

    def run_tools(self, reply: Reply) -> None:
        """Start the tools that the reply waits for."""
        for call in reply.waiting:
            self.running[call.id] = call
            self._commands.append(RunTool(call.id, call.name, call.arguments))
        reply.waiting.clear()

    def close_after(self, reply: Reply, reason: str) -> None:
        """Make this reply the last one."""
        reply.closing = reply.closing or Closing(reason)

    def _new_reply(self, answers: str, *, by_model: bool, committed: bool) -> Reply:
        self._replies += 1
        self.reply = Reply(
            number=self._replies,
            answers=answers,
            splitter=ClauseSplitter(self.policy),
            made_by_model=by_model,
            generating=by_model,
            committed=committed,
            progress_at=self.now,
            thought_at=self.now,
            quiet_since=self.now,
        )
        return self.reply

    def _speak_notice(self, reply: Reply) -> None:
        if self.notice_owed:
            reply.notice = len(reply.playout.clauses)
            self.speak(reply, [self.phrases.recording_notice])

    def _remark_on_line(self, reply: Reply) -> None:
        """Begin with what the caller should know, so that they move or speak up; nobody wants to hear it twice."""
        if self.line_bad and not self.line_told:
            reply.remarks = True
            self.speak(reply, clauses_of(self.phrases.bad_line, self.policy))

    def _present(self) -> Reply:
        assert self.reply is not None, "a rule acted on a reply that is not there"
        return self.reply

    # ---------------------------------------------------------------- the reply: audible or not

    def release(self) -> None:
        """Let the reply be heard."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.RELEASE)
        reply.progress_at = reply.thought_at = self.now
        reply.quiet_since = self.now if self.unanswered is None else self.turn_over_at
        if is_farewell(reply.answers, self.phrases):
            self.close_after(reply, "caller_said_goodbye")
        self._commands.append(Release(reply.number))
        self.run_tools(reply)

    def hold(self) -> None:
        """Wait: the caller goes on, and nothing was heard yet."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.HOLD)
        self._commands.append(Hold(reply.number))

    def sound(self) -> None:
        """The reply became audible: what it answers is answered."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.SOUND)
        reply.started = self.now
        self.line_told = self.line_told or reply.remarks
        self.unanswered = None
        self.interrupted = False
        if reply.made_by_model:
            self.failures = 0

    def duck(self) -> None:
        """Go on softly: the caller makes a sound."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.DUCK)
        self._commands.append(Duck(reply.number))

    def pause(self) -> None:
        """Be silent, until it is known what the caller wants."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.PAUSE)
        reply.paused_at = self.now
        self._commands.append(Pause(reply.number))

    def resume(self) -> None:
        """Go on: the caller did not want the floor."""
        reply = self._present()
        reply.state = follow(REPLY, reply.state, ReplyTrigger.RESUME)
        if reply.playout.acknowledged != reply.playout.sent:
            reply.progress_at = self.now  # their marks come anew
        self._commands.append(Resume(reply.number))

    def acknowledged(self, reply: Reply) -> None:
        """One more word was heard."""
        reply.quiet_since = self.now
        if self.notice_owed and reply.notice is not None and reply.playout.heard_clause(reply.notice):
            self.record()

    def record(self) -> None:
        """The notice of recording was heard."""
        self.notice_owed = False
        self._commands.append(StartRecording())

    # ---------------------------------------------------------------- the reply: its end

    def complete(self) -> None:
        """The reply is over: its last word was heard, or will never be known to be."""
        reply = self._present()
        self._end_reply(ReplyTrigger.COMPLETE)
        if reply.broken:
            self._apologise(reply)
        elif reply.final:
            self.end(reply.closing.reason if reply.closing is not None else "")
        elif reply.closing is not None:
            self.call = follow(CALL, self.call, CallTrigger.FAREWELL)
            self.closing, self.closed_at = reply.closing, self.now
            self.unanswered = None

    def interrupt(self) -> None:
        """The caller takes the floor."""
        self._end_reply(ReplyTrigger.INTERRUPT)
        self.interrupted = True

    def withdraw(self) -> None:
        """Take the reply back: nobody has heard any of it."""
        self._end_reply(ReplyTrigger.WITHDRAW)

    def drop_reply(self) -> None:
        """Give up the reply, if there is one, in whatever state."""
        if self.reply is not None:
            self._end_reply(ReplyTrigger.INTERRUPT if self.reply.begun else ReplyTrigger.WITHDRAW)

    def fail(self) -> None:
        """The reply can't go on."""
        reply = self._present()
        self._end_reply(ReplyTrigger.FAIL)
        self._apologise(reply)

    def _apologise(self, reply: Reply) -> None:
        """Say that a reply failed; after too many of them say goodbye; with no voice left to say it, hang up.

        Nobody waits for a guess yet, and the caller may still be speaking: it is made again when the turn is over.
        """
        self.failures += reply.committed
        if reply.final:
            self.end("engine_failed")
        elif not reply.committed:
            self.speculation_spent = True
        elif self.failures >= self.policy.failures_in_a_row:
            self.say_last_words(self.phrases.trouble_goodbye, "engine_failed")
        else:
            self.unanswered = None
            self.say(self.phrases.trouble)

    def _end_reply(self, trigger: ReplyTrigger) -> None:
        reply = self._present()
        reply.state = follow(REPLY, reply.state, trigger)
        if trigger is not ReplyTrigger.COMPLETE:
            self._commands.append(CancelReply(reply.number))
        self._said_before = reply.playout.out or self._said_before
        if reply.started is None:
            self.wasted_words += len(reply.text.split())
        self.entries.extend(reply.used)
        said = reply.said(self.now)
        if said is not None:
            self.ended.append(Ended(reply, self.now, len(self.entries)))
            self.entries.append(said)
        self.reply = None
        self.agent_quiet_since = self.now

    # ---------------------------------------------------------------- the call

    def ask_whether_there(self) -> None:
        """The caller has been silent for long."""
        self.agent_quiet_since = self.now
        asked, self.silence_prompts = self.silence_prompts, self.silence_prompts + 1
        if asked >= self.policy.silence_prompts:
            self.say(self.phrases.goodbye_after_silence, Closing("caller_silent"))
        elif self.phrases.still_there:
            self.say(self.phrases.still_there[asked % len(self.phrases.still_there)])

    def warn_of_time(self) -> None:
        """The longest call is nearly over."""
        self.warned = True
        self.say(self.phrases.time_warning)

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
        self.drop_reply()
        if not over_the_agent:
            listening.write_words(self, self.entries)
        self.call = follow(CALL, self.call, trigger)
