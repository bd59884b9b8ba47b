"""The laws of the latency ledger."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from client_caller.conversation.commands import (
    CancelReply,
    Command,
    FinishTranscript,
    Hold,
    Pause,
    Release,
    Resume,
    Speak,
    StartReply,
)
from client_caller.conversation.events import (
    ClauseAudioStarted,
    EngineFailed,
    Event,
    FinalTranscript,
    PlaybackStarted,
    ReplyText,
    SpeechProbability,
    TimePassed,
    TranscriptFinished,
    WordAcknowledged,
)
from client_caller.conversation.policy import Policy
from client_caller.observe.latency import Ledger, Milestone, percentile

Steps = list[tuple[Event, Sequence[Command]]]


def windows(first: int, last: int, probability: float, delay: int = 10) -> Steps:
    return [(SpeechProbability(end + delay, end, probability), ()) for end in range(first, last + 1, 32)]


def ledger_of(steps: Steps) -> Ledger:
    ledger = Ledger(Policy())
    for event, commands in steps:
        ledger.note(event, commands)
    return ledger


SPOKEN = windows(32, 960, 0.9)
"""The caller's last sound is at 960; that it was the last is known at 1002."""


def answer(at: int) -> Steps:
    """A reply that is started at `at`: token after 200, clause after 60, voice after 90."""
    return [
        (ReplyText(at + 200, 1, "Yes, "), ()),
        (ReplyText(at + 260, 1, "sir. "), (Speak(1, 0, "Yes, sir."),)),
        (ClauseAudioStarted(at + 350, 1, 0), ()),
    ]


def test_one_thing_after_another() -> None:
    """Without anything done ahead, every stage is on the critical path and its share is its length."""
    ledger = ledger_of(
        [
            *SPOKEN,
            (SpeechProbability(1002, 992, 0.1), ()),
            (SpeechProbability(1066, 1056, 0.1), (FinishTranscript(1),)),
            (FinalTranscript(1180, "is it open"), ()),
            (TranscriptFinished(1181, 1), ()),
            (TimePassed(1440), (StartReply(1), Release(1))),
            *answer(1440),
            (PlaybackStarted(1800, 1), ()),
            (WordAcknowledged(2150, 1, 0, 0), ()),
            (WordAcknowledged(2550, 1, 0, 1), ()),
        ]
    )
    (turn,) = ledger.turns
    assert (turn.speech_end, turn.voice_to_voice, turn.ahead, turn.first_word_acknowledged) == (960, 840, False, 2150)
    assert [(stage.milestone.value, stage.began, stage.ended, stage.share) for stage in turn.stages] == [
        ("silence detected", 960, 1002, 42),
        ("transcript asked for", 1002, 1066, 64),
        ("transcript final", 1066, 1181, 115),
        ("turn over", 1181, 1440, 259),
        ("reply started", 1440, 1440, 0),
        ("first token", 1440, 1640, 200),
        ("first clause", 1640, 1700, 60),
        ("first audio", 1700, 1790, 90),
        ("first frame sent", 1790, 1800, 10),
    ]


def test_a_reply_that_was_started_ahead_is_hidden() -> None:
    """Where the voice was ready before the turn was over, all waiting was for the end of the turn."""
    ledger = ledger_of(
        [
            *SPOKEN,
            (SpeechProbability(1002, 992, 0.1), (FinishTranscript(1),)),
            (TranscriptFinished(1050, 1), (StartReply(1),)),
            *answer(1050),
            (TimePassed(1440), (Release(1),)),
            (PlaybackStarted(1460, 1), ()),
        ]
    )
    (turn,) = ledger.turns
    assert turn.ahead
    assert turn.voice_to_voice == 500
    assert {stage.milestone.name: stage.share for stage in turn.stages if stage.share} == {
        "SILENCE_KNOWN": 42,
        "TRANSCRIPT_FINAL": 48,
        "TURN_OVER": 390,
        "FIRST_FRAME": 20,
    }
    token = next(stage for stage in turn.stages if stage.milestone is Milestone.FIRST_TOKEN)
    assert (token.began, token.ended, token.share) == (1050, 1250, 0)


def test_speech_before_the_first_sound_moves_the_end_of_speech() -> None:
    """A reply held again because the caller went on is measured from what they said last."""
    ledger = ledger_of(
        [
            *SPOKEN,
            (SpeechProbability(1002, 992, 0.1), (StartReply(1),)),
            (TimePassed(1440), (Release(1),)),
            *windows(1472, 1664, 0.9),
            (TimePassed(1675), (Hold(1),)),
            (SpeechProbability(1706, 1696, 0.1), ()),
            (TimePassed(2000), (Release(1),)),
            (ClauseAudioStarted(2010, 1, 0), ()),
            (PlaybackStarted(2015, 1), ()),
        ]
    )
    assert [(turn.speech_end, turn.voice_to_voice) for turn in ledger.turns] == [(1664, 351)]


def test_what_answers_nobody_is_no_turn() -> None:
    """Greetings, prompts, withdrawn replies and a reply's later clauses make no turn; one click is no speech."""
    ledger = ledger_of(
        [
            (TimePassed(0), (StartReply(0), Release(0))),
            (PlaybackStarted(300, 0), ()),
            (SpeechProbability(500, 490, 0.9), ()),
            (SpeechProbability(532, 522, 0.1), ()),
            (TimePassed(8000), (Speak(1, 0, "Are you still there?"), Release(1))),
            (PlaybackStarted(8100, 1), ()),
            (TimePassed(9000), (StartReply(2), Release(2))),
            (PlaybackStarted(9100, 2), ()),
            *windows(10_000, 10_320, 0.9),
            (TimePassed(10_700), (StartReply(3), Release(3))),
            (TimePassed(10_800), (CancelReply(3),)),
            (PlaybackStarted(10_810, 3), ()),
        ]
    )
    assert ledger.turns == []
    assert ledger.barge_ins == []


