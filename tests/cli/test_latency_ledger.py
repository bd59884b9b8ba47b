"""The laws of reading a journal on the clock of the wire."""

from pathlib import Path

import pytest

from client_caller.calls.call import Call
from client_caller.calls.journal import Journal, JournalError
from client_caller.calls.lines import Header, command_line, event_line
from client_caller.cli.latency_ledger import STAGES, LedgerView
from client_caller.conversation.commands import CancelReply, FinishTranscript, Release, Speak, StartReply
from client_caller.conversation.events import (
    CallStarted,
    ClauseAudioStarted,
    PlaybackStarted,
    ReplyText,
    SpeechProbability,
    TimePassed,
    TranscriptFinished,
)
from client_caller.conversation.policy import Phrases, Policy


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A greeting first sent at 70 ms; a question that ends at 2,048 for its ears; an answer first sent at 2,700."""
    path = tmp_path / "journal.jsonl"
    header = Header(client_caller="0", began=0, call=Call("c", "CA1"), policy=Policy(), phrases=Phrases())
    journal = Journal(path, header)
    journal.write(CallStarted(0), [Speak(1, 0, "Hello there.")])
    journal.write(PlaybackStarted(70, 1), [])
    for end in range(1024, 2049, 32):
        journal.write(SpeechProbability(end + 10, end, 0.9), [])
    journal.write(SpeechProbability(2090, 2080, 0.1), [])
    journal.write(SpeechProbability(2154, 2144, 0.1), [FinishTranscript(1)])
    journal.write(TranscriptFinished(2250, 1), [StartReply(2)])
    journal.write(ReplyText(2400, 2, " Yes of"), [])
    journal.write(ReplyText(2425, 2, " course,"), [])
    journal.write(ReplyText(2550, 2, " it is"), [Speak(2, 0, "Yes of course,")])
    journal.write(TimePassed(2530), [Release(2)])
    journal.write(ClauseAudioStarted(2640, 2, 0), [])
    journal.write(PlaybackStarted(2700, 2), [])
    journal.close()
    return path


def test_the_greeting_ties_the_clocks_together(journal: Path) -> None:
    """Its first sound was sent at 70 and heard at 95: all of the ledger is 25 ms later by the wire's clock."""
    turn = LedgerView(journal, greeting=95).turn(2726)
    assert turn is not None
    assert (turn.speech_end, turn.first_frame, turn.voice_to_voice) == (2048 + 25, 2725, 652)
    assert turn.reached["first token"] == 2425
    assert sum(turn.shares.values()) == turn.voice_to_voice
    assert list(turn.reached) == [stage for stage in STAGES if stage in turn.reached]


def test_a_clause_is_complete_before_it_is_known_to_be(journal: Path) -> None:
    """Its comma came at 2,425; that no digit follows was known 125 ms later, with the next word."""
    turn = LedgerView(journal, greeting=70).turn(2700)
    assert turn is not None
    assert (turn.clause_complete, turn.reached["first clause"]) == (2425, 2550)


def test_a_sound_that_the_ledger_does_not_know_has_no_turn(journal: Path) -> None:
    """Nothing is matched that is not the same moment."""
    assert LedgerView(journal, greeting=70).turn(2500) is None


def test_who_took_the_floor_is_known_by_when_they_spoke(journal: Path) -> None:
    """Speech that began where the ledger has a barge-in cut the reply; speech elsewhere did not."""
    with journal.open("ab") as file:
        for end in range(3008, 3105, 32):
            file.write(event_line(SpeechProbability(end + 5, end, 0.9)))
        file.write(event_line(SpeechProbability(3141, 3136, 0.9)) + command_line(3141, CancelReply(2)))
    view = LedgerView(journal, greeting=95)
    assert view.cut(2976 + 25, 3400)
    assert not view.cut(3300, 3600)


def test_a_broken_journal_is_an_error(tmp_path: Path) -> None:
    """The figures of the server are never made up."""
    (tmp_path / "journal.jsonl").write_text("nonsense\n")
    with pytest.raises(JournalError):
        LedgerView(tmp_path / "journal.jsonl", greeting=0)
