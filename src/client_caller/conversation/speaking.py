"""What becomes of what the agent says: begun, spoken, held back, made softer or silent, and ended.

The verbs of the agent's reply, as `listening.py` has those of the caller's turn. When they are due is for the rules.
"""

from collections.abc import Sequence

from client_caller.conversation import listening
from client_caller.conversation.clauses import ClauseSplitter, clauses_of
from client_caller.conversation.commands import (
    CancelReply,
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
from client_caller.conversation.endpointing import is_farewell
from client_caller.conversation.memory import Memory
from client_caller.conversation.reply import Closing, Ended, Reply
from client_caller.conversation.state import CALL, REPLY, CallTrigger, ReplyTrigger, follow

# ---------------------------------------------------------------- begin, speak, go on


def begin_reply(c: Memory, *, committed: bool) -> None:
    """Ask the model for an answer to the caller's words; on a guess, while the turn is not yet over."""
    c.tool_news = False
    reply = _new_reply(c, c.words, by_model=True, committed=committed)
    c.ask(StartReply(reply.number))
    _speak_notice(c, reply)
    _remark_on_line(c, reply)


def guess_reply(c: Memory) -> None:
    """Ask the model for an answer to words that may not be the caller's last."""
    c.turn.guesses += 1
    begin_reply(c, committed=False)


def say(c: Memory, text: str, closing: Closing | None = None) -> None:
    """Say something that needs no model. An empty phrase is not said; if it was to end the call, that ends now."""
    clauses = clauses_of(text, c.policy)
    if clauses:
        reply = _new_reply(c, "", by_model=False, committed=True)
        reply.closing = closing
        _speak_notice(c, reply)
        if closing is None:
            _remark_on_line(c, reply)
        speak(c, reply, clauses)
    elif closing is not None:
        end(c, closing.reason)


def say_last_words(c: Memory, text: str, reason: str) -> None:
    """Say goodbye whatever the caller does, and hang up."""
    drop_reply(c)
    say(c, text, Closing(reason, final=True))


def say_filler(c: Memory) -> None:
    """Let the caller know that the agent is still at it."""
    reply = _present(c)
    text = reply.filler or c.phrases.fillers[c.fillers % len(c.phrases.fillers)]
    reply.filler = ""
    reply.quiet_since = c.now
    c.fillers += 1
    speak(c, reply, clauses_of(text, c.policy))
    reply.wait_announced = True


def speak(c: Memory, reply: Reply, clauses: Sequence[str]) -> None:
    """Have clauses synthesised."""
    for text in clauses:
        c.ask(Speak(reply.number, reply.playout.queue(text), text))
        reply.wait_announced = False


def speak_up(c: Memory) -> None:
    """Have what the model said until now synthesised."""
    reply = _present(c)
    clauses, reply.unspoken = reply.unspoken, []
    speak(c, reply, clauses)


def go_on(c: Memory) -> None:
    """Ask the model to go on, now that its tools have answered."""
    reply = _present(c)
    reply.to_go_on = False
    reply.generating = True
    reply.thought_at = c.now
    c.ask(StartReply(reply.number))


def run_tools(c: Memory, reply: Reply) -> None:
    """Start the tools that the reply waits for."""
    for call in reply.waiting:
        c.running[call.id] = call
        c.ask(RunTool(call.id, call.name, call.arguments))
    reply.waiting.clear()


def close_after(reply: Reply, reason: str) -> None:
    """Make this reply the last one."""
    reply.closing = reply.closing or Closing(reason)


def _new_reply(c: Memory, answers: str, *, by_model: bool, committed: bool) -> Reply:
    c.replies += 1
    c.reply = Reply(
        number=c.replies,
        answers=answers,
        splitter=ClauseSplitter(c.policy),
        made_by_model=by_model,
        generating=by_model,
        committed=committed,
        progress_at=c.now,
        thought_at=c.now,
        quiet_since=c.now,
    )
    return c.reply


def _speak_notice(c: Memory, reply: Reply) -> None:
    if c.notice_owed:
        reply.notice = len(reply.playout.clauses)
        speak(c, reply, [c.phrases.recording_notice])


def _remark_on_line(c: Memory, reply: Reply) -> None:
    """Begin with what the caller should know, so that they move or speak up; nobody wants to hear it twice."""
    if c.line_bad and not c.line_told:
        reply.remarks = True
        speak(c, reply, clauses_of(c.phrases.bad_line, c.policy))


def _present(c: Memory) -> Reply:
    assert c.reply is not None, "a rule acted on a reply that is not there"
    return c.reply


# ---------------------------------------------------------------- audible or not


def release(c: Memory) -> None:
    """Let the reply be heard."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.RELEASE)
    reply.progress_at = reply.thought_at = c.now
    reply.quiet_since = c.now if c.unanswered is None else c.turn_over_at
    if is_farewell(reply.answers, c.phrases):
        close_after(reply, "caller_said_goodbye")
    c.ask(Release(reply.number))
    run_tools(c, reply)


def hold(c: Memory) -> None:
    """Wait: the caller goes on, and nothing was heard yet."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.HOLD)
    c.ask(Hold(reply.number))


def sound(c: Memory) -> None:
    """The reply became audible: what it answers is answered."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.SOUND)
    reply.started = c.now
    c.line_told = c.line_told or reply.remarks
    c.unanswered = None
    c.interrupted = False
    if reply.made_by_model:
        c.failures = 0


def duck(c: Memory) -> None:
    """Go on softly: the caller makes a sound."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.DUCK)
    c.ask(Duck(reply.number))


def pause(c: Memory) -> None:
    """Be silent, until it is known what the caller wants."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.PAUSE)
    reply.paused_at = c.now
    c.ask(Pause(reply.number))


def resume(c: Memory) -> None:
    """Go on: the caller did not want the floor."""
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, ReplyTrigger.RESUME)
    if reply.playout.acknowledged != reply.playout.sent:
        reply.progress_at = c.now  # their marks come anew
    c.ask(Resume(reply.number))


def acknowledged(c: Memory, reply: Reply) -> None:
    """One more word was heard."""
    reply.quiet_since = c.now
    if c.notice_owed and reply.notice is not None and reply.playout.heard_clause(reply.notice):
        record(c)


def record(c: Memory) -> None:
    """The notice of recording was heard."""
    c.notice_owed = False
    c.ask(StartRecording())


# ---------------------------------------------------------------- the end of a reply


def complete(c: Memory) -> None:
    """The reply is over: its last word was heard, or will never be known to be."""
    reply = _present(c)
    _end_reply(c, ReplyTrigger.COMPLETE)
    if reply.broken:
        _apologise(c, reply)
    elif reply.final:
        end(c, reply.closing.reason if reply.closing is not None else "")
    elif reply.closing is not None:
        c.call = follow(CALL, c.call, CallTrigger.FAREWELL)
        c.closing, c.closed_at = reply.closing, c.now
        c.unanswered = None


def interrupt(c: Memory) -> None:
    """The caller takes the floor."""
    _end_reply(c, ReplyTrigger.INTERRUPT)
    c.interrupted = True


def withdraw(c: Memory) -> None:
    """Take the reply back: nobody has heard any of it."""
    _end_reply(c, ReplyTrigger.WITHDRAW)


def drop_reply(c: Memory) -> None:
    """Give up the reply, if there is one, in whatever state."""
    if c.reply is not None:
        _end_reply(c, ReplyTrigger.INTERRUPT if c.reply.begun else ReplyTrigger.WITHDRAW)


def fail(c: Memory) -> None:
    """The reply can't go on."""
    reply = _present(c)
    _end_reply(c, ReplyTrigger.FAIL)
    _apologise(c, reply)


def _apologise(c: Memory, reply: Reply) -> None:
    """Say that a reply failed; after too many of them say goodbye; with no voice left to say it, hang up.

    Nobody waits for a guess yet, and the caller may still be speaking: it is made again when the turn is over.
    """
    c.failures += reply.committed
    if reply.final:
        end(c, "engine_failed")
    elif not reply.committed:
        c.speculation_spent = True
    elif c.failures >= c.policy.failures_in_a_row:
        say_last_words(c, c.phrases.trouble_goodbye, "engine_failed")
    else:
        c.unanswered = None
        say(c, c.phrases.trouble)


def _end_reply(c: Memory, trigger: ReplyTrigger) -> None:
    reply = _present(c)
    reply.state = follow(REPLY, reply.state, trigger)
    if trigger is not ReplyTrigger.COMPLETE:
        c.ask(CancelReply(reply.number))
    c.last_out = reply.playout.out or c.last_out
    if reply.started is None:
        c.wasted_words += len(reply.text.split())
    c.entries.extend(reply.used)
    said = reply.said(c.now)
    if said is not None:
        c.ended.append(Ended(reply, c.now, len(c.entries)))
        c.entries.append(said)
    c.reply = None
    c.agent_quiet_since = c.now


# ---------------------------------------------------------------- the call


def ask_whether_there(c: Memory) -> None:
    """The caller has been silent for long."""
    c.agent_quiet_since = c.now
    asked, c.silence_prompts = c.silence_prompts, c.silence_prompts + 1
    if asked >= c.policy.silence_prompts:
        say(c, c.phrases.goodbye_after_silence, Closing("caller_silent"))
    elif c.phrases.still_there:
        say(c, c.phrases.still_there[asked % len(c.phrases.still_there)])


def warn_of_time(c: Memory) -> None:
    """The longest call is nearly over."""
    c.warned = True
    say(c, c.phrases.time_warning)


def end(c: Memory, reason: str) -> None:
    """Hang up."""
    leave(c, CallTrigger.HUNG_UP)
    c.ask(EndCall(reason))


def leave(c: Memory, trigger: CallTrigger) -> None:
    """The call is over; what was said until now stays, and a backchannel stays one."""
    over_the_agent = c.reply is not None and c.reply.begun
    listening.resolve_late(c)
    if over_the_agent:
        listening.write_backchannel(c)
    drop_reply(c)
    if not over_the_agent:
        listening.write_words(c, c.entries)
    c.call = follow(CALL, c.call, trigger)
