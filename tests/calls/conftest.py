"""A whole call without any engine or line: a real conversation, a real keeper, and everything else told by a script."""

import heapq
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from client_caller.audio import g711
from client_caller.calls.call import Call
from client_caller.calls.keeper import CallKeeper
from client_caller.calls.store import RecordingMode, Store
from client_caller.conversation import commands as c
from client_caller.conversation import events as e
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.history import Entry
from client_caller.conversation.policy import Phrases, Policy

Speech = tuple[int, int, str]
"""From, to (milliseconds on the call's clock) and the words."""
SCRIPT: tuple[Speech, ...] = (
    (3000, 4600, "What does the large box cost?"),
    (7000, 7250, "uh-huh"),
    (10_300, 11_400, "Wait, is it in stock?"),
    (16_000, 16_900, "Thanks, goodbye."),
)
ANSWERS: dict[str, str | tuple[str, str, str]] = {
    "What does the large box cost?": "The large box costs forty euros. It comes with a lid & a <b>label</b>, "
    "and we send it to any address in the country within three working days.",
    "Wait, is it in stock?": ("stock", '{"of": "large box"}', "Yes, we have seven of them."),
    "Thanks, goodbye.": "Goodbye, and thank you.",
}
WORD = 260
"""Milliseconds that each word of the agent lasts."""

FIRST_WORD = 450
"""When the first word of the caller is known: milliseconds from its beginning."""


class Shell:
    """Carries out a conversation's commands in virtual time, and keeps the call."""

    def __init__(self, keeper: CallKeeper, policy: Policy, phrases: Phrases, script: Sequence[Speech]) -> None:
        self.keeper = keeper
        self.conversation = Conversation(policy, phrases)
        self.now = 0
        self.over = ""
        self._script = list(script)
        self._heap: list[tuple[int, int, e.Event]] = []
        self._count = 0
        self._tool_answers: dict[str, str] = {}
        self._ready: dict[int, list[tuple[int, str]]] = {}
        self._clauses: dict[tuple[int, int], str] = {}
        self._released: set[int] = set()
        self._cancelled: set[int] = set()
        self._free_at: dict[int, int] = {}
        self._word_ends: dict[tuple[int, int, int], int] = {}
        self._understood = 0

    def run(self, until: int, earlier: tuple[Entry, ...] = ()) -> None:
        self._push(0, e.CallStarted, earlier)
        for end in range(32, until, 32):
            loud = any(start < end <= stop for start, stop, _ in self._script)
            self._push(end, e.SpeechProbability, end, 0.9 if loud else 0.05)
        for start, stop, text in self._script:
            if start + FIRST_WORD < stop:
                self._push(start + FIRST_WORD, e.PartialTranscript, text.split()[0].rstrip(",") + ",")
        while self._heap and not self.over:
            at, _, event = heapq.heappop(self._heap)
            deadline = self.conversation.deadline
            if deadline is not None and deadline < at:
                heapq.heappush(self._heap, (at, 0, event))
                event = e.TimePassed(max(deadline, self.now))
            if event.at >= until:
                break
            if getattr(event, "reply", None) not in self._cancelled:
                self._feed(event)

    def _feed(self, event: e.Event) -> None:
        self.now = event.at
        if isinstance(event, e.ClauseAudioStarted):
            self._ready.setdefault(event.reply, []).append((event.clause, self._clauses[event.reply, event.clause]))
        if isinstance(event, e.SpeechProbability):
            loudness = 0.3 if event.probability > 0.5 else 0.002
            self.keeper.hear(_sound(32, 180, loudness), (event.audio_end - 32) * 8)
        if isinstance(event, e.WordSent):
            end = self._word_ends[event.reply, event.clause, event.word]
            self.keeper.play(_sound(WORD, 140 + 30 * (event.word % 5), 0.35), (end - WORD) * 8)
        asked = self.conversation.receive(event)
        self.keeper.note(event, asked)
        for command in asked:
            self._obey(command)
        if isinstance(event, e.ClauseAudioStarted):
            self._play(event.reply)

    def _obey(self, command: c.Command) -> None:
        now = self.now
        match command:
            case c.StartReply(reply=reply):
                self._think(reply)
            case c.Speak(reply=reply, clause=clause, text=text):
                self._clauses[reply, clause] = text
                self._push(now + 80, e.ClauseAudioStarted, reply, clause)
                self._push(now + 120, e.ClauseAudioFinished, reply, clause, len(words_of(text)) * WORD * 8)
            case c.Release(reply=reply):
                self._released.add(reply)
                self._play(reply)
            case c.Hold(reply=reply):
                self._released.discard(reply)
            case c.CancelReply(reply=reply):
                self._cancelled.add(reply)
                left = self._free_at.get(reply, now) - now
                self.keeper.play(g711.SILENCE * max(0, left) * 8, now * 8)
            case c.FinishTranscript(request=request):
                said = [text for start, stop, text in self._script if self._understood < stop <= now]
                self._understood = now
                if said:
                    self._push(now + 40, e.PartialTranscript, said[0].split()[0])
                    self._push(now + 90, e.FinalTranscript, " ".join(said), 0.9)
                self._push(now + 91, e.TranscriptFinished, request)
            case c.RunTool(tool_call=tool_call):
                self._push(now + 350, e.ToolFinished, tool_call, "7")
            case c.StartRecording():
                self.keeper.start_recording(now)
            case c.EndCall(reason=reason):
                self.over = reason

    def _think(self, reply: int) -> None:
        messages = self.conversation.messages(reply)
        answer = ANSWERS.get(messages[-1].content) or "I see."
        at = self.now + 190
        if messages[-1].role == "tool":
            answer = self._tool_answers[messages[-1].tool_call_id or ""]
        if isinstance(answer, tuple):
            name, arguments, then = answer
            self._tool_answers[f"t{reply}"] = then
            self._push(at, e.ToolRequested, reply, f"t{reply}", name, arguments)
        else:
            for word in answer.split():
                self._push(at, e.ReplyText, reply, word + " ")
                at += 25
        self._push(at, e.ReplyFinished, reply)

    def _play(self, reply: int) -> None:
        while reply in self._released and self._ready.get(reply):
            clause, text = self._ready[reply].pop(0)
            if reply not in self._free_at:
                self._push(self.now, e.PlaybackStarted, reply)
            start = max(self.now, self._free_at.get(reply, 0))
            for word, _ in enumerate(words_of(text)):
                end = start + (word + 1) * WORD
                self._push(max(self.now, end - WORD), e.WordSent, reply, clause, word)
                self._push(end + 70, e.WordAcknowledged, reply, clause, word)
                self._word_ends[reply, clause, word] = end
            self._free_at[reply] = start + len(words_of(text)) * WORD

    def _push(self, at: int, kind: Callable[..., e.Event], *fields: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, kind(at, *fields)))


