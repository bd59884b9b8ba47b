"""Deepgram's messages, and what became of a call's audio. Sans-I/O."""

import json

import pytest

from client_caller.audio.g711 import SAMPLE_RATE
from client_caller.engines.deepgram_wire import MAX_TAIL, Transcription
from client_caller.engines.protocols import Final, Finished, Partial
from client_caller.engines.stt_dialect import DialectError

SECOND = b"\x10" * SAMPLE_RATE


def results(
    text: str, *, start: float = 0.0, end: float = 0.0, is_final: bool = False, from_finalize: bool = False
) -> str:
    return json.dumps(
        {
            "type": "Results",
            "start": start,
            "duration": end - start,
            "is_final": is_final,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [{"transcript": text, "confidence": 0.9}]},
        }
    )


def test_guesses_and_finals() -> None:
    """A guess replaces the one before, an empty one takes words back; finals carry their confidence."""
    heard = Transcription()
    assert heard.received(results("")) == []
    assert heard.received(results("hel")) == [Partial("hel")]
    assert heard.received(results("")) == [Partial("")]
    assert heard.received(results("hello")) == [Partial("hello")]
    assert heard.received(results("hello there", is_final=True)) == [Final("hello there", 0.9)]
    assert heard.received(results("", is_final=True)) == []


def test_an_empty_final_takes_the_guess_back() -> None:
    """What turned out to be no words does not stay as a guess."""
    heard = Transcription()
    heard.received(results("hm"))
    assert heard.received(results("", is_final=True)) == [Partial("")]


def test_an_empty_answer_to_finalize_answers() -> None:
    """Where the engine's own endpointing was faster, the answer to `Finalize` has no words: it still is the answer."""
    heard = Transcription()
    heard.sent(SECOND)
    assert heard.received(results("yes", end=0.9, is_final=True)) == [Final("yes", 0.9)]
    heard.asked(1)
    heard.sent(SECOND)
    assert heard.received(results("", start=0.9, end=1.5, is_final=True, from_finalize=True)) == [Finished(1)]


def test_any_final_past_the_request_answers() -> None:
    """A request whose `Finalize` goes unanswered is done once a final reaches past its audio, and not before."""
    heard = Transcription()
    heard.sent(SECOND)
    heard.asked(1)
    heard.sent(SECOND)
    heard.asked(2)
    assert heard.received(results("a", end=0.5, is_final=True)) == [Final("a", 0.9)]
    assert heard.received(results("b", start=0.5, end=1.2, is_final=True)) == [Final("b", 0.9), Finished(1)]
    assert heard.received(results("c", start=1.2, end=2.0, is_final=True)) == [Final("c", 0.9), Finished(2)]


def test_one_answer_covers_all_requests_before_it() -> None:
    """Requests in a row are each answered once, in their order."""
    heard = Transcription()
    heard.sent(SECOND)
    for request in (1, 2, 3):
        heard.asked(request)
    covering = results("a", end=1.0, is_final=True, from_finalize=True)
    assert heard.received(covering) == [Final("a", 0.9), Finished(1), Finished(2), Finished(3)]
    assert heard.received(covering) == [Final("a", 0.9)]


def test_a_server_without_times_answers_in_order() -> None:
    """A compatible server that leaves out start and duration still answers one request with each `from_finalize`."""
    heard = Transcription()
    heard.sent(SECOND)
    heard.asked(1)
    heard.asked(2)
    bare = results("", is_final=True, from_finalize=True)
    assert heard.received(bare) == [Finished(1)]
    assert heard.received(bare) == [Finished(2)]


def test_a_new_connection_gets_what_has_no_final() -> None:
    """The tail begins where the last final ended, and requests still open are asked again on the new clock."""
    heard = Transcription()
    heard.sent(b"\x01" * SAMPLE_RATE + b"\x02" * SAMPLE_RATE)
    heard.asked(7)
    heard.received(results("one", end=1.0, is_final=True))
    assert heard.reconnected() == (b"\x02" * SAMPLE_RATE, True)
    heard.sent(SECOND)
    assert heard.received(results("two", end=1.0, is_final=True)) == [Final("two", 0.9), Finished(7)]
    assert heard.reconnected() == (SECOND, False)


def test_the_tail_is_bounded() -> None:
    """Five seconds are kept, the newest, and positions stay right."""
    heard = Transcription()
    for second in range(8):
        heard.sent(bytes([second]) * SAMPLE_RATE)
    tail, _ = heard.reconnected()
    assert tail == b"".join(bytes([second]) * SAMPLE_RATE for second in range(3, 8))
    assert len(tail) == MAX_TAIL
    heard.received(results("x", end=1.0, is_final=True))
    assert heard.reconnected()[0] == tail[SAMPLE_RATE:]


def test_other_messages() -> None:
    """Unknown kinds are passed over; errors and what is not the protocol are errors."""
    heard = Transcription()
    for kind in ("Metadata", "SpeechStarted", "UtteranceEnd", "SomethingNew"):
        assert heard.received(json.dumps({"type": kind, "channel": [0]})) == []
    with pytest.raises(DialectError, match="no more credit"):
        heard.received('{"type":"Error","description":"no more credit","variant":"X"}')
    for text in ("not JSON", "[]", '{"type":"Results"}'):
        with pytest.raises(DialectError, match="not its protocol"):
            heard.received(text)
