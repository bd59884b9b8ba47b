"""Interruption or backchannel?"""

import pytest

from client_caller.conversation.barge_in import Claim, Ending, claim, patience_with
from client_caller.conversation.policy import Phrases, Policy

PHRASES = Phrases()
POLICY = Policy()


def claimed(
    text: str,
    utterance: int,
    ending: Ending = Ending.SOUNDING,
    *,
    voice: int | None = None,
    phrases: Phrases = PHRASES,
) -> Claim:
    """All of the utterance is a voice, unless it is said how much."""
    return claim(text, utterance, utterance if voice is None else voice, ending, POLICY, phrases)


@pytest.mark.parametrize("text", ["", "tomorrow", "nobody", "hello"])
@pytest.mark.parametrize(
    ("utterance", "claims"),
    [(0, Claim.EAR), (223, Claim.EAR), (224, Claim.SILENCE), (1499, Claim.SILENCE), (1500, Claim.FLOOR)],
)
def test_a_sound_with_one_word_at_most_is_judged_by_its_length(text: str, utterance: int, claims: Claim) -> None:
    """A single word may be a listener's misheard, "nobody" is not "no", and "hello" may be a beginning. From 224 ms on
    the agent had better be silent; a sound of 1.5 s is meant, though some engines have no words for it yet."""
    assert claimed(text, utterance) is claims


@pytest.mark.parametrize(("voice", "claims"), [(0, Claim.EAR), (223, Claim.EAR), (224, Claim.SILENCE)])
def test_only_a_voice_asks_for_silence(voice: int, claims: Claim) -> None:
    """A sneeze that sounds a little like speech, and a line's hiss before a word, make the agent softer at most."""
    assert claimed("", 600, voice=voice) is claims


@pytest.mark.parametrize("ending", [Ending.SILENT, Ending.UNDERSTOOD, Ending.OVER])
@pytest.mark.parametrize("utterance", [64, 300, 2500])
def test_a_sound_that_is_over_without_a_word_is_nothing(ending: Ending, utterance: int) -> None:
    """However long it was; if words come after all they are judged anew."""
    assert claimed("", utterance, ending) is Claim.NOTHING


@pytest.mark.parametrize(
    ("text", "claims"),
    [("tomorrow", Claim.FLOOR), ("yeah", Claim.NOTHING), ("no", Claim.FLOOR), ("hello", Claim.NOTHING)],
)
def test_what_is_left_of_an_utterance_decides(text: str, claims: Claim) -> None:
    """When it is over and no more words will come, a listener's words and greetings leave the agent the floor."""
    assert claimed(text, 600, Ending.OVER) is claims


def test_a_short_single_word_does_not_take_the_floor() -> None:
    """What was taken for it may have been a listener's: it takes the floor if it was as long as one that is meant."""
    assert claimed("mow", 449, Ending.OVER) is Claim.NOTHING
    assert claimed("mow", 450, Ending.OVER) is Claim.FLOOR


@pytest.mark.parametrize(
    ("text", "utterance", "claims"),
    [("four", 223, Claim.PATIENCE), ("four", 449, Claim.SILENCE), ("hello", 600, Claim.SILENCE)],
)
def test_a_final_word_may_have_more_behind_it(text: str, utterance: int, claims: Claim) -> None:
    """Words are final soon after each of them; whether the caller has more to say is known when a gap is too long."""
    assert claimed(text, utterance, Ending.UNDERSTOOD) is claims
    assert claimed("four", 450, Ending.UNDERSTOOD) is Claim.FLOOR
    assert claimed("yeah", utterance, Ending.UNDERSTOOD) is Claim.NOTHING


@pytest.mark.parametrize("text", ["mow", "hello"])
@pytest.mark.parametrize(("voice", "claims"), [(96, Claim.PATIENCE), (223, Claim.PATIENCE), (224, Claim.SILENCE)])
def test_a_single_word_whose_sound_is_over_waits_for_the_final_words(text: str, voice: int, claims: Claim) -> None:
    """Until they come a short one changes nothing. For a longer one the agent is silent, even if it has gone on:
    it must not matter whether the word is known a moment before that or after."""
    assert claimed(text, 600, Ending.SILENT, voice=voice) is claims


@pytest.mark.parametrize("text", ["Stop.", "no", "yeah but wait", "Hold on a moment", "okay, EXCUSE me", "[pressed 1]"])
@pytest.mark.parametrize("ending", Ending)
def test_a_word_that_stops_acts_at_once(text: str, ending: Ending) -> None:
    """Whoever says "stop" does not have to go on saying it, and it may stand anywhere; nor does who presses a key."""
    assert claimed(text, 0, ending) is Claim.FLOOR


@pytest.mark.parametrize("text", ["yeah", "Mm hm.", "Okay, right.", "uh-huh", "yes yes of course", "I see"])
@pytest.mark.parametrize("utterance", [100, 500, 1499])
def test_a_listener_s_words_leave_the_agent_the_floor(text: str, utterance: int) -> None:
    """However long they take, within reason."""
    assert claimed(text, utterance) is Claim.NOTHING
    assert claimed(text, 1500) is Claim.FLOOR


@pytest.mark.parametrize("text", ["to morrow", "yeah what about fish", "I see you", "nobody there", "hi I would"])
def test_anything_else_is_an_interruption(text: str) -> None:
    """Words that mean something, among a listener's or alone. They need a moment to be sure."""
    assert claimed(text, 249) is not Claim.FLOOR
    assert claimed(text, 250) is Claim.FLOOR


def test_empty_phrases_match_nothing() -> None:
    """A phrase without words would stop every reply, or none."""
    phrases = Phrases(hard_stops=("", "!"), backchannels=("", "yeah"))
    assert claimed("yeah", 300, phrases=phrases) is Claim.NOTHING
    assert claimed("fish soup", 0, phrases=phrases) is Claim.EAR


def test_a_backchannel_is_not_settled_before_it_could_have_been_an_answer() -> None:
    """With its words known, it waits for the end of the agent's words only."""
    assert patience_with(understood=True, policy=Policy(answer_overlap=1000, transcript_patience=1500)) == 1000


@pytest.mark.parametrize(("overlap", "transcript"), [(1000, 1500), (1800, 1500)])
def test_a_backchannel_is_not_settled_before_its_words_had_their_time(overlap: int, transcript: int) -> None:
    """With its words unknown, the longer of both patiences."""
    policy = Policy(answer_overlap=overlap, transcript_patience=transcript)
    assert patience_with(understood=False, policy=policy) == max(overlap, transcript)
