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

    breath_below: float = 18.0
    """Decibels below the loudest speech of late at which what still sounds like speech is breath, a hiss that fades or
    an echo of the room: vowels and the consonants between them differ by less. A voice that follows it has to reach
    `speech_threshold` for `speech_onset`, as after any silence."""
    peak_fades: float = 1.0
    """Decibels that the loudest speech fades in each window, so that who goes on more quietly is heard."""
    longest_breath: int = 256
    """No more than so much of what sounds like speech is taken for that: the model hears 60 to 100 ms too much
    (median), and over 300 after "please"."""
    echo_share: float = 0.25
    """Speech is the agent's own, come back from the caller's loudspeaker, if so much of it is explained by what was
    played. A caller's voice alone stays below in 99.9 % of windows (experiments/echo.py)."""
    echo_onset: int = 4
    """Windows at the beginning of a sound over the agent's words that are not believed on a line that brings them back:
    the first three of an echo can't be told from a voice (experiments/echo.py). So a caller on a loudspeaker takes the
    floor 128 ms later."""
    word_at_least: int = 200
    """Nobody takes less for a word, all in all: more words than that are not all the caller's where the line brings the
    agent's back. 300 words a minute is the speed of fast readers."""
    line_noise: float = 3.0
    """Decibels of the caller's voice above the noise below which the line is bad: a street that all but drowns it.
    Measured within 1.5 dB of the truth in steady noise (docs/benchmarks.md, the line)."""
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
    stable_partial: int | None = None
    """Words that sound complete and have not changed for this long are answered while the caller still speaks, and what
    the model says is held back from text to speech until they pause. None: never before a pause. Worth its price, 1.9
    times the requests to the model, where speech to text gives a word within 50 ms (docs/benchmarks.md)."""
    guesses_in_a_turn: int = 4
    """Replies begun on a guess, for one turn; then the next waits until the turn is over. A dozen are of use with
    `stable_partial`."""
    guesses_kept: int = 2
    """How many of them are kept for its pauses."""
    wasted_words: int = 4000
    """Words that the model made for replies that nobody heard, in one call; then nothing more is begun on a guess."""

    # ---- endpointing: when has the caller finished?
    finish_transcript_after: int = 96
    """Silence before speech to text is asked for its final words: three windows, inside most pauses for breath,
    so that the final words are there when the turn is over."""
    endpoint_sure: int = 280
    """Silence that ends a turn which is surely over: a "yes" to a question for yes or no, any short answer to a
    question, or an answer that sounds complete in a voice that does."""
    endpoint_answer: int = 390
    """Silence that ends an answer whose words sound complete, and whose voice says neither."""
    endpoint_likely: int = 420
    """Silence that ends a turn which answers nothing, whose words sound complete, and whose voice probably does: who
    tells something may have another sentence to say. Real pauses after a voice like that are 280 to 400 ms in the
    labelled set."""
    endpoint_closed: int = 480
    """Silence that ends a turn whose words sound complete, and of whose voice nothing is known."""
    endpoint_open: int = 1100
    """Silence that ends a turn whose words ask for more ("my number is", a comma). People pause inside sentences for
    up to about one second; peers wait 2.5 to 3.6 s here."""
    sounds_finished: float = 0.85
    """The turn model is sure from here on that the caller has finished."""
    sounds_likely: float = 0.5
    """From here on it takes that for likely: it is trained to put its border here."""
    sounds_unfinished: float = 0.1
    """Below this it is sure that they have not: in a real call nearly every pause in mid-turn scores under 0.1, and few
    ends do (experiments/turn_model.py)."""
    judge_again_after: int = 256
    """Silence after which the turn model is asked once more where it did not take the end for likely. Of what it took
    for unfinished after 100 ms of silence, it no longer does after 300 in three of four complete turns of the labelled
    set, and in five of eighteen others."""
    short_turn: int = 1200
    """Speech below this is too little for the turn model: of the labelled clips as short as that, complete ones score
    .04 to .99 and broken off ones .81 to .97 (experiments/turn_model.py)."""
    whole_numbers: tuple[int, ...] = (7, 10, 11)
    """Numbers of digits at which a dictated number may be whole: North American telephone numbers without and with
    their area code, and with the country's."""
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
    """A voice of this length while the agent is audible silences it, if it is not known to be a listener's: seven
    windows, so that it is silent some 300 ms after the caller's first sound (docs/benchmarks.md, barge-in). Shorter
    speech makes it speak softly."""
    barge_in_sure: float = 0.8
    """A sound without words is a voice once one of its windows is speech with this probability. In the tuning half of
    the labelled set a sneeze of nearly half a second stays below 0.77; each interruption is above 0.9 within seven
    windows (docs/benchmarks.md, barge-in)."""
    barge_in_again: int = 400
    """Who has said a word and speaks again within this is not listened to anew before the agent is silent: gaps between
    words of 220 and 320 ms are found in a real call of the labelled set."""
    barge_in_doubt: int = 120
    """When the sound is over and had no words, the agent stays silent for so long in all: they may still come. A pause
    of up to 150 ms passes for a breath; one that is longer by then lasts until the voice was gone for `utterance_gap`,
    since the next word may come before the last is known."""
    barge_in_over: int = 96
    """A sound is over when it has faded or stopped for so long: three windows. With two, speakers who separate their
    words were spoken over again (docs/benchmarks.md, barge-in)."""
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
    outage: int = 20 * 1000
    """How long speech to text may fail, and be opened again in vain, before the call is ended politely: what a server
    needs to be started anew. Meanwhile the agent says that it did not understand."""

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
    teens: tuple[str, ...] = (
        "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    )  # fmt: skip
    """Pairs of digits in one word: two of them in a row are a dictated number as well."""
    tens: tuple[str, ...] = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
    """Likewise, but a digit that follows is their second one."""
    requests: tuple[str, ...] = ("ask", "describe", "enter", "give", "please", "say", "spell", "tell", "type")
    """First words of a request that is to be answered like a question."""
    open_endings: tuple[str, ...] = (
        "a", "about", "also", "am", "an", "and", "are", "as", "at", "because", "but", "by", "could you", "every", "for",
        "from", "he", "he's", "how about", "i", "i need", "i want", "i'd like", "if", "in", "into", "is", "it's",
        "just", "let's", "like to", "looking for", "maybe we", "my", "not", "of", "on", "or", "our", "she", "she's",
        "so", "such as", "than", "that's", "the", "their", "there's", "these", "they", "to", "uh", "um", "very", "was",
        "we", "we'd like", "well", "were", "what about", "what's", "when", "which", "who's", "with", "would like",
        "you", "your",
    )  # fmt: skip
    """Last words that promise more."""
    closed_endings: tuple[str, ...] = (
        "about it", "all i need", "all i want", "and you", "come in", "come on", "go on", "guess not", "help you",
        "hope not", "how are you", "move in", "not so", "of course not", "thank you", "think so", "to you", "very well",
        "what i need", "what i want", "what it is", "why not", "with you",
    )  # fmt: skip
    """Exceptions from those: last words that promise nothing."""
    open_suffixes: tuple[str, ...] = ("'d", "'ll", "'m", "'re", "'ve")
    """Ends of last words that promise a verb."""
    conditions: tuple[str, ...] = ("although", "if", "though", "unless", "whereas")
    """First words of what is only the beginning of a sentence."""
    openers: tuple[str, ...] = (
        "actually", "also", "and", "anyway", "basically", "but", "for example", "hold on", "i mean", "in fact",
        "in short", "just a moment", "just a second", "let me check", "let me look", "let me see", "let me think",
        "listen", "look", "one moment", "one second", "so", "then", "to be honest", "uh", "um", "well", "you know",
        "you see",
    )  # fmt: skip
    """With which people begin, or gain time: nobody says these and nothing else."""
    sentence_words: tuple[str, ...] = (
        "all", "am", "anything", "are", "ask", "be", "book", "bye", "call", "can", "cancel", "change", "check", "come",
        "could", "did", "do", "does", "find", "get", "give", "go", "goodbye", "got", "had", "has", "have", "he",
        "hello", "help", "her", "hey", "hi", "him", "how", "i", "is", "it", "keep", "know", "leave", "let", "like",
        "look", "make", "may", "me", "might", "must", "my", "need", "no", "nothing", "okay", "pay", "please", "put",
        "right", "say", "send", "shall", "she", "should", "show", "sorry", "speak", "start", "stop", "take", "talk",
        "tell", "thank", "thanks", "that", "them", "there", "these", "they", "this", "those", "try", "us", "use",
        "wait", "want", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "would", "yes",
        "yeah", "you", "your",
    )  # fmt: skip
    """Words that make a sentence of those around them: pronouns, verbs that bind, questions, and what stands alone."""
