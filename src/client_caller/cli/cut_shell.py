"""A call's shell without an event loop: the real conversation and player, and doubles that wait only for an agenda.

The model answers with some random sentences, no word of which comes twice in a call; the voice is `tones`, each word's
time exact; the ear understands what it is told to. `runtime.session` is the shell of real calls.
"""

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from random import Random

from client_caller.audio import g711
from client_caller.conversation import commands, events
from client_caller.conversation.clauses import words_of
from client_caller.conversation.conversation import Conversation
from client_caller.conversation.policy import Phrases, Policy
from client_caller.engines.protocols import WordTime
from client_caller.runtime.player import Player
from client_caller.simulator import tones
from client_caller.simulator.agenda import Agenda
from client_caller.telephony.leg import Leg

MS = 8
"""Samples."""
FRAME = 20 * MS
WINDOW = 32 * MS
POLICY = Policy(
    endpoint_closed=200,
    endpoint_open=200,
    silence_prompt=10**9,
    max_call=10**9,
    not_understood_in_a_row=0,
)
"""The caller has nothing to say but interruptions: turns end soon, and the agent never speaks of its own accord."""
PHRASES = Phrases(greeting=None, fillers=())
FINAL_AFTER = 120 * MS
"""From the request for final words to the words."""


class Shell:
    """One call on our side. The random number generator is shared with the call's other parts."""

    def __init__(self, agenda: Agenda, leg: Leg, random: Random, audible: Callable[[], None]) -> None:
        """`audible` is told whenever the agent begins to be heard, or goes on after a pause."""
        self.conversation = Conversation(POLICY, PHRASES)
        self.understood = ""
        """What the ear will give as final words when it is asked next."""
        self.cut: list[int] = []
        """Replies that were cut off while they were audible."""
        self.words: dict[tuple[int, int], list[str]] = {}
        """Of each clause, known by its reply and its number."""
        self._agenda = agenda
        self._random = random
        self._audible = audible
        self._player = Player(leg, self._tell, lambda mulaw, at: None)
        self._facts: deque[events.Event] = deque()
        self._telling = False
        self._playing = 0
        """The reply that became audible last."""
        self._heard = 0
        """Milliseconds of the caller's."""
        self._gathered = 0
        """Samples of the caller's that are not yet judged."""
        self._spoken_through = 0
        """When the voice will have synthesised all that it was given."""

    @property
    def now(self) -> int:
        """Whole milliseconds since the call began."""
        return self._agenda.now // MS

    @property
    def _exactly_now(self) -> float:
        return self._agenda.now / MS

    def begin(self) -> None:
        """The line is connected."""
        self._tell(events.CallStarted(0))
        self._agenda.at(self._agenda.now + self._random.randrange(FRAME), self._beat)

    def hear(self, probability: float) -> None:
        """The next 20 ms of the caller, and how likely they are speech; whole windows are judged."""
        self._heard += FRAME // MS
        self._gathered += FRAME
        if self._gathered >= WINDOW:
            self._gathered -= WINDOW
            self._tell(events.SpeechProbability(self.now, self.now, probability))

    def hear_words(self, words: str) -> None:
        """The ear has understood something before it was asked."""
        self.understood = words
        self._tell(events.PartialTranscript(self.now, words))

    def acknowledge(self, mark: str) -> None:
        """The far end returned a mark."""
        fact = self._player.acknowledge(mark, self._exactly_now, self._heard)
        if fact is not None:
            self._tell(fact)

    def press(self, digit: str) -> None:
        """The caller pressed a key."""
        self._tell(events.DigitPressed(self.now, digit))

    # ---------------------------------------------------------------- events in, commands out

    def _beat(self) -> None:
        self._agenda.at(self._agenda.now + FRAME, self._beat)
        self._player.beat(self._exactly_now)
        deadline = self.conversation.deadline
        if deadline is not None and deadline <= self.now:
            self._tell(events.TimePassed(self.now))

    def _tell(self, event: events.Event) -> None:
        """What is reported while commands are being carried out waits until they are."""
        self._facts.append(event)
        if self._telling:
            return
        self._telling = True
        while self._facts:
            fact = self._facts.popleft()
            for command in self.conversation.receive(fact):
                self._carry_out(command)
            if isinstance(fact, events.PlaybackStarted):
                self._playing = fact.reply
                self._audible()
        self._telling = False

    def _carry_out(self, command: commands.Command) -> None:
        match command:
            case commands.StartReply(reply):
                self._after(0, 100, self._think, reply)
            case commands.Speak(reply, clause, text):
                self._player.expect(reply, clause, text)
                self._synthesise(reply, clause, text)
            case commands.Release(reply):
                self._player.release(reply, self._exactly_now)
            case commands.Hold(reply):
                self._player.hold(reply)
            case commands.Duck(reply):
                self._player.duck(reply, self._exactly_now)
            case commands.Pause(reply):
                self._player.pause(reply, self._exactly_now)
            case commands.Resume(reply):
                self._player.resume(reply, self._exactly_now)
                self._audible()
            case commands.CancelReply(reply):
                if reply == self._playing:
                    self.cut.append(reply)
                self._player.cancel(reply, self._exactly_now)
            case commands.FinishTranscript(request):
                self._agenda.at(self._agenda.now + FINAL_AFTER, self._answer, request, self.understood)
                self.understood = ""

    def _after(self, least: int, most: int, deed: Callable[..., None], *arguments: object) -> None:
        """Between so many milliseconds from now."""
        delay = self._random.uniform(least, most) * MS
        self._agenda.at(self._agenda.now + round(delay), deed, *arguments)

    # ---------------------------------------------------------------- doubles of the engines

    def _answer(self, request: int, words: str) -> None:
        if words:
            self._tell(events.FinalTranscript(self.now, words))
        self._tell(events.TranscriptFinished(self.now, request))

    def _think(self, reply: int) -> None:
        words = [f"r{reply}w{number}" for number in range(self._random.randint(4, 16))]
        for place in range(0, len(words), self._random.randint(3, 9)):
            words[place - 1] += self._random.choice(".,?")
        self._tell(events.ReplyText(self.now, reply, " ".join(words)))
        self._tell(events.ReplyFinished(self.now, reply))

    def _synthesise(self, reply: int, clause: int, text: str) -> None:
        """Later, and after the clauses before; in two pieces."""
        audio = bytearray()
        times = []
        self.words[reply, clause] = words = [text[word.start : word.end].strip(".,?") for word in words_of(text)]
        for number, word in enumerate(words):
            audio += _say(word, self._random.randint(60, 500))
            times.append(WordTime(number, len(audio)))
            audio += g711.SILENCE * (self._random.randint(0, 100) * MS)
        cut = self._random.randrange(len(audio))
        first = bytes(audio[:cut]), [time for time in times if time.end <= cut]
        rest = bytes(audio[cut:]), [time for time in times if time.end > cut]
        begins = max(self._agenda.now, self._spoken_through) + self._random.randint(20, 150) * MS
        self._spoken_through = begins + self._random.randint(0, 150) * MS
        self._agenda.at(begins, self._speak, reply, clause, *first)
        self._agenda.at(self._spoken_through, self._speak, reply, clause, *rest)
        self._agenda.at(self._spoken_through, self._spoken, reply, clause)

    def _speak(self, reply: int, clause: int, audio: bytes, times: list[WordTime]) -> None:
        self._tell(events.ClauseAudioStarted(self.now, reply, clause))
        self._player.add(reply, clause, audio, times, self._exactly_now)

    def _spoken(self, reply: int, clause: int) -> None:
        samples = self._player.finish(reply, clause, self._exactly_now)
        self._tell(events.ClauseAudioFinished(self.now, reply, clause, samples))


@lru_cache(maxsize=65536)
def _say(word: str, milliseconds: int) -> bytes:
    return tones.spell(word, milliseconds * MS)
