"""Every threshold of a conversation, and every phrase it says on its own.

Times are milliseconds. Each default names where it comes from; change one by making a `Policy` with it.
"""

from dataclasses import dataclass

HANG_UP = "hang_up"
"""The name of the tool with which a language model ends the call."""


@dataclass(frozen=True, slots=True)
class Policy:
    """When things happen in a call."""

    # ---- hearing
    speech_threshold: float = 0.5
    """A window at or above this probability is speech. Silero's own recommendation."""
    silence_threshold: float = 0.35
    """Once speech has begun, a window below this is silence: Silero's `threshold - 0.15` hysteresis."""
    speech_onset: int = 64
    """This much speech makes an utterance: two 32 ms windows. One alone is a click more often than a word."""

    echo_share: float = 0.25
    """Speech is the agent's own, come back from the caller's loudspeaker, if so much of it is explained by what was
    played. A caller's voice alone stays below in 99.9 % of windows (experiments/echo.py)."""
    word_at_least: int = 200
    """Nobody takes less for a word, all in all: more words than that are not all the caller's where the line brings the
    agent's back. 300 words a minute is the speed of fast readers."""
    line_noise: float = 3.0
    """Decibels of the caller's voice above the noise below which the line is bad: a street that all but drowns it.
    Measured within about 1 dB of the truth in steady noise (docs/benchmarks.md, the line)."""
    line_level: float = -50.0
    """dBFS of the caller's voice below which the line is bad: 30 dB softer than usual."""
    line_clipped: float = 0.1
    """Share of the samples of speech that may be as loud as a line can be: speech 20 dB too loud has 0.07."""
    utterance_gap: int = 200
    """Silence of up to this length does not end an utterance: gaps inside words and between them are shorter."""
    audio_lag: int = 100
    """The caller's audio is up to this late when all is well: one frame, one window and the heartbeat, doubled."""
    audio_stall: int = 1000
    """Where it is later, a silence that nobody can hear is believed after this much more."""

    # ---- speculation: thinking before it is sure that the turn is over
    speculate_after: int = 64
    """Silence after which a reply is begun on the words known so far: two windows, the first sure sign of a pause."""
    stable_partial: int = 400
    """Words that sound complete and have not changed for this long are answered while the caller still speaks, and
    held until they have finished. 0: never before a pause."""
    guesses_in_a_turn: int = 4
    """Replies begun on a guess, for one turn; then the next waits until the turn is over."""
    wasted_words: int = 2000
    """Words synthesised for replies that nobody heard, in one call; then nothing more is begun on a guess."""

    # ---- endpointing: when has the caller finished?
    finish_transcript_after: int = 96
    """Silence before speech to text is asked for its final words: three windows, inside most pauses for breath,
    so that the final words are there when the turn is over."""
    endpoint_sure: int = 200
    """Silence that ends a turn which answers just what was asked: a "yes" to a question for yes or no."""
    endpoint_finished: int = 250
    """Silence that ends a turn whose words sound complete, and whose voice does: the turn model is sure."""
    endpoint_closed: int = 480
    """Silence that ends a turn whose words sound complete, and of whose voice nothing is known."""
    endpoint_open: int = 1100
    """Silence that ends a turn whose words ask for more ("my number is", a comma). People pause inside sentences for
    up to about one second; peers wait 2.5 to 3.6 s here."""
    sounds_finished: float = 0.85
    """The turn model is sure from here on that the caller has finished."""
    sounds_unfinished: float = 0.1
    """Below this it is sure that they have not: in a real call nearly every pause in mid-turn scores under 0.1, and few
    ends do (experiments/turn_model.py)."""
    transcript_patience: int = 1500
    """How long after the end of speech the final words are waited for before the turn is taken as it stands."""
    wordless_speech: int = 3000
    """Speech for which no words have come for this long no longer holds the floor: a radio, a street."""
    unintelligible_speech: int = 500
    """Speech of at least this length without any words is answered with "I did not catch that"; shorter is noise."""
    clarify_below: float = 0.37
    """A turn of several words is asked for again if speech to text was less sure of them: a mean log probability of -1,
    Whisper's own limit (`logprob_threshold` of the reference implementation). 0: never."""
    not_understood_in_a_row: int = 2
    """This many turns in a row are answered like that. Then a sound without words is noise, the agent's own echo or a
    television; and words are taken as they are."""
    answer_overlap: int = 1000
    """A short utterance over the agent's words is an answer, not a backchannel, if it ends within this of their end."""

    # ---- barge-in: who has the floor?
    barge_in: int = 224
    """Speech of this length while the agent is audible silences it, if it is not known to be a listener's: seven
    windows, so that it is silent some 300 ms after the caller's first sound (docs/benchmarks.md, barge-in). Shorter
    speech makes it speak softly."""
    barge_in_doubt: int = 120
    """When the sound is over and had no words, the agent stays silent for so long in all: they may still come. A pause
    of up to 150 ms passes for a breath."""
    barge_in_over: int = 64
    """A sound is over when it has faded or stopped for so long: two windows, more than a closure inside a word."""
    barge_in_fades: float = 20.0
    """Decibels below the loudest window of the utterance at which a sound has faded: Silero hears speech on for 100 to
    300 ms after its end."""
    barge_in_background: float = 20.0
    """Decibels below the caller's own speech at which another's voice is background: a television, talk in the room."""
    barge_in_one_word: int = 450
    """Speech of which a single word is left when it is over takes the floor if it was at least so long. Above the 310
    to 350 ms of "yeah", "okay" and "right", which may have been misheard."""
    barge_in_with_words: int = 250
    """Speech of this length takes the floor if two words or more of it are known and they are not a listener's. Not
    at once: speech to text often takes the first sounds of one word for others."""
    backchannel: int = 1500
    """Speech of this length takes the floor though all its words are a listener's: nobody says "yeah" for so long. So
    does speech with no words known: some engines give none before it has ended."""

    # ---- owned silence
    tool_filler_after: int = 600
    """Silence of the agent's making before it says the words that a slow tool has for this. Shorter than
    `filler_after`: they announce what is being done, and a tool that is quick needs none."""
    filler_after: int = 1500
    """Silence of the agent's making before it says that it is still there. Below the 2 s that callers bear."""
    filler_again: int = 4000
    """Between one filler and the next: a wait that the caller was asked for."""
    reply_patience: int = 12_000
    """How long a reply may take to its first sound, or from one clause to the next, before it is given up."""
    silence_prompt: int = 8000
    """Silence of the caller's making before the agent asks whether they are there."""
    silence_prompts: int = 2
    """How often it asks before it says goodbye."""
    acknowledgement_patience: int = 2000
    """How long after its last word should have been played a reply waits for the far end's marks."""

    # ---- the end
    goodbye_linger: int = 1500
    """After a goodbye was heard, how long the caller has to say one more thing."""
    max_call: int = 30 * 60 * 1000
    """Longest call."""
    max_call_warning: int = 60 * 1000
    """How long before that the caller is told."""
    hard_stop: int = 30 * 1000
    """After `max_call`, how long the last words may take before the call is ended without them."""
    failures_in_a_row: int = 3
    """This many failed replies in a row end the call politely."""

    # ---- speaking
    first_clause_words: int = 3
    """The first clause of a reply may be cut at a comma after this many words: it is what the caller waits for."""
    clause_words: int = 6
    """Any later clause may be cut at a comma after this many words."""
    clause_characters: int = 240
    """No clause is longer; the limit of some speech engines is 256."""
    reply_characters: int = 4000
    """No reply is longer: over four minutes of speech, so a runaway model is cut here."""
    tools_in_a_reply: int = 10
    """A model that asks for more tools than this in one reply is going in circles."""

    # ---- recording
    announce_recording: bool = False
    """Speak `Phrases.recording_notice` first, and record only once it was heard."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the agent says without asking the language model. One set for each language."""

    greeting: str | None = "Hello, how can I help you?"
    """None: the language model makes the greeting."""
    recording_notice: str = "This call is recorded."
    not_understood: str = "Sorry, I did not catch that."
    unsure: str = "Sorry, I am not sure that I heard you right. Could you say that again?"
    """Instead of an answer to words that speech to text is not sure of. Empty: they are answered."""
    bad_line: str = "Sorry, the line is bad and I can hardly hear you."
    """Said once in a call, before the next reply, when the line is bad. Empty: never."""
    fillers: tuple[str, ...] = ("One moment, please.", "Just a second.", "I am still looking.")
    still_there: tuple[str, ...] = ("Are you still there?", "Hello, can you hear me?")
    goodbye_after_silence: str = "I can't hear you, so I will hang up now. Goodbye."
    time_warning: str = "Just so you know, we have about one minute left."
    time_over: str = "I am sorry, our time is over. Goodbye."
    resumed: str = "Sorry, the line broke for a moment. Please go on."
    trouble: str = "Sorry, something went wrong on my side. Could you say that again?"
    trouble_goodbye: str = "I am sorry, I am having technical trouble. Please call again later. Goodbye."
    farewells: tuple[str, ...] = ("goodbye", "good bye", "bye", "bye bye", "see you", "that's all", "that is all")
    """What a caller says to end a call; matched against the end of a turn."""
    backchannels: tuple[str, ...] = (
        "aha", "alright", "all right", "cool", "exactly", "fine", "good", "got it", "great", "hm", "hmm", "i see",
         "mhm", "mm", "mm hm", "mmm", "nice", "of course", "oh", "okay", "ok", "really", "right", "sure",
        "uh", "uh huh", "um", "wow", "yeah", "yep", "yes", "yup",
    )  # fmt: skip
    """What a listener says to show that they listen, and a caller to show that they are there."""
    hard_stops: tuple[str, ...] = (
        "excuse me", "hang on", "hold on", "listen", "no", "one moment", "pardon", "shut up", "sorry", "stop", "wait",
    )  # fmt: skip
    """What takes the floor at once, however short it is."""
    greetings: tuple[str, ...] = ("good afternoon", "good evening", "good morning", "hello", "hey", "hi")
    """A listener's words if nothing follows them. People also begin with them, so the agent waits to hear."""
    yes_and_no: tuple[str, ...] = (
        "yes", "yeah", "yep", "yes please", "no", "nope", "no thanks", "no thank you", "sure", "okay", "ok",
        "of course", "that's right", "correct",
    )  # fmt: skip
    """Whole answers to a question for yes or no."""
    yes_no_questions: tuple[str, ...] = (
        "are", "can", "could", "did", "do", "does", "has", "have", "is", "may", "shall", "should", "was", "were",
        "will", "would",
    )  # fmt: skip
    """First words of a question for yes or no."""
    digits: tuple[str, ...] = (
        "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double", "triple",
    )  # fmt: skip
    """How single digits are spoken: who says several in a row dictates a number, and pauses between its groups."""
    open_endings: tuple[str, ...] = (
        "a", "about", "an", "and", "at", "because", "but", "by", "for", "from", "he", "i", "i'm", "if", "in", "into",
        "is", "my", "of", "on", "or", "our", "she", "so", "the", "their", "they", "to", "uh", "um", "we", "well",
        "with", "your",
    )  # fmt: skip
    """Last words that promise more."""
