"""Where the voice is in what sounds like speech: the model of voice activity hears breath and hiss around it, too."""

from dataclasses import dataclass

from client_caller.conversation.policy import Policy


@dataclass(slots=True)
class Voice:
    """The caller's, told by its level. All times are milliseconds on the call's clock."""

    started: int = 0
    """Since when it is about as loud as it is: what came before is breath, a hiss of the line, talk in the room. A word
    goes on with that of the word before it, a pause for breath or not."""
    ended: int = 0
    """End of the last window of speech that is about as loud as those before it: what follows is breath, and an echo of
    the room. The silence that ends a turn begins here."""
    surest: float = 0.0
    """The highest probability of speech since it began."""
    _peak: float = -100.0
    """Level of the loudest speech, dBFS, less what it has faded since."""
    _soft_through: int = 0
    """End of the last window of speech that was soft, or hardly speech."""

    def begin(self, at: int) -> None:
        """What came before belongs to something else."""
        self.started, self.surest = at, 0.0

    def rise(self, onset: int, *, anew: bool) -> None:
        """Speech is heard after a silence, from `onset` on; `anew`: not as a part of what was heard before."""
        self._soft_through = onset
        if anew:
            self.begin(onset)

    def follow(
        self, audio_end: int, length: int, probability: float, level: float | None, policy: Policy, *, in_breath: bool
    ) -> None:
        """Take in speech of so much `length`, with its `level` in dBFS.

        Breath is a silence by its level: a voice that follows it (`in_breath`) is believed as after any silence, once
        it was surely speech and loud for `Policy.speech_onset`. A hiss swells on its way, when the loudest of late has
        faded.
        """
        voice = level is None or self._is_voice(audio_end, length, probability, level, policy, in_breath=in_breath)
        self.ended = audio_end if voice else max(self.ended, audio_end - policy.longest_breath)
        self.surest = max(self.surest, probability)

    def _is_voice(
        self, audio_end: int, length: int, probability: float, level: float, policy: Policy, *, in_breath: bool
    ) -> bool:
        faded = self._peak - policy.peak_fades
        if level >= faded + policy.breath_below:
            self.begin(audio_end - length)
        self._peak = max(level, faded)
        loud = level >= self._peak - policy.breath_below
        if not loud or probability < policy.speech_threshold:
            self._soft_through = audio_end
        return audio_end - self._soft_through >= policy.speech_onset if in_breath else loud
