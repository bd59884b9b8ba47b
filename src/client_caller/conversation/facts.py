"""What each event says, written into the conversation.

`note` only takes down what is known now; what follows from it is for the rules (`rules.py`) to find.
"""

from collections.abc import Sequence
from dataclasses import replace

from client_caller.conversation import events, listening, speaking
from client_caller.conversation.barge_in import hard_stops
from client_caller.conversation.completeness import KEY
from client_caller.conversation.echo import ENOUGH, is_echo, without_own_words
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry, ToolCall, ToolUsed
from client_caller.conversation.memory import Memory
from client_caller.conversation.policy import HANG_UP
from client_caller.conversation.reply import Reply
from client_caller.conversation.state import CALL, CallState, CallTrigger, ReplyState, TurnState, follow
from client_caller.conversation.words import words

SAY_GOODBYE = "The call ends as soon as the caller has heard your goodbye. Say it now."
"""What the model is told when it hangs up without a word."""


def note(c: Memory, event: events.Event) -> bool:
    """Write down one event. Returns whether the rules have to look at it."""
    match event:
        case events.SpeechProbability():
            return _listen(c, replace(event, probability=0.0) if _is_agents(c, event) else event)
        case events.LineQuality(bad=bad):
            c.line_bad = bad
            return False
        case events.TimePassed():
            return False
        case events.PartialTranscript(text=text):
            _hear_partial(c, _callers_words(c, text.strip()))
        case events.FinalTranscript(text=text, confidence=confidence):
            _hear_final(c, _callers_words(c, text.strip()), confidence)
        case events.TranscriptFinished(request=request):
            _understand(c, request)
        case events.TurnJudged(request=request, completion=completion):
            c.turn.completion = completion if request == c.turn.request else c.turn.completion
        case events.DigitPressed(digit=digit):
            c.turn.add(KEY.format(digit), c.now, confidence=1.0)
            c.turn.last_speech = c.turn.voice.ended = max(c.turn.last_speech, c.now)
        case events.ToolFinished():
            _tool_finished(c, event)
        case events.CallStarted(earlier=earlier):
            _connect(c, earlier)
        case events.CallEnded():
            speaking.leave(c, CallTrigger.GONE)
        case events.EngineFailed(reply=None):
            _lose_ear(c)
        case events.WordProven() if c.reply is None or event.reply != c.reply.number:
            _note_proof(c, event)
        case _:
            return c.reply is not None and event.reply == c.reply.number and _note_reply(c, c.reply, event)
    return True


# ---------------------------------------------------------------- the call


def _connect(c: Memory, earlier: Sequence[Entry]) -> None:
    if c.call is not CallState.WAITING:
        return
    c.call = follow(CALL, c.call, CallTrigger.CONNECTED)
    c.connected_at = c.turn_over_at = c.now
    c.entries.extend(earlier)
    if c.notice_owed and _heard_notice(earlier, c.phrases.recording_notice):
        speaking.record(c)
    if earlier and isinstance(earlier[-1], CallerSaid):
        c.unanswered = len(c.entries) - 1
    elif earlier:
        speaking.say(c, c.phrases.resumed)
    elif c.phrases.greeting is None:
        speaking.begin_reply(c, committed=True)
    else:
        speaking.say(c, c.phrases.greeting)


def _heard_notice(earlier: Sequence[Entry], notice: str) -> bool:
    """Whether it was heard to its end before the connection was lost: then it is not owed again."""
    return any(isinstance(entry, AgentSaid) and notice in entry.heard for entry in earlier)


# ---------------------------------------------------------------- the caller's voice and words


def _listen(c: Memory, heard: events.SpeechProbability) -> bool:
    before = c.turn.state
    audio_end, over_agent = min(heard.audio_end, heard.at), c.reply is not None and c.reply.begun
    changed = c.turn.listen(audio_end, heard.probability, c.policy, heard.level, over_agent=over_agent)
    if not changed:
        return c.turn.state is TurnState.PAUSING
    goes_on = before is c.turn.state is TurnState.SPEAKING and c.turn.breath < c.policy.speculate_after
    # With nobody to interrupt, speech that goes on only puts moments off.
    return c.reply is not None or not goes_on or c.turn.wordless(c.now, c.policy)


def _is_agents(c: Memory, window: events.SpeechProbability) -> bool:
    """Whether a window of speech is the agent's own, or may be: an echo that has only begun sounds like a voice."""
    if window.probability < c.policy.silence_threshold:
        c.unexplained = 0
        return False
    if is_echo(window, c.policy):
        c.echoes += 1
        c.unexplained = 0
        return True
    c.unexplained += 1
    over_agent = c.echoes >= ENOUGH and c.reply is not None and c.reply.begun
    begins = c.now - c.turn.last_speech > c.policy.utterance_gap
    return over_agent and begins and c.unexplained <= c.policy.echo_onset


def _callers_words(c: Memory, text: str) -> str:
    """A transcript without what the line brought back of the agent's; that of a turn long known is the caller's."""
    if c.echoes < ENOUGH or (c.late is not None and c.late.entry is not None):
        return text
    return without_own_words(text, c.agent_says, c.turn.voiced, c.policy)


