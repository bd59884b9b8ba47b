"""When things happen in a conversation.

A rule is a moment and a deed: `due` says from which moment on the rule applies as things stand (None: not at all),
`act` is the verb of the conversation that follows. Nobody sets or cancels a timer; every moment is computed afresh from
what is known, so a fact that comes late is judged at once, and time that was spent elsewhere is not waited for again.
Earlier rules go first.
"""

from collections.abc import Callable
from dataclasses import dataclass

from client_caller.conversation import listening, speaking
from client_caller.conversation.barge_in import Claim, claim, patience_with
from client_caller.conversation.completeness import promises_more
from client_caller.conversation.memory import Memory
from client_caller.conversation.state import CallState, ReplyState, TurnState
from client_caller.conversation.turn import WINDOW
from client_caller.conversation.words import same_words

NOW = 0
"""A moment that is always reached."""
LEAD = 400
"""Milliseconds of audio that may be on their way to the far end's ear (DESIGN: pacing)."""


@dataclass(frozen=True, slots=True)
class Rule:
    due: Callable[[Memory], int | None]
    act: Callable[[Memory], None]


def settle(c: Memory) -> int | None:
    """Act until no rule applies; returns when the next one will, None after the end."""
    while c.call is not CallState.ENDED:
        due, rule = _next(c)
        if due > c.now:
            return due
        rule.act(c)
    return None


def _next(c: Memory) -> tuple[int, Rule]:
    """The first rule that applies now, else the one that will apply soonest; `_hard_stop` always will."""
    soonest: tuple[int, Rule] | None = None
    for rule in RULES:
        due = rule.due(c)
        if due is None:
            continue
        if due <= c.now:
            return due, rule
        if soonest is None or due < soonest[0]:
            soonest = due, rule
    assert soonest is not None
    return soonest


