"""Speech from a CSM server of ours, against a double that speaks the real protocol."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from client_caller.audio import g711
from client_caller.conversation.history import AgentSaid, CallerSaid, Entry
from client_caller.engines.csm_tts import CsmSpeech
from client_caller.engines.protocols import Attentive, CallContext, EngineError, Speech
from client_caller.models.csm import wire
from client_caller.models.csm.wire import Cancel, Heard, Say
from client_caller.simulator.doubles.csm import PAUSE, WORD, Behaviour, CsmDouble

Check = Callable[..., Awaitable[None]]
CALL = CallContext("call")
FRAME = 640
"""Samples at 8 kHz."""


@pytest.fixture
def double() -> CsmDouble:
    return CsmDouble(first_sound=0.001, speed=1000.0)


@pytest.fixture
async def base_url(double: CsmDouble) -> AsyncIterator[str]:
    async with double.serving() as url:
        yield url


@pytest.fixture
async def speech(base_url: str) -> AsyncIterator[CsmSpeech]:
    speech = CsmSpeech(base_url=base_url, first_audio=2.0, next_audio=0.5)
    yield speech
    await speech.close()


async def said(speech: CsmSpeech, text: str, context: CallContext = CALL) -> bytes:
    return b"".join([piece.mulaw async for piece in speech.speak(context, text)])


def heard(text: str, unheard: str = "") -> AgentSaid:
    return AgentSaid(0, 1, text, unheard, cut=bool(unheard))


def by_caller(text: str) -> CallerSaid:
    return CallerSaid(0, 1, text)


async def test_the_laws_of_every_voice(check_tts: Check, base_url: str, double: CsmDouble) -> None:
    """Streaming, giving up, closing, errors in words, clauses at the same time."""

    async def refused(_: object) -> None:
        double.behaviours.append(Behaviour(refuse=500))

    async def full(_: object) -> None:
        double.behaviours.append(Behaviour(refuse=503))

    async def failing(_: object) -> None:
        double.behaviours.append(Behaviour(fail="this clause is longer than the model can speak"))

    async def breaking(_: object) -> None:
        double.behaviours.append(Behaviour(break_after=3))

    async def stalling(_: object) -> None:
        double.behaviours.append(Behaviour(stall_after=3))

    async def babbling(_: object) -> None:
        double.behaviours.append(Behaviour(send_first=("<html>",)))

    async def make() -> CsmSpeech:
        return CsmSpeech(base_url=base_url, first_audio=0.5, next_audio=0.5)

    await check_tts(
        make,
        texts=["One two three.", "Four five six seven eight."],
        breaks=[refused, full, failing, breaking, stalling, babbling],
    )


async def test_a_clause_is_as_long_as_its_frames(speech: CsmSpeech) -> None:
    """24 kHz in, mu-law at 8 kHz out, to the sample; no word times, for CSM knows none."""
    pieces: list[Speech] = [piece async for piece in speech.speak(CALL, "One two three.")]
    assert sum(len(piece.mulaw) for piece in pieces) == 3 * (WORD + PAUSE) * FRAME
    assert not any(piece.words for piece in pieces)
    levels = abs(g711.decode_float(b"".join(piece.mulaw for piece in pieces)).reshape(-1, FRAME)).max(1)
    assert [level > 0.2 for level in levels] == [n % (WORD + PAUSE) < WORD for n in range(len(levels))]


async def test_each_call_has_a_memory(speech: CsmSpeech, double: CsmDouble) -> None:
    """One connection for each call, from its beginning on; both sides' words, in order; gone with the call."""
    assert isinstance(speech, Attentive)
    other = CallContext("other")
    history: list[Entry] = []
    for context in (CALL, other):
        speech.attend(context, history)
    await asyncio.gather(said(speech, "Hello there."), said(speech, "Good morning.", other))
    history += [heard("Hello there."), by_caller("Hi."), by_caller("")]
    speech.attend(CALL, history)
    await said(speech, "How can I help?")
    assert sorted(call.remembered for call in double.calls) == [
        ["Good morning."],
        ["Hello there.", "(Hi.)", "How can I help?"],
    ]
    (left,) = [call for call in double.calls if len(call.remembered) == 3]
    await speech.leave(CALL)
    await speech.leave(CALL)
    async with asyncio.timeout(2):
        await left.over.wait()
    assert [call.over.is_set() for call in double.calls].count(True) == 1


async def test_what_was_not_heard_is_forgotten(speech: CsmSpeech, double: CsmDouble) -> None:
    """After a barge-in the server is told how far it was heard, to the frame in which the last heard word ends."""
    speech.attend(CALL, [])
    for text in ("One two three.", "Four five six.", "Seven."):
        await said(speech, text)
    speech.attend(CALL, [heard("One two three. Four five", "six. Seven."), by_caller("Stop.")])
    await said(speech, "Yes?")
    (call,) = double.calls
    assert call.remembered == ["One two three.", "Four five", "(Stop.)", "Yes?"]
    (told,) = [request for request in call.requests if isinstance(request, Heard)]
    assert (told.clause, told.text) == (1, "Four five")
    # The second word's tone ends with the seventh frame; a word's end is set on the late side.
    assert 2 * WORD + PAUSE <= told.frames <= 2 * (WORD + PAUSE)


