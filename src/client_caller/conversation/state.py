"""The states of a conversation, as tables.

Rule 1: which state may follow which is written here and nowhere else.
Rule 2: this file does not know why anything happens; `speaking.py` and `listening.py` do, and name it as a trigger.

Theory of operation
-------------------

A phone conversation is three small machines that watch each other.

*The call* is WAITING until both sides are connected, then LIVE. Once the caller has heard the agent's goodbye to its
last word it is CLOSING: the agent is about to hang up, unless the caller has one more thing to say, which makes it
LIVE again. ENDED is for ever.

*The caller's turn* is QUIET while there is nothing to answer. Speech makes it SPEAKING; silence after speech makes it
PAUSING, and there the question of endpointing is asked: has the caller finished? The silence that tells begins where
their voice ended, though breath and a hiss may sound like speech for longer. More speech says no, and where a sound has
only just begun, the answer waits for the window of audio that will tell what it is. The turn is then
TAKEN (its words become the caller's turn in the history, and a reply is owed) or DISMISSED (it was a cough, a passing
car, or an "uh-huh" that did not want the floor). Both lead back to QUIET.

*The agent's reply* begins HELD: the model may think and the voice may be synthesised, but not one sample goes out,
because the turn it answers is not surely over. RELEASED, it may be heard; with its first sample on the wire it is
AUDIBLE. From there it ends HEARD, when the far end has acknowledged its last word, or CUT, when the caller takes the
floor. Between the two lies doubt: a sound may be an interruption or a cough, and its words come later than the sound.
So the reply is DUCKED first: it goes on, but so softly that the caller need not speak over it. If the sound lasts it is
PAUSED, which costs little if it was nothing: it goes on from the first word that was not heard.
A reply that nobody has heard any of can still be taken back: the caller speaks again before the first sound, so
it is HELD once more, and if they say something new it is WITHDRAWN without a trace. That is why speech before the
agent's first sound is never an interruption: there is nothing to interrupt. FAILED is the end of a reply whose engine
gave up. There is at most one reply at a time; each has a number, and numbers are never used again.

What people call the state of an agent (IDLE, LISTENING, PROCESSING, SPEAKING, INTERRUPTED) is a view of these three,
computed by `view` and stored nowhere.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Literal, TypeVar


class CallState(Enum):
    WAITING = "waiting"
    LIVE = "live"
    CLOSING = "closing"
    ENDED = "ended"


class CallTrigger(Enum):
    CONNECTED = "connected"
    FAREWELL = "farewell"
    REOPENED = "reopened"
    HUNG_UP = "hung up"
    GONE = "gone"


class TurnState(Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    PAUSING = "pausing"


class TurnTrigger(Enum):
    SPEECH = "speech"
    SILENCE = "silence"
    WORDS = "words"
    TAKEN = "taken"
    DISMISSED = "dismissed"


class ReplyState(Enum):
    HELD = "held"
    RELEASED = "released"
    AUDIBLE = "audible"
    DUCKED = "ducked"
    PAUSED = "paused"
    HEARD = "heard"
    CUT = "cut"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"


class ReplyTrigger(Enum):
    RELEASE = "release"
    HOLD = "hold"
    SOUND = "sound"
    DUCK = "duck"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    INTERRUPT = "interrupt"
    WITHDRAW = "withdraw"
    FAIL = "fail"


CALL: Mapping[CallState, Mapping[CallTrigger, CallState]] = {
    CallState.WAITING: {
        CallTrigger.CONNECTED: CallState.LIVE,
        CallTrigger.GONE: CallState.ENDED,
    },
    CallState.LIVE: {
        CallTrigger.FAREWELL: CallState.CLOSING,
        CallTrigger.HUNG_UP: CallState.ENDED,
        CallTrigger.GONE: CallState.ENDED,
    },
    CallState.CLOSING: {
        CallTrigger.REOPENED: CallState.LIVE,
        CallTrigger.HUNG_UP: CallState.ENDED,
        CallTrigger.GONE: CallState.ENDED,
    },
    CallState.ENDED: {},
}

TURN: Mapping[TurnState, Mapping[TurnTrigger, TurnState]] = {
    TurnState.QUIET: {
        TurnTrigger.SPEECH: TurnState.SPEAKING,
        TurnTrigger.WORDS: TurnState.PAUSING,
    },
    TurnState.SPEAKING: {
        TurnTrigger.SILENCE: TurnState.PAUSING,
    },
    TurnState.PAUSING: {
        TurnTrigger.SPEECH: TurnState.SPEAKING,
        TurnTrigger.TAKEN: TurnState.QUIET,
        TurnTrigger.DISMISSED: TurnState.QUIET,
    },
}

REPLY: Mapping[ReplyState, Mapping[ReplyTrigger, ReplyState]] = {
    ReplyState.HELD: {
        ReplyTrigger.RELEASE: ReplyState.RELEASED,
        ReplyTrigger.WITHDRAW: ReplyState.WITHDRAWN,
        ReplyTrigger.FAIL: ReplyState.FAILED,
    },
    ReplyState.RELEASED: {
        ReplyTrigger.HOLD: ReplyState.HELD,
        ReplyTrigger.SOUND: ReplyState.AUDIBLE,
        ReplyTrigger.COMPLETE: ReplyState.HEARD,
        ReplyTrigger.WITHDRAW: ReplyState.WITHDRAWN,
        ReplyTrigger.FAIL: ReplyState.FAILED,
    },
    ReplyState.AUDIBLE: {
        ReplyTrigger.DUCK: ReplyState.DUCKED,
        ReplyTrigger.PAUSE: ReplyState.PAUSED,
        ReplyTrigger.COMPLETE: ReplyState.HEARD,
        ReplyTrigger.INTERRUPT: ReplyState.CUT,
        ReplyTrigger.FAIL: ReplyState.FAILED,
    },
    ReplyState.DUCKED: {
        ReplyTrigger.RESUME: ReplyState.AUDIBLE,
        ReplyTrigger.PAUSE: ReplyState.PAUSED,
        ReplyTrigger.COMPLETE: ReplyState.HEARD,
        ReplyTrigger.INTERRUPT: ReplyState.CUT,
        ReplyTrigger.FAIL: ReplyState.FAILED,
    },
    ReplyState.PAUSED: {
        ReplyTrigger.RESUME: ReplyState.AUDIBLE,
        ReplyTrigger.INTERRUPT: ReplyState.CUT,
        ReplyTrigger.FAIL: ReplyState.FAILED,
    },
    ReplyState.HEARD: {},
    ReplyState.CUT: {},
    ReplyState.WITHDRAWN: {},
    ReplyState.FAILED: {},
}

State = TypeVar("State")
Trigger = TypeVar("Trigger")


def follow(table: Mapping[State, Mapping[Trigger, State]], state: State, trigger: Trigger) -> State:
    """The state after `trigger`. KeyError where the table has no such step: a mistake of ours, never of the caller."""
    return table[state][trigger]


View = Literal["IDLE", "LISTENING", "PROCESSING", "SPEAKING", "INTERRUPTED"]


def view(call: CallState, turn: TurnState, reply: ReplyState | None, *, interrupted: bool) -> View:
    """What the three machines look like from outside; `interrupted`: the caller holds a floor that they took."""
    if call in (CallState.WAITING, CallState.ENDED):
        return "IDLE"
    if reply in (ReplyState.AUDIBLE, ReplyState.DUCKED):
        return "SPEAKING"
    if reply is ReplyState.RELEASED:
        return "PROCESSING"
    if interrupted and turn is not TurnState.QUIET:
        return "INTERRUPTED"
    return "LISTENING"
