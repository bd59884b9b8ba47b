"""The caller's turn: from the probabilities of single windows to utterances, and from transcripts to its words."""

from dataclasses import dataclass, field

from client_caller.conversation.barge_in import Ending
from client_caller.conversation.policy import Policy
from client_caller.conversation.state import TURN, TurnState, TurnTrigger, follow
from client_caller.conversation.voice import Voice
from client_caller.conversation.words import same_words

WINDOW = 32
"""Milliseconds of one window of Silero: 256 samples at 8 kHz."""
_FOLLOW = 0.1
"""Share of the newest window in the running level of the caller's speech: it settles within half a second of it."""


@dataclass(slots=True)
class CallerTurn:
    """What the caller has said since the last turn was taken. All times are milliseconds on the call's clock."""

    state: TurnState = TurnState.QUIET
    started: int = 0
    """First speech of the turn."""
    utterance_started: int = 0
    """First speech since the last silence of more than `Policy.utterance_gap`."""
    last_speech: int = 0
    """End of the last window with speech."""
    voice: Voice = field(default_factory=Voice)
    """Where the voice is in it."""
    heard_through: int = 0
    """End of the last window of all."""
    voiced: int = 0
    """Speech in the turn, without its pauses."""
    loudness: float | None = None
    """How loud the caller usually speaks on this line, dBFS; None until they have spoken alone."""
    finals: list[str] = field(default_factory=list)
    sureness: list[tuple[int, float]] = field(default_factory=list)
    """For final words of which it is known: how many, and how sure speech to text is of them, 0 to 1."""
    partial: str = ""
    completion: float | None = None
    """What the turn model made of this pause: 0 the caller goes on, 1 they have finished."""
    judged_again: bool = False
    """The turn model was asked a second time in this pause."""
    words_since: int = 0
    """Since when the words are what they are now."""
    guesses: int = 0
    """Replies that were begun before it was sure that the turn is over."""
    request: int | None = None
    """The `FinishTranscript` of this pause, once made."""
    understood: bool = False
    """That request was answered: no more words will come for what was said so far."""
    _rising: int = 0
    """Speech heard that is still too short to count as such."""

    @property
    def text(self) -> str:
        return " ".join([*self.finals, self.partial] if self.partial else self.finals)

    @property
    def confidence(self) -> float:
        """How sure speech to text is of a word of the turn, on average; 1 where it does not say, or of a single one."""
        known = sum(number for number, _ in self.sureness)
        return sum(number * sure for number, sure in self.sureness) / known if known > 1 else 1.0

    @property
    def silent_through(self) -> int:
        """Until when the caller was heard to be silent: what may be the beginning of speech is left out."""
        return self.heard_through - self._rising

    @property
    def may_begin(self) -> bool:
        """Whether the last window may be the beginning of speech: the next one will tell."""
        return self._rising > 0

    @property
    def breath(self) -> int:
        """How long there has been no voice in what still sounds like speech."""
        return self.last_speech - self.voice.ended

    @property
    def utterance(self) -> int:
        """Length of the present or last utterance."""
        return self.last_speech - self.utterance_started

    def voice_length(self, policy: Policy) -> int:
        """How long the voice has gone on, in milliseconds; 0 of what has no words and was never surely speech."""
        believed = self.text or self.voice.surest >= policy.barge_in_sure
        return self.last_speech - self.voice.started if believed else 0

    def wordless(self, now: int, policy: Policy) -> bool:
        """Speech has gone on for so long without a word that it is no speech: a radio, a street."""
        return not self.text and now - self.utterance_started >= policy.wordless_speech

    def holds_floor(self, now: int, policy: Policy) -> bool:
        """Whether the agent has to wait for this turn."""
        if self.state is TurnState.SPEAKING:
            return not self.wordless(now, policy)
        return self.state is TurnState.PAUSING

    def ending(self, policy: Policy) -> Ending:
        """How far the end of the utterance is known, while it is judged as an interruption."""
        if self.understood:
            over = self.silent_through - self.last_speech > policy.utterance_gap
            return Ending.OVER if over else Ending.UNDERSTOOD
        silent = self.heard_through - self.voice.ended >= policy.barge_in_over
        return Ending.SILENT if silent else Ending.SOUNDING

    def listen(
        self,
        audio_end: int,
        probability: float,
        policy: Policy,
        level: float | None = None,
        *,
        over_agent: bool = False,
    ) -> bool:
        """Take in one window. Returns whether anything but the clock has changed.

        Over the agent's words (`over_agent`) a sound far softer than the caller is somebody else's, and speech ends
        sooner: what is judged there is whether it is one, not where exactly it ends.
        """
        length = min(audio_end - self.heard_through, WINDOW)
        if length <= 0:
            return False
        self.heard_through = audio_end
        speaking = self.state is TurnState.SPEAKING
        ending = speaking and not over_agent
        in_breath = self.breath >= policy.speech_onset and not over_agent
        background = over_agent and self._in_background(level, policy)
        if background or probability < (policy.silence_threshold if ending else policy.speech_threshold):
            self._rising = 0
            if speaking:
                self.fall_silent()
            return speaking
        self._rising += length
        if speaking:
            self.voiced += length
            self.last_speech = audio_end
        elif self._rising < policy.speech_onset:
            return False
        else:
            length = self._rising
            self._speak(audio_end, policy)
        self.voice.follow(audio_end, length, probability, level, policy, in_breath=in_breath)
        if level is not None and not over_agent:
            before = level if self.loudness is None else self.loudness
            self.loudness = before + (level - before) * _FOLLOW
        return True

    def _in_background(self, level: float | None, policy: Policy) -> bool:
        if level is None or self.loudness is None:
            return False
        return level < self.loudness - policy.barge_in_background

    def fall_silent(self) -> None:
        """The caller's voice stops, or is not to be heard any more."""
        self.state = follow(TURN, self.state, TurnTrigger.SILENCE)

    def _speak(self, audio_end: int, policy: Policy) -> None:
        onset = audio_end - self._rising
        quiet = self.state is TurnState.QUIET
        if quiet:
            self.started = onset
        if quiet or onset - self.last_speech > policy.utterance_gap:
            self.utterance_started = onset
        together = policy.barge_in_again if self.text else policy.utterance_gap
        self.voice.rise(onset, anew=quiet or onset - self.last_speech > together)
        self.state = follow(TURN, self.state, TurnTrigger.SPEECH)
        self.voiced += self._rising
        self.last_speech = audio_end
        self.request, self.understood, self.completion, self.judged_again = None, False, None, False

    def guess(self, partial: str, at: int) -> None:
        """Take in the present guess of the words that follow the final ones."""
        if not same_words(partial, self.partial):
            self.words_since = at
        self.partial = partial
        self._begin_with_words(at)

    def add(self, text: str, at: int, confidence: float | None = None) -> None:
        """Take in final words."""
        if confidence is not None:
            self.sureness.append((len(text.split()), confidence))
        if not same_words(text, self.partial):
            self.words_since = at
        self.finals.append(text)
        self.partial = ""
        self._begin_with_words(at)

    def _begin_with_words(self, at: int) -> None:
        """Words that come without any speech noticed make a turn of their own."""
        if self.state is TurnState.QUIET:
            self.started = self.utterance_started = self.last_speech = self.voice.started = self.voice.ended = at
            self.state = follow(TURN, self.state, TurnTrigger.WORDS)

    def finish(self, trigger: TurnTrigger) -> "CallerTurn":
        """End the turn; returns the next one, which hears on where this one stops."""
        follow(TURN, self.state, trigger)
        return CallerTurn(
            heard_through=self.heard_through,
            last_speech=self.last_speech,
            voice=Voice(ended=self.voice.ended),
            loudness=self.loudness,
        )