def _hear_partial(c: Memory, text: str) -> None:
    noticed = c.turn.state is not TurnState.QUIET or _tells_to_stop(c, text)
    if c.late is None and noticed and not c.turn.understood:
        c.turn.guess(text, c.now)


def _tells_to_stop(c: Memory, text: str) -> bool:
    """Whether words prove a caller whose voice was not noticed: they stop the agent, and are not an echo of its own."""
    if c.reply is None or not c.reply.begun or c.echoes >= ENOUGH:
        return False
    return bool(hard_stops(words(text), c.phrases) - hard_stops(words(c.agent_says), c.phrases))


def _hear_final(c: Memory, text: str, confidence: float | None) -> None:
    c.deaf = 0
    if not text:
        return
    if c.late is not None:
        c.late.finals.append(text)
    else:
        c.turn.add(text, c.now, confidence)


def _understand(c: Memory, request: int) -> None:
    c.deaf = 0
    if c.late is not None and request == c.late.request:
        listening.resolve_late(c)
    elif request == c.turn.request:
        c.turn.partial = ""
        c.turn.understood = True


def _lose_ear(c: Memory) -> None:
    """Speech to text failed: what is known of the words is all that will be known."""
    c.deaf_since = c.deaf_since if c.deaf else c.now
    c.deaf += 1
    listening.resolve_late(c)
    if c.turn.request is not None:
        c.turn.understood = True
    leaving = c.reply is not None and c.reply.final
    given_up = c.deaf >= c.policy.failures_in_a_row and c.now - c.deaf_since >= c.policy.outage
    if given_up and not leaving:
        speaking.say_last_words(c, c.phrases.trouble_goodbye, "engine_failed")


# ---------------------------------------------------------------- the agent's reply


def _note_reply(c: Memory, reply: Reply, event: events.ReplyEvent) -> bool:
    """Returns whether the rules have to look at it: what only goes on as it should puts moments off."""
    news = True
    match event:
        case events.ReplyText(text=text) if reply.generating:
            reply.thought_at = c.now
            reply.unspoken += reply.splitter.feed(text)
            news = bool(reply.unspoken)
        case events.ReplyFinished() if reply.generating:
            reply.generating = False
            reply.unspoken += reply.splitter.finish()
            _ask_for_goodbye(c, reply)
        case events.ToolRequested() if reply.generating:
            _tool_requested(c, reply, event)
        case events.PlaybackStarted() if reply.state is ReplyState.RELEASED and reply.playout.clauses:
            speaking.sound(c)
        case events.WordSent(clause=clause, word=word) if reply.playout.send(clause, word):
            news = reply.playout.all_sent
        case events.WordAcknowledged(clause=clause, word=word) | events.WordProven(clause=clause, word=word) if (
            reply.playout.acknowledge(clause, word)
        ):
            speaking.acknowledged(c, reply)
            news = reply.playout.all_heard
        case events.EngineFailed(stage="llm") if reply.begun and not reply.playout.all_heard:
            reply.broken, reply.generating, reply.to_go_on = True, False, False
            reply.asked.clear()
        case events.EngineFailed():
            speaking.fail(c)
        case events.ClauseAudioStarted() | events.ClauseAudioFinished():
            news = False
        case _:
            return False
    reply.progress_at = c.now
    return news


def _note_proof(c: Memory, event: events.WordProven) -> None:
    """More of a reply that is over was heard than was known: the history has to say so."""
    for ended in c.ended:
        reply = ended.reply
        if reply.number == event.reply and reply.playout.acknowledge(event.clause, event.word):
            said = reply.said(ended.at)
            assert said is not None
            c.entries[ended.entry] = said
            speaking.acknowledged(c, reply)


# ---------------------------------------------------------------- tools


def _tool_requested(c: Memory, reply: Reply, event: events.ToolRequested) -> None:
    call = ToolCall(event.tool_call, event.name, event.arguments)
    if call.name == HANG_UP:
        reply.hang_up = reply.hang_up or call
        speaking.close_after(reply, "agent_hung_up")
        return
    repeated = call.id in reply.asked or call.id in c.running
    if repeated or len(reply.used) + len(reply.asked) >= c.policy.tools_in_a_reply:
        speaking.fail(c)
        return
    reply.asked[call.id] = call
    reply.waiting.append(call)
    reply.filler = event.filler
    reply.thought_at = c.now
    if reply.state is not ReplyState.HELD:
        speaking.run_tools(c, reply)


def _ask_for_goodbye(c: Memory, reply: Reply) -> None:
    """A model that hangs up without a word is asked, once, for the word."""
    call = reply.hang_up
    if call is None or reply.said_anything or any(tool.tool_call == call.id for tool in reply.used):
        return
    reply.used.append(ToolUsed(c.now, call.id, call.name, call.arguments, SAY_GOODBYE, failed=False))
    reply.to_go_on = True


def _tool_finished(c: Memory, event: events.ToolFinished) -> None:
    call = c.running.pop(event.tool_call, None)
    if call is None:
        return
    used = ToolUsed(c.now, call.id, call.name, call.arguments, event.result, event.failed)
    if c.reply is not None and c.reply.asked.pop(call.id, None) is not None:
        c.reply.used.append(used)
        c.reply.to_go_on = True
    else:
        c.entries.append(used)
        c.tool_news = True
