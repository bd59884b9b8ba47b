"""What the engines' proof says: whether each works, is slow, or is set up wrongly, and what to do about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import numpy as np

from client_caller.audio import g711
from client_caller.conversation.policy import Policy
from client_caller.runtime.proof import Heard, Spoken, Thought

Level = Literal["right", "slow", "wrong"]

SLOW_FIRST_TOKEN = 800.0
SLOW_FIRST_AUDIO = 500.0
SLOW_FINISH = 800.0
"""Milliseconds. Each alone costs more than a good turn takes altogether."""
SLOW_TURN = 1000.0
"""Milliseconds from the caller's last sound to the agent's first: above it callers begin to say "hello?"."""
FASTER_THAN_SPEECH = 1.5
"""Times as fast as speech that a voice has to be: below it two calls at a time break off."""
USUAL_PACE = (1.3, 4.5)
"""Words a second of ordinary voices, with some room on both sides."""
UNDERSTOOD = 0.6
"""Share of the words that has to be heard; telephone audio costs the best engines one in ten."""
_SOUND = 0.003
"""RMS of full scale: -50 dB."""
_FRAME_SENT = 20.0
"""Milliseconds until the next frame goes out."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a stage."""

    level: Level
    what: str


def of_voice(spoken: Spoken, text: str) -> list[Finding]:
    """What is wrong with the voice, if anything is."""
    samples = g711.decode_float(spoken.mulaw)
    if not len(samples) or float(np.sqrt(np.mean(samples**2))) < _SOUND:
        return [Finding("wrong", "It is silent: audio comes, and there is no sound in it. Check voice and model.")]
    found = []
    pace = len(text.split()) / (len(samples) / g711.SAMPLE_RATE)
    if not USUAL_PACE[0] <= pace <= USUAL_PACE[1]:
        how = "slowly" if pace < USUAL_PACE[0] else "fast"
        hint = "lower" if how == "fast" else "higher"
        found.append(
            Finding(
                "wrong",
                f"It speaks too {how}, {pace:.1f} words a second: the server's audio most likely has a {hint} rate "
                "than sample_rate says. Set sample_rate under [tts] to that of the server.",
            )
        )
    speed = len(samples) / g711.SAMPLE_RATE / max(spoken.whole / 1000, 1e-3)
    if speed < FASTER_THAN_SPEECH:
        found.append(
            Finding(
                "slow",
                f"It makes {speed:.1f} s of speech in a second, so words break off under load. Take a faster model or "
                "machine, or lower [server] max_calls.",
            )
        )
    if spoken.first_audio > SLOW_FIRST_AUDIO:
        found.append(
            Finding(
                "slow",
                f"Its first sound takes {spoken.first_audio:.0f} ms. Does the server stream? Is it near, and not busy?",
            )
        )
    return found


def of_hearing(heard: Heard, text: str) -> list[Finding]:
    """What is wrong with what was heard of a text, if anything is."""
    if not heard.text:
        return [Finding("wrong", "It heard nothing of the sentence. Check model and language, and the engine's log.")]
    found = []
    if share_understood(text, heard.text) < UNDERSTOOD:
        found.append(
            Finding(
                "wrong",
                "It heard other words than were spoken. Check language and model under [stt], the agent's language, "
                "and the voice and its sample_rate under [tts].",
            )
        )
    if not heard.partials:
        found.append(
            Finding(
                "slow",
                "It gives no words before it is asked for them, so nothing can be answered or interrupted early. Take "
                "a model that streams: this one transcribes in batches.",
            )
        )
    if heard.finished > SLOW_FINISH:
        found.append(
            Finding(
                "slow",
                f"Its final words take {heard.finished:.0f} ms, and each turn waits for them. Take a smaller model, or "
                "a server that is nearer or less busy.",
            )
        )
    return found


def of_thinking(thought: Thought) -> list[Finding]:
    """What is wrong with the language model, if anything is."""
    found = [
        Finding(
            "wrong",
            f"It can't use tools, and so neither hang up nor do anything: {one.reason} With vLLM: "
            "--enable-auto-tool-choice and --tool-call-parser (client-caller models serve gemma prints both).",
        )
        for one in thought.capabilities
        if one.name == "tools" and not one.works
    ]
    if thought.first_token > SLOW_FIRST_TOKEN:
        found.append(
            Finding(
                "slow",
                f"Its first token takes {thought.first_token:.0f} ms. Is the prefix cache on, thinking off, the server "
                "near and not busy? A smaller or quantised model is faster.",
            )
        )
    return found


def expected_latency(
    policy: Policy, listens_to_the_voice: bool, heard: Heard, thought: Thought, spoken: Spoken
) -> float:
    """Milliseconds from the caller's last sound to the agent's first, where the turn sounds complete.

    The reply is begun on the words as soon as there is a pause, and held until the turn is over: whichever takes longer
    is waited for. `listens_to_the_voice`: whether there is a turn model.
    """
    asked = policy.finish_transcript_after
    silence = policy.endpoint_sure if listens_to_the_voice else policy.endpoint_closed
    turn_over = max(silence, asked + heard.finished)
    words = asked + heard.finished if heard.known is None or heard.known > 0 else 0.0
    ready = max(policy.speculate_after, words) + thought.first_clause + spoken.first_audio
    return max(turn_over, ready) + _FRAME_SENT


def share_understood(said: str, heard: str) -> float:
    """Share of the words that were heard, in their order; at most that of the heard words that were said."""
    words, others = _words(said), _words(heard)
    if not words:
        return 1.0
    common = sum(block.size for block in SequenceMatcher(a=words, b=others, autojunk=False).get_matching_blocks())
    return common / max(len(words), len(others))


def worst(findings: Sequence[Finding]) -> Level:
    levels = {finding.level for finding in findings}
    return "wrong" if "wrong" in levels else "slow" if "slow" in levels else "right"


def _words(text: str) -> list[str]:
    return "".join(char if char.isalnum() or char == "'" else " " for char in text.casefold()).split()
