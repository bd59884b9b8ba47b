"""The laws of the live view: every state of a call can be seen while it lasts, and afterwards."""

import io
from collections.abc import Iterable

from rich.console import Console

from client_caller.cli.live_view import LiveView
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.events import (
    CallStarted,
    ClauseAudioFinished,
    ClauseAudioStarted,
    Event,
    FinalTranscript,
    PartialTranscript,
    PlaybackStarted,
    SpeechProbability,
    WordAcknowledged,
    WordSent,
)
from client_caller.conversation.policy import Phrases


def follow(events: Iterable[Event]) -> tuple[LiveView, io.StringIO]:
    lines = io.StringIO()
    view = LiveView(Console(file=lines, width=100), panel=False)
    conversation = Conversation(phrases=Phrases(greeting="Hello out there."))
    view.show(conversation)
    with view:
        for event in events:
            view.watch(event, conversation.receive(event))
    return view, lines


def drawn(view: LiveView) -> str:
    console = Console(file=io.StringIO(), width=60, record=True, force_terminal=True)
    console.print(view.panel())
    return console.export_text(styles=True)


def speech(begin: int, end: int) -> list[Event]:
    return [SpeechProbability(at, at, 0.9) for at in range(begin, end, 32)]


GREETING: list[Event] = [
    CallStarted(0),
    ClauseAudioStarted(50, 1, 0),
    PlaybackStarted(50, 1),
    ClauseAudioFinished(60, 1, 0, 8000),
    WordSent(60, 1, 0, 0),
    WordSent(61, 1, 0, 1),
    WordSent(62, 1, 0, 2),
    WordAcknowledged(500, 1, 0, 0),
]


def test_before_the_call_it_rings() -> None:
    """There is something to see from the first moment."""
    assert "ringing" in drawn(LiveView(Console(file=io.StringIO()), panel=True))


def test_heard_words_stand_out_while_the_agent_speaks() -> None:
    """Acknowledged words are bold, those that are still to be heard pale; the title names the product's state."""
    view, lines = follow(GREETING)
    shown = drawn(view)
    assert "SPEAKING" in shown
    assert "\x1b[1;32mHello\x1b[0m" in shown
    assert "\x1b[2mout there.\x1b[0m" in shown
    assert lines.getvalue() == ""


def test_the_callers_words_appear_as_they_are_guessed() -> None:
    """A partial transcript is on the screen at once, and gone when its turn has become a line."""
    acknowledged: list[Event] = [WordAcknowledged(900, 1, 0, 1), WordAcknowledged(1200, 1, 0, 2)]
    talking = [*GREETING, *acknowledged, *speech(2000, 3000), PartialTranscript(2500, "good mor")]
    assert "good mor" in drawn(follow(talking)[0])
    silence = [SpeechProbability(at, at, 0.01) for at in range(3000, 9000, 32)]
    view, lines = follow([*talking, FinalTranscript(3010, "good morning"), *silence])
    assert "caller good morning\n" in lines.getvalue()
    assert "good mor" not in drawn(view)


def test_a_cut_reply_is_a_line_with_what_was_not_heard() -> None:
    """Barge-in: the line shows the heard words, the unheard ones, and how fast the agent fell silent."""
    _, lines = follow([*GREETING, *speech(550, 1300), PartialTranscript(1300, "what about")])
    (line,) = lines.getvalue().splitlines()
    assert line.startswith("00:00.0  agent  Hello [unheard: out there.]  [barge-in: silent ")


def test_a_call_without_answers_has_no_latency() -> None:
    """Nothing is measured where nothing was answered."""
    assert follow(GREETING)[0].latencies == "No answer to measure."