def test_the_agents_own_echo_is_no_speech_of_the_callers() -> None:
    """The time to the answer runs from the caller's last sound, though the agent's came back after it."""
    ledger = ledger_of(
        [
            *windows(32, 960, 0.9),
            (SpeechProbability(1002, 992, 0.9, -30, 0.9), ()),
            (TimePassed(1100), (StartReply(1), Release(1))),
            (PlaybackStarted(1300, 1), ()),
        ]
    )
    assert [(turn.speech_end, turn.voice_to_voice) for turn in ledger.turns] == [(960, 340)]


def test_a_barge_in_is_speech_that_silences_the_agent() -> None:
    """It runs from the utterance's first sound to the cancel; a failure or a reply nobody heard is no barge-in."""
    ledger = ledger_of(
        [
            (PlaybackStarted(100, 1), ()),
            *windows(1032, 1448, 0.9),
            (SpeechProbability(1490, 1480, 0.9), (CancelReply(1),)),
            (TimePassed(1500), (CancelReply(2),)),
            (PlaybackStarted(2000, 3), ()),
            (EngineFailed(2100, "tts", "gone", 3), (CancelReply(3),)),
        ]
    )
    (barge_in,) = ledger.barge_ins
    assert (barge_in.reply, barge_in.speech_began, barge_in.yielded) == (1, 1000, 1490)


def test_a_pause_that_became_a_cut_silenced_the_agent() -> None:
    """The caller heard nothing any more from the pause on; a pause that was a false alarm does not count."""
    ledger = ledger_of(
        [
            (PlaybackStarted(100, 1), ()),
            *windows(1032, 1480, 0.9),
            (TimePassed(1485), (Pause(1),)),
            (SpeechProbability(1522, 1512, 0.1), ()),
            (TimePassed(1700), (Resume(1),)),
            *windows(2032, 2448, 0.9),
            (SpeechProbability(2490, 2480, 0.9), (Pause(1),)),
            (TranscriptFinished(2800, 1), (CancelReply(1),)),
        ]
    )
    (barge_in,) = ledger.barge_ins
    assert (barge_in.speech_began, barge_in.yielded) == (2000, 2490)


_reply = st.integers(0, 3)
_things: st.SearchStrategy[tuple[str, int]] = st.tuples(
    st.sampled_from(["speech", "silence", "final", "finish", "start", "text", "speak", "audio", "release", "hold"])
    | st.sampled_from(["cancel", "play", "play", "release", "start", "silence", "speech"]),
    _reply,
)


def _step(name: str, at: int, reply: int) -> tuple[Event, Sequence[Command]]:
    passed = TimePassed(at)
    steps: dict[str, tuple[Event, Sequence[Command]]] = {
        "speech": (SpeechProbability(at, at - 5, 0.9), ()),
        "silence": (SpeechProbability(at, at - 5, 0.1), ()),
        "final": (FinalTranscript(at, "x"), ()),
        "finish": (passed, (FinishTranscript(reply),)),
        "start": (passed, (StartReply(reply),)),
        "text": (ReplyText(at, reply, "x"), ()),
        "speak": (passed, (Speak(reply, 0, "x"),)),
        "audio": (ClauseAudioStarted(at, reply, 0), ()),
        "release": (passed, (Release(reply),)),
        "hold": (passed, (Hold(reply),)),
        "cancel": (passed, (CancelReply(reply),)),
        "play": (PlaybackStarted(at, reply), ()),
    }
    return steps[name]


@given(st.lists(st.tuples(_things, st.integers(0, 300)), max_size=80))
def test_the_shares_sum_to_the_latency(things: list[tuple[tuple[str, int], int]]) -> None:
    """Whatever happens in whatever order: no share is negative, and they sum to the latency to the millisecond."""
    at = 100
    steps: Steps = []
    for (name, reply), pause in things:
        at += pause
        steps.append(_step(name, at, reply))
    for turn in ledger_of(steps).turns:
        assert sum(stage.share for stage in turn.stages) == turn.voice_to_voice
        for stage in turn.stages:
            assert turn.speech_end <= stage.began <= stage.ended <= turn.first_frame
            assert stage.share in (0, stage.ended - stage.began)


def test_the_random_sequences_do_make_turns() -> None:
    """The property above is about something: its steps can make a turn with every kind of stage."""
    names = ["speech", "speech", "silence", "finish", "final", "start", "text", "speak", "audio", "release", "play"]
    steps = [_step(name, 100 + 40 * index, 1) for index, name in enumerate(names)]
    (turn,) = ledger_of(steps).turns
    assert [stage.milestone for stage in turn.stages] == [
        milestone for milestone in Milestone if milestone is not Milestone.SPEECH_END
    ]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=50), st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(values: list[int], percent: int) -> None:
    """Nearest rank: at least `percent` of the values are at or below it, and no smaller value will do."""
    value = percentile(values, percent)
    assert value in values
    assert 100 * sum(other <= value for other in values) >= percent * len(values)
    assert 100 * sum(other < value for other in values) < percent * len(values)


def test_there_is_no_percentile_of_nothing() -> None:
    """A call without turns has no median."""
    assert percentile([], 50) is None