async def test_a_reply_that_nobody_heard_never_was(speech: CsmSpeech, double: CsmDouble) -> None:
    """A guess that was withdrawn leaves nothing behind; of a reply heard to its end nothing is forgotten."""
    speech.attend(CALL, [])
    await said(speech, "A guess.")
    speech.attend(CALL, [])
    await said(speech, "The answer.")
    speech.attend(CALL, [heard("The answer.")])
    await said(speech, "More.")
    assert double.calls[0].remembered == ["The answer.", "More."]


async def test_a_resumed_call_begins_anew(speech: CsmSpeech, double: CsmDouble) -> None:
    """What was said before this voice joined the call is none of its clauses."""
    before: list[Entry] = [heard("Before."), by_caller("I was cut off.")]
    speech.attend(CALL, before)
    await said(speech, "Welcome back.")
    speech.attend(CALL, [*before, heard("Welcome", "back."), by_caller("Yes.")])
    await said(speech, "So.")
    assert double.calls[0].remembered == ["Welcome", "(Yes.)", "So."]


async def test_the_callers_words_come_before_the_answer(speech: CsmSpeech, double: CsmDouble) -> None:
    """A reply is begun on words that may not be the last; when they were not, words and reply are taken back."""
    speech.attend(CALL, [])
    await said(speech, "Hello.")
    known: list[Entry] = [heard("Hello.")]
    speech.attend(CALL, [*known, by_caller("I would like")])
    await said(speech, "Yes?")
    assert double.calls[0].remembered == ["Hello.", "(I would like)", "Yes?"]
    known.append(by_caller("I would like tea."))
    speech.attend(CALL, known)
    await said(speech, "Tea it is. Or coffee?")
    known += [CallerSaid(2, 3, "mhm", backchannel=True), heard("Tea it is. Or coffee?"), by_caller("Coffee.")]
    speech.attend(CALL, known)
    await said(speech, "Fine.")
    assert double.calls[0].remembered == [
        "Hello.",
        "(I would like tea.)",
        "Tea it is. Or coffee?",
        "(Coffee.)",
        "Fine.",
    ]
    before = len(double.calls[0].requests)
    speech.attend(CALL, [*known, heard("Fine.")])
    await said(speech, "Bye.")
    assert [type(request) for request in double.calls[0].requests[before:]] == [Say], "what matches is left alone"


async def test_giving_up_ends_the_clause_and_not_the_call(speech: CsmSpeech, double: CsmDouble) -> None:
    """A barge-in in the middle of a clause: it is cancelled, and the next one comes over the same connection."""
    double.speed = 20.0
    async with aclosing(speech.speak(CALL, "One two three four five six.")) as pieces:
        await anext(pieces)
    assert await said(speech, "Seven.")
    (call,) = double.calls
    assert [type(request) for request in call.requests] == [Say, Cancel, Say]
    assert [(end.clause, end.reason) for end in call.ended] == [(0, "cancelled"), (1, "spoken")]
    assert call.ended[0].frames < 6 * (WORD + PAUSE)


async def test_a_lost_server_costs_its_memory_only(speech: CsmSpeech, double: CsmDouble) -> None:
    """The clause in which it was lost fails; the next one has a new connection, and the call goes on."""
    speech.attend(CALL, [])
    await said(speech, "One.")
    double.behaviours.append(Behaviour(break_after=2))
    with pytest.raises(EngineError, match="broke the connection"):
        await said(speech, "Two three.")
    assert await said(speech, "Four.")
    speech.attend(CALL, [heard("Four.")])
    assert [call.remembered for call in double.calls] == [["One.", "Two three."], ["Four."]]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(refuse=503), "has no room for one more call"),
        (Behaviour(refuse=403), r"refused the call \(403\)"),
        (Behaviour(fail="too long"), "can't speak a clause: too long"),
        (Behaviour(send_first=('{"type":"failed","clause":null,"reason":"broken"}',)), "says: broken"),
        (Behaviour(send_first=(b"\x00",)), "speaks another protocol"),
        (Behaviour(stall_after=0), "sent no audio in time"),
        (Behaviour(stall_after=1), "sent more audio in time"),
    ],
)
async def test_errors_say_what_to_do(base_url: str, double: CsmDouble, behaviour: Behaviour, reason: str) -> None:
    """Each with the server's address, and none with what was to be said."""
    double.behaviours.append(behaviour)
    speech = CsmSpeech(base_url=base_url, first_audio=0.3, next_audio=0.3)
    with pytest.raises(EngineError, match=rf"^CSM server ws://127\.0\.0\.1:\d+{wire.PATH} .*{reason}") as caught:
        await said(speech, "Something private.")
    assert "private" not in str(caught.value)
    await speech.close()
    with pytest.raises(EngineError, match="this engine was closed"):
        await said(speech, "One.")
    speech.attend(CALL, [])


async def test_no_server_at_all() -> None:
    """It is said with the address, and so is an address that is none."""
    speech = CsmSpeech(base_url="http://127.0.0.1:9/v1")
    with pytest.raises(EngineError, match=r"127\.0\.0\.1:9.* can't be reached"):
        await said(speech, "One.")
    await speech.close()
    with pytest.raises(EngineError, match="base_url of tts"):
        CsmSpeech(base_url="nowhere")


async def test_what_is_asked_before_the_connection_stands_is_kept(speech: CsmSpeech, double: CsmDouble) -> None:
    """The caller's first words and the first clause come in order."""
    speech.attend(CALL, [])
    speech.attend(CALL, [by_caller("First.")])
    await said(speech, "One.")
    assert double.calls[0].remembered == ["(First.)", "One."]
