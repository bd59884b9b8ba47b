"""What becomes of what the caller says: waited for, taken as a turn, set aside, or put right when it comes late.

The verbs of the caller's turn, as `speaking.py` has those of the agent's reply. When they are due is for the rules.
"""

from client_caller.conversation.commands import FinishTranscript, JudgeTurn
from client_caller.conversation.history import CallerSaid, Entry
from client_caller.conversation.memory import Late, Memory
from client_caller.conversation.state import CALL, CallState, CallTrigger, TurnTrigger, follow
from client_caller.conversation.words import same_words


def finish_transcript(c: Memory) -> None:
    """Ask for the final words of this pause; those of an earlier turn have had their time."""
    resolve_late(c)
    c.requests += 1
    c.turn.request = c.requests
    c.ask(FinishTranscript(c.requests), JudgeTurn(c.requests, c.words_began))


def judge_again(c: Memory) -> None:
    """Ask the turn model once more: it has heard more of the silence now."""
    assert c.turn.request is not None
    c.turn.judged_again = True
    c.ask(JudgeTurn(c.turn.request, c.words_began))


def take_turn(c: Memory) -> None:
    """The caller has finished."""
    known = _known_finals(c)
    c.clarify = c.doubtful
    if c.turn.text:
        write_words(c, c.entries)
        c.not_understood = c.not_understood if c.clarify else 0
    else:
        c.entries.append(CallerSaid(c.turn.started, c.turn.last_speech, ""))
    if c.unanswered is None:
        c.unanswered = len(c.entries) - 1
    _end_turn(c, TurnTrigger.TAKEN, c.unanswered, known)
    c.silence_prompts = 0
    if c.call is CallState.CLOSING:
        c.call = follow(CALL, c.call, CallTrigger.REOPENED)
        c.closing = None
    if c.reply is not None:
        c.reply.committed = True


def set_aside(c: Memory) -> None:
    """What the caller said over the agent's words did not want the floor: a backchannel, or no words at all."""
    entry = len(c.entries) if c.turn.text else None
    write_backchannel(c)
    _end_turn(c, TurnTrigger.DISMISSED, entry, list(c.turn.finals))


def dismiss(c: Memory) -> None:
    """It was no speech."""
    _end_turn(c, TurnTrigger.DISMISSED, None, [])


def resolve_late(c: Memory) -> None:
    """No more final words will come for a turn that is over: those that came are better than what it was taken for."""
    if c.late is None:
        return
    late, c.late = c.late, None
    text = " ".join(late.finals)
    if not text:
        return
    if late.entry is None:
        c.turn.add(text, c.now)
        return
    said = c.entries[late.entry]
    assert isinstance(said, CallerSaid)
    if not same_words(said.text, text):
        c.entries[late.entry] = CallerSaid(said.started, said.ended, text, said.backchannel)


def write_words(c: Memory, entries: list[Entry]) -> None:
    """Write the present turn's words, if it has any, into `entries`: into the turn still unanswered, if one is."""
    if not c.turn.text:
        return
    before = c.awaiting
    if before is None or c.unanswered is None:
        entries.append(CallerSaid(c.turn.started, c.turn.last_speech, c.turn.text))
    else:
        entries[c.unanswered] = CallerSaid(before.started, c.turn.last_speech, c.words)


def write_backchannel(c: Memory) -> None:
    """Write the present turn's words, if it has any, as a backchannel."""
    if c.turn.text:
        c.entries.append(CallerSaid(c.turn.started, c.turn.last_speech, c.turn.text, backchannel=True))


def _known_finals(c: Memory) -> list[str]:
    before = c.awaiting
    return [*([before.text] if before is not None and before.text else []), *c.turn.finals]


def _end_turn(c: Memory, trigger: TurnTrigger, entry: int | None, known: list[str]) -> None:
    if c.turn.request is not None and not c.turn.understood:
        c.late = Late(c.turn.request, entry, known)
    c.turn = c.turn.finish(trigger)
    c.turn_over_at = c.now
    c.interrupted = False
    c.speculation_spent = False