def _silence(c: Memory, milliseconds: int) -> int:
    """When the caller will have been silent for so long, counted from the end of their voice.

    Believed at that moment only if their audio is known nearly up to it; a line that stalls is given some patience.
    """
    due = c.turn.voice.ended + milliseconds
    lag = min(c.policy.audio_lag, milliseconds // 2)
    return due if c.turn.silent_through >= due - lag else due + c.policy.audio_stall


def _lost(c: Memory) -> int | None:
    """A line that goes dead in the middle of a word would leave the floor with nobody."""
    speaking = c.turn.state is TurnState.SPEAKING
    return c.turn.heard_through + c.policy.audio_lag + c.policy.audio_stall if speaking else None


def _agent_final(c: Memory) -> bool:
    return c.reply is not None and c.reply.final


# ---------------------------------------------------------------- the call's length


def _hard_stop(c: Memory) -> int:
    return c.connected_at + c.policy.max_call + c.policy.hard_stop


def _time_over(c: Memory) -> int | None:
    return None if _agent_final(c) else c.connected_at + c.policy.max_call


def _time_warning(c: Memory) -> int | None:
    idle = c.call is CallState.LIVE and c.reply is None and c.turn.state is TurnState.QUIET
    if c.warned or not idle or c.policy.max_call <= c.policy.max_call_warning:
        return None
    return c.connected_at + c.policy.max_call - c.policy.max_call_warning


def _hang_up(c: Memory) -> int | None:
    if c.call is not CallState.CLOSING or c.reply is not None or c.turn.holds_floor(c.now, c.policy):
        return None
    return c.closed_at + c.policy.goodbye_linger


def _end_closing(c: Memory) -> None:
    assert c.closing is not None
    speaking.end(c, c.closing.reason)


# ---------------------------------------------------------------- who has the floor?


def _claim(c: Memory) -> Claim:
    """What the caller's sound asks of a reply that they hear. Noise that is known for noise does not take the floor."""
    turn = c.turn
    if turn.state is TurnState.QUIET or turn.wordless(c.now, c.policy):
        return Claim.NOTHING
    found = claim(turn.text, turn.utterance, turn.voice_length(c.policy), turn.ending(c.policy), c.policy, c.phrases)
    noise = not turn.text and not c.believes_in_words
    return Claim.SILENCE if found is Claim.FLOOR and noise else found


def _barge_in(c: Memory) -> int | None:
    begun = c.reply is not None and c.reply.begun and not c.reply.final
    return NOW if begun and _claim(c) is Claim.FLOOR else None


def _duck(c: Memory) -> int | None:
    loud = c.reply is not None and c.reply.state is ReplyState.AUDIBLE and not c.reply.final
    return NOW if loud and _claim(c) is Claim.EAR else None


def _pause(c: Memory) -> int | None:
    audible = c.reply is not None and c.reply.audible and not c.reply.final
    return NOW if audible and _claim(c) is Claim.SILENCE else None


def _resume(c: Memory) -> int | None:
    """Words may still come for a sound that is over: a pause that is made anyway waits for them a little.

    One that is too long for a breath already waits for the utterance to end, since its words are known about then.
    """
    reply = c.reply
    if reply is None or reply.state not in (ReplyState.DUCKED, ReplyState.PAUSED) or _claim(c) is not Claim.NOTHING:
        return None
    turn = c.turn
    if reply.state is ReplyState.DUCKED or turn.text or turn.understood or turn.wordless(c.now, c.policy):
        return NOW
    breath = reply.paused_at + c.policy.barge_in_doubt
    over = turn.voice.ended + c.policy.barge_in_over
    return breath if over <= breath else turn.voice.ended + c.policy.utterance_gap


def _aside(c: Memory) -> int | None:
    if c.reply is None or not c.reply.begun or c.turn.state is not TurnState.PAUSING:
        return None
    return _silence(c, patience_with(understood=c.turn.understood, policy=c.policy))


def _hold(c: Memory) -> int | None:
    released = c.reply is not None and c.reply.state is ReplyState.RELEASED and not c.reply.final
    speaking = c.turn.state is TurnState.SPEAKING and c.turn.holds_floor(c.now, c.policy)
    return NOW if released and speaking else None


def _withdraw(c: Memory) -> int | None:
    reply = c.reply
    if reply is None or reply.final or reply.begun:
        return None
    doubted = reply.made_by_model and c.doubtful
    return NOW if doubted or not same_words(reply.answers, c.words) else None


def _release(c: Memory) -> int | None:
    reply = c.reply
    if reply is None or reply.state is not ReplyState.HELD or not reply.committed:
        return None
    return NOW if reply.final or not c.turn.holds_floor(c.now, c.policy) else None


# ---------------------------------------------------------------- has the caller finished?


def _finish_transcript(c: Memory) -> int | None:
    if c.turn.state is not TurnState.PAUSING or c.turn.request is not None:
        return None
    return _silence(c, c.policy.finish_transcript_after)


def _judge_again(c: Memory) -> int | None:
    turn = c.turn
    if turn.state is not TurnState.PAUSING or turn.judged_again or turn.completion is None:
        return None
    return _silence(c, c.policy.judge_again_after) if turn.completion < c.policy.sounds_likely else None


def _speculate(c: Memory) -> int | None:
    """Words that may well be the turn's last are answered before that is sure."""
    turn = c.turn
    if c.reply is not None or not turn.text or turn.state is TurnState.QUIET or not c.may_guess:
        return None
    wants_more = promises_more(turn.text, c.phrases)
    if turn.state is TurnState.PAUSING:
        return _silence(c, c.policy.endpoint_open // 2 if wants_more else c.policy.speculate_after)
    if not wants_more and turn.breath >= c.policy.speculate_after:
        return NOW
    few = turn.guesses + c.policy.guesses_kept < c.policy.guesses_in_a_turn
    if c.policy.stable_partial is None or wants_more or not few:
        return None
    return turn.words_since + c.policy.stable_partial


def _speak_up(c: Memory) -> int | None:
    """What the model says to a guess is worth a voice once the caller pauses or draws breath, or the turn is over."""
    reply, turn = c.reply, c.turn
    if reply is None or not reply.unspoken:
        return None
    pausing = turn.state is not TurnState.SPEAKING or turn.breath >= c.policy.speculate_after
    return NOW if reply.committed or pausing else None


def _turn_over(c: Memory) -> int | None:
    """Where the caller may just be beginning to speak again, the window that will tell is waited for."""
    turn = c.turn
    agent_speaks = c.reply is not None and (c.reply.begun or c.reply.final)
    if turn.state is not TurnState.PAUSING or agent_speaks:
        return None
    due = _silence(c, c.silence_needed)
    return max(due, turn.heard_through + WINDOW + c.policy.audio_lag) if turn.may_begin else due


def _end_turn(c: Memory) -> None:
    """Words are a turn, and so may be speech without words. The rest was noise."""
    if c.turn.text or c.unintelligible:
        listening.take_turn(c)
    else:
        listening.dismiss(c)


def _owed(c: Memory) -> int | None:
    owed = c.unanswered is not None and c.reply is None
    return NOW if owed and not c.turn.holds_floor(c.now, c.policy) else None


def _answer(c: Memory) -> None:
    if c.words and not c.clarify:
        speaking.begin_reply(c, committed=True)
    else:
        c.unanswered = None
        c.not_understood += 1
        speaking.say(c, c.phrases.unsure if c.clarify else c.phrases.not_understood)
        c.clarify = False


def _tell_news(c: Memory) -> int | None:
    free = c.call is CallState.LIVE and c.reply is None and not c.turn.holds_floor(c.now, c.policy)
    return NOW if c.tool_news and free else None


# ---------------------------------------------------------------- is the reply over?


def _complete(c: Memory) -> int | None:
    reply = c.reply
    if reply is None or reply.state is ReplyState.HELD or not reply.done_thinking:
        return None
    if not reply.playout.clauses:
        return NOW if reply.closing is not None else None
    if not reply.audible or not reply.playout.all_sent:
        return None
    return NOW if reply.playout.all_heard else reply.progress_at + LEAD + c.policy.acknowledgement_patience


def _empty(c: Memory) -> int | None:
    """A model that says nothing would leave the line silent."""
    reply = c.reply
    silent = reply is not None and reply.done_thinking and not reply.said_anything and reply.closing is None
    return NOW if silent else None


def _go_on(c: Memory) -> int | None:
    reply = c.reply
    return NOW if reply is not None and reply.to_go_on and not reply.generating and not reply.asked else None


def _give_up(c: Memory) -> int | None:
    """A voice that hangs is given up; so is a model, however many fillers were heard. A tool takes its time."""
    reply = c.reply
    if reply is None or reply.state is ReplyState.HELD:
        return None
    if not reply.playout.all_heard:
        return reply.progress_at + c.policy.reply_patience
    return reply.thought_at + c.policy.reply_patience if reply.generating and not reply.asked else None


# ---------------------------------------------------------------- silence is owned


def _filler(c: Memory) -> int | None:
    reply = c.reply
    if reply is None or reply.state is ReplyState.HELD or reply.done_thinking or not c.phrases.fillers:
        return None
    if not reply.playout.all_heard or c.turn.holds_floor(c.now, c.policy):
        return None
    if reply.wait_announced:
        return reply.quiet_since + c.policy.filler_again
    return reply.quiet_since + (c.policy.tool_filler_after if reply.filler else c.policy.filler_after)


def _prompt(c: Memory) -> int | None:
    if c.call is not CallState.LIVE or c.reply is not None or c.turn.holds_floor(c.now, c.policy):
        return None
    return max(c.connected_at, c.agent_quiet_since) + c.policy.silence_prompt


RULES = (
    Rule(_hard_stop, lambda c: speaking.end(c, "max_call")),
    Rule(_time_over, lambda c: speaking.say_last_words(c, c.phrases.time_over, "max_call")),
    Rule(_barge_in, speaking.interrupt),
    Rule(_pause, speaking.pause),
    Rule(_duck, speaking.duck),
    Rule(_resume, speaking.resume),
    Rule(_hold, speaking.hold),
    Rule(_lost, lambda c: c.turn.fall_silent()),
    Rule(_finish_transcript, listening.finish_transcript),
    Rule(_judge_again, listening.judge_again),
    Rule(_withdraw, speaking.withdraw),
    Rule(_turn_over, _end_turn),
    Rule(_aside, listening.set_aside),
    Rule(_speculate, speaking.guess_reply),
    Rule(_speak_up, speaking.speak_up),
    Rule(_owed, _answer),
    Rule(_release, speaking.release),
    Rule(_go_on, speaking.go_on),
    Rule(_complete, speaking.complete),
    Rule(_empty, speaking.fail),
    Rule(_give_up, speaking.fail),
    Rule(_hang_up, _end_closing),
    Rule(_filler, speaking.say_filler),
    Rule(_tell_news, lambda c: speaking.begin_reply(c, committed=True)),
    Rule(_time_warning, speaking.warn_of_time),
    Rule(_prompt, speaking.ask_whether_there),
)