def _sound(milliseconds: int, pitch: int, loudness: float) -> bytes:
    time = np.arange(milliseconds * 8) / 8000
    swell = np.sin(np.pi * np.arange(milliseconds * 8) / (milliseconds * 8))
    voice = np.sin(2 * np.pi * pitch * time) + 0.5 * np.sin(6.3 * np.pi * pitch * time)
    return g711.encode_float((voice * swell * loudness).astype(np.float32))


PlayCall = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'data' / 'calls.sqlite3'}")


@pytest.fixture
def play_call(tmp_path: Path, store: Store) -> PlayCall:
    """A function that makes one connection of a call (at 13:30 UTC, or later) and returns its folder."""

    def play(
        id: str = "call-1",
        *,
        recording: RecordingMode = "on",
        until: int = 30_000,
        earlier: tuple[Entry, ...] = (),
        later: float = 0.0,
        script: Sequence[Speech] = SCRIPT,
        killed: bool = False,
    ) -> Path:
        folder = tmp_path / "data" / "calls" / id
        policy = Policy(announce_recording=recording == "announce")
        phrases = Phrases()
        call = Call(id, f"CA-{id}", "inbound", "+15550001", "+15550002")
        keeper = CallKeeper(folder, call, policy, phrases, recording, store, now=lambda: 1_795_181_400.0 + later)
        shell = Shell(keeper, policy, phrases, script)
        shell.run(until, earlier)
        if not killed:
            keeper.close(shell.over or "connection_lost", shell.conversation.history).result(10)
        return folder

    return play
