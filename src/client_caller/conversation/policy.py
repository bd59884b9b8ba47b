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

    utterance_gap: int = 200
    """Silence of up to this length does not end an utterance: gaps inside words and between them are shorter."""
    audio_lag: int = 100
    """The caller's audio is up to this late when all is well: one frame, one window and the heartbeat, doubled."""
    audio_stall: int = 1000
    """Where it is later, a silence that nobody can hear is believed after this much more."""

    # ---- endpointing: when has the caller finished?
    finish_transcript_after: int = 96
    """Silence before speech to text is asked for its final words: three windows, inside most pauses for breath,
    so that the final words are there when the turn is over."""
    endpoint_closed: int = 480
    """Silence that ends a turn whose words sound complete."""
    endpoint_open: int = 1100
    """Silence that ends a turn whose words ask for more ("my number is", a comma). People pause inside sentences for
    up to about one second; peers wait 2.5 to 3.6 s here."""
    transcript_patience: int = 1500
    """How long after the end of speech the final words are waited for before the turn is taken as it stands."""
    wordless_speech: int = 3000
    """Speech for which no words have come for this long no longer holds the floor: a radio, a street."""
    unintelligible_speech: int = 500
    """Speech of at least this length without any words is answered with "I did not catch that"; shorter is noise."""
    answer_overlap: int = 1000
    """A short utterance over the agent's words is an answer, not a backchannel, if it ends within this of their end."""

    # ---- barge-in: who has the floor?
    barge_in: int = 450
    """Speech of this length while the agent is audible takes the floor. Above the 310 to 350 ms of "yeah", "okay" and
    "right", below the 0.5 s with which peers start."""

    # ---- owned silence
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
    open_endings: tuple[str, ...] = (
        "a", "an", "and", "at", "but", "by", "for", "from", "in", "is", "my", "of", "on", "or", "so", "that", "the",
        "to", "uh", "um", "with",
    )  # fmt: skip
    """Last words that promise more."""
